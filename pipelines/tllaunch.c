/* SPDX-License-Identifier: BSD-3-Clause */

#include "tllaunch.h"

#include "tlsettings.h"
#include "tlvalue.h"

#include <string.h>

typedef struct
{
  GString *text;
  GHashTable *referred; /* names that something refers to */
  TlDiagnostics *diagnostics;
  gboolean ok;
} Writer;

/* ---- Quotes ---- */

/* For GStreamer's parser: as it is where that is the same, else in quotes with
 * backslashes before quotes and backslashes. A text that begins with a quote or
 * ends with a backslash is written as GStreamer serializes it: its parser takes
 * quotes at both ends for its own, and \" for an escape. */
static gchar *
quote_value (const gchar *value, gboolean is_text)
{
  static const gchar plain[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_-+./:%@";
  g_autoptr (GString) quoted = g_string_new ("\"");
  g_autofree gchar *serialized = NULL;
  gsize length = strlen (value);

  if (length > 0 && strspn (value, plain) == length)
    return g_strdup (value);
  if (is_text && length > 0 && (value[0] == '"' || value[length - 1] == '\\')) {
    g_auto (GValue) holder = G_VALUE_INIT;

    g_value_init (&holder, G_TYPE_STRING);
    g_value_set_string (&holder, value);
    value = serialized = gst_value_serialize (&holder);
  }
  for (; *value; value++) {
    if (*value == '"' || *value == '\\')
      g_string_append_c (quoted, '\\');
    g_string_append_c (quoted, *value);
  }
  g_string_append_c (quoted, '"');
  return g_string_free (g_steal_pointer (&quoted), FALSE);
}

/* Appends a blank and @word, quoted for a shell. */
static void
append_word (Writer *self, const gchar *word)
{
  static const gchar plain[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_-+./:%@=,";
  gsize length = strlen (word);
  g_autofree gchar *quoted = NULL;

  if (length == 0 || strspn (word, plain) != length)
    quoted = g_shell_quote (word);
  /* The mark between two elements needs no quotes in any shell. */
  g_string_append_printf (self->text, " %s",
      quoted && !g_str_equal (word, "!") ? quoted : word);
}

/* A new line of the shell's, which the shell takes for a blank. */
static void
begin_line (Writer *self)
{
  g_string_append (self->text, " \\\n   ");
}

/* ---- Steps ---- */

static void
append_name (Writer *self, const TlSpecStep *step)
{
  g_autofree gchar *word = g_strdup_printf ("name=%s", step->name);

  if (step->is_named || g_hash_table_contains (self->referred, step->name))
    append_word (self, word);
}

static void
append_property (Writer *self, const GParamSpec *pspec, const GValue *value,
    const TlSpecStep *step)
{
  g_autofree gchar *text = tl_value_to_string (value);
  g_autofree gchar *quoted = NULL, *word = NULL;

  if (!text) {
    tl_diagnostics_error (self->diagnostics, step->text.place, NULL,
        "%s.%s is a %s, which a gst-launch-1.0 line cannot give",
        step->text.text, pspec->name, g_type_name (G_VALUE_TYPE (value)));
    self->ok = FALSE;
    return;
  }
  quoted = quote_value (text, G_VALUE_HOLDS_STRING (value));
  word = g_strdup_printf ("%s=%s", pspec->name, quoted);
  append_word (self, word);
}

static void
append_element (Writer *self, const TlSpecStep *step)
{
  g_autoptr (TlSettings) settings = tl_settings_read (step, self->diagnostics);

  if (!settings) {
    self->ok = FALSE;
    return;
  }
  append_word (self, GST_OBJECT_NAME (settings->factory));
  append_name (self, step);
  for (guint i = 0; i < settings->pspecs->len; i++)
    append_property (self, settings->pspecs->pdata[i],
        &g_array_index (settings->values, GValue, i), step);
}

/* As a bin with the words of the text in it. Blanks that belong to a value
 * survive, since gst-launch-1.0 joins its arguments with one. */
static void
append_launch (Writer *self, const TlSpecStep *step)
{
  g_auto (GStrv) words = g_strsplit (step->text.text, " ", -1);
  g_autofree gchar *name = g_strdup_printf ("name=%s", step->name);

  append_word (self, "(");
  append_word (self, name);
  for (guint i = 0; words[i]; i++)
    append_word (self, words[i]);
  append_word (self, ")");
}

static void
append_chain (Writer *self, const TlSpecChain *chain, const gchar *from)
{
  g_autofree gchar *reference = from ? g_strdup_printf ("%s.", from) : NULL;
  const TlSpecStep *last = chain->steps->pdata[chain->steps->len - 1];

  if (reference)
    append_word (self, reference);
  for (guint i = 0; i < chain->steps->len; i++) {
    const TlSpecStep *step = chain->steps->pdata[i];

    if (i > 0)
      begin_line (self);
    if (i > 0 || from)
      append_word (self, "!");
    if (step->kind == TL_STEP_LAUNCH)
      append_launch (self, step);
    else
      append_element (self, step);
  }
  for (guint i = 0; i < last->branches->len; i++) {
    begin_line (self);
    append_chain (self, last->branches->pdata[i], last->name);
  }
}

static void
append_end (Writer *self, const gchar *element, const gchar *pad)
{
  g_autofree gchar *word = g_strdup_printf ("%s.%s", element, pad ? pad : "");

  append_word (self, word);
}

static void
append_link (Writer *self, const TlSpecLink *link)
{
  append_end (self, link->from_element, link->from_pad);
  append_word (self, "!");
  append_end (self, link->to_element, link->to_pad);
}

/* ---- References ---- */

static void
collect_references (const TlSpecChain *chain, GHashTable *referred)
{
  for (guint i = 0; i < chain->steps->len; i++) {
    const TlSpecStep *step = chain->steps->pdata[i];

    if (step->branches->len)
      g_hash_table_add (referred, step->name);
    for (guint j = 0; j < step->branches->len; j++)
      collect_references (step->branches->pdata[j], referred);
  }
}

static GHashTable *
find_references (const TlSpecStage *stage)
{
  GHashTable *referred = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < stage->chains->len; i++)
    collect_references (stage->chains->pdata[i], referred);
  for (guint i = 0; i < stage->links->len; i++) {
    const TlSpecLink *link = stage->links->pdata[i];

    g_hash_table_add (referred, link->from_element);
    g_hash_table_add (referred, link->to_element);
  }
  return referred;
}

gchar *
tl_launch_line (const TlSpecStage *stage, TlDiagnostics *diagnostics)
{
  g_autoptr (GString) text = g_string_new ("gst-launch-1.0");
  g_autoptr (GHashTable) referred = find_references (stage);
  Writer self = {text, referred, diagnostics, TRUE};

  for (guint i = 0; i < stage->chains->len; i++) {
    if (i > 0)
      begin_line (&self);
    append_chain (&self, stage->chains->pdata[i], NULL);
  }
  for (guint i = 0; i < stage->links->len; i++) {
    begin_line (&self);
    append_link (&self, stage->links->pdata[i]);
  }
  return self.ok ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}
