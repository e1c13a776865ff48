/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlstatediff.h"

#include <string.h>

struct TlStateDiff
{
  GString *text;
  GHashTable *told; /* names */
};

TlStateDiff *
tl_state_diff_new (void)
{
  TlStateDiff *self = g_new (TlStateDiff, 1);

  self->text = g_string_new (NULL);
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
tl_state_diff_free (TlStateDiff *self)
{
  g_string_free (self->text, TRUE);
  g_hash_table_unref (self->told);
  g_free (self);
}

static void
append_side (TlStateDiff *self, const gchar *verb, const gchar *value)
{
  if (value)
    g_string_append_printf (self->text, " %s \"%.150s\"", verb, value);
  else
    g_string_append_printf (self->text, " %s not set", verb);
}

void
tl_state_diff_add_value (TlStateDiff *self, const gchar *name, const gchar *was,
    const gchar *is)
{
  if (g_strcmp0 (was, is) == 0)
    return;
  g_hash_table_add (self->told, g_strdup (name));
  g_string_append_printf (self->text, "%s%s", self->text->len ? "; " : "",
      name);
  append_side (self, "was", was);
  append_side (self, "and is now", is);
}

const gchar *
tl_state_diff_text (const TlStateDiff *self)
{
  return self->text->len > 0 ? self->text->str : NULL;
}

/* ---- Steps ---- */

/* The words of a step without its values: "imagedecode"; *transferred*. */
static gchar *
name_step (const gchar *step)
{
  g_auto (GStrv) words = g_strsplit (step, " ", -1);
  GString *name = g_string_new (NULL);

  for (guint i = 0; words[i]; i++) {
    if (*words[i] && !strchr (words[i], '='))
      g_string_append_printf (name, "%s%s", name->len ? " " : "", words[i]);
  }
  return g_string_free (name, FALSE);
}

/* "imagedecode, augment"; *transferred*. */
static gchar *
name_steps (gchar **steps)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; steps[i]; i++) {
    g_autofree gchar *name = name_step (steps[i]);

    g_string_append_printf (names, "%s%s", i ? ", " : "", name);
  }
  return g_string_free (names, FALSE);
}

/* The value of "@name=" among the words; NULL if there is none. */
static const gchar *
find_value (gchar **words, const gchar *name, gsize n)
{
  for (guint i = 0; words[i]; i++) {
    if (strncmp (words[i], name, n) == 0 && words[i][n] == '=')
      return words[i] + n + 1;
  }
  return NULL;
}

/* Names of @words, with @is the words on the other side; once the sides are
 * swapped only those that are new. */
static void
add_words (TlStateDiff *self, gchar **words, gchar **others,
    gboolean is_swapped)
{
  for (guint i = 0; words[i]; i++) {
    gsize n = strcspn (words[i], "=");
    g_autofree gchar *name = g_strndup (words[i], n);
    const gchar *other = find_value (others, name, n);

    if (words[i][n] == '\0' || g_hash_table_contains (self->told, name))
      continue;
    if (!is_swapped)
      tl_state_diff_add_value (self, name, words[i] + n + 1, other);
    else if (!other)
      tl_state_diff_add_value (self, name, NULL, words[i] + n + 1);
  }
}

static void
add_step (TlStateDiff *self, const gchar *was, const gchar *is)
{
  g_auto (GStrv) old = g_strsplit (was, " ", -1);
  g_auto (GStrv) now = g_strsplit (is, " ", -1);

  add_words (self, old, now, FALSE);
  add_words (self, now, old, TRUE);
}

void
tl_state_diff_add_steps (TlStateDiff *self, const gchar *name, const gchar *was,
    const gchar *is)
{
  g_auto (GStrv) old = g_strsplit (was ? was : "", ";", -1);
  g_auto (GStrv) now = g_strsplit (is ? is : "", ";", -1);
  g_autofree gchar *old_names = name_steps (old);
  g_autofree gchar *now_names = name_steps (now);

  if (strcmp (old_names, now_names) != 0) {
    tl_state_diff_add_value (self, name, old_names, now_names);
    return;
  }
  for (guint i = 0; old[i]; i++)
    add_step (self, old[i], now[i]);
}
