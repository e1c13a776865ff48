/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include <stdio.h>
#include <string.h>

#include <gst/gst.h>

#include "tlnear.h"
#include "tlplugin.h"

#define OPTION_COLUMN 24

/* ---- Help ---- */

static const GOptionEntry help_entry = {"help", 'h', 0, G_OPTION_ARG_NONE, NULL,
    "Show this text", NULL};

static void
print_option (const GOptionEntry *entry)
{
  g_autoptr (GString) words = g_string_new ("  ");

  if (entry->short_name)
    g_string_append_printf (words, "-%c, ", entry->short_name);
  g_string_append_printf (words, "--%s", entry->long_name);
  if (entry->arg_description)
    g_string_append_printf (words, " %s", entry->arg_description);
  if (words->len + 2 > OPTION_COLUMN)
    printf ("%s\n%*s%s\n", words->str, OPTION_COLUMN, "", entry->description);
  else
    printf ("%-*s%s\n", OPTION_COLUMN, words->str, entry->description);
}

void
tl_verb_print_help (const TlVerb *verb)
{
  printf ("usage: tlpipe %s [options]%s%s\n\n%s.\n\n%s\n\nOptions:\n",
      verb->name, *verb->arguments ? " " : "", verb->arguments, verb->summary,
      verb->description);
  for (const GOptionEntry *e = verb->options; e->long_name; e++)
    print_option (e);
  print_option (&help_entry);
  printf ("\nExamples:\n%s\n", verb->examples);
}

/* ---- Usage errors ---- */

TlExit
tl_verb_fail (const TlVerb *verb, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  TlOutput output;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  tl_output_init (&output, FALSE, FALSE);
  tl_output_error (&output, "%s", text);
  fprintf (stderr, "\"tlpipe %s%s--help\" says what there is.\n",
      verb ? verb->name : "", verb ? " " : "");
  return TL_EXIT_USAGE;
}

static gboolean
has_option (const TlVerb *verb, const gchar *name)
{
  for (const GOptionEntry *e = verb->options; e->long_name; e++) {
    if (g_str_equal (e->long_name, name))
      return TRUE;
  }
  return g_str_equal (help_entry.long_name, name);
}

/* The name of the first option that is none of @verb's, as "--epohcs=3" gives
 * "epohcs"; NULL if it was a short one. *transferred*. */
static gchar *
find_unknown (const TlVerb *verb, gchar **words)
{
  for (guint i = 0; words[i] && !g_str_equal (words[i], "--"); i++) {
    g_autofree gchar *name = NULL;

    if (!g_str_has_prefix (words[i], "--"))
      continue;
    name = g_strndup (words[i] + 2, strcspn (words[i] + 2, "="));
    if (!has_option (verb, name))
      return g_steal_pointer (&name);
  }
  return NULL;
}

static TlExit
fail_parse (const TlVerb *verb, gchar **words, const GError *error)
{
  g_autofree gchar *unknown = NULL, *suggestion = NULL;
  TlNear near;

  if (g_error_matches (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
    unknown = find_unknown (verb, words);
  if (!unknown)
    return tl_verb_fail (verb, "%s: %s", verb->name, error->message);
  tl_near_init (&near, unknown);
  for (const GOptionEntry *e = verb->options; e->long_name; e++)
    tl_near_offer (&near, e->long_name);
  tl_near_offer (&near, help_entry.long_name);
  suggestion = tl_near_suggest (&near);
  return tl_verb_fail (verb, "%s has no option \"%s\"%s", verb->name, unknown,
      suggestion);
}

gboolean
tl_verb_parse_count (const TlVerb *verb, const gchar *option, const gchar *text,
    guint min, guint max, guint *ret)
{
  guint64 value;

  if (!text)
    return TRUE;
  if (!g_ascii_string_to_unsigned (text, 10, min, max, &value, NULL)) {
    tl_verb_fail (verb, "--%s=%s: expected a number from %u to %u", option,
        text, min, max);
    return FALSE;
  }
  *ret = (guint) value;
  return TRUE;
}

/* ---- Parsing ---- */

/* The word that ends the options stays where it keeps an argument from being
 * one. */
static void
drop_double_dash (gchar **words)
{
  for (; *words && !g_str_equal (*words, "--"); words++)
    continue;
  if (!*words)
    return;
  g_free (*words);
  do
    words[0] = words[1];
  while (*words++);
}

static gboolean
check_args (const TlVerb *verb, gchar **words)
{
  guint n = g_strv_length (words) - 1;

  if (n < verb->min_args)
    tl_verb_fail (verb, "%s needs %s", verb->name, verb->arguments);
  else if (n > verb->max_args && verb->max_args == 0)
    tl_verb_fail (verb, "%s takes no arguments, but there is \"%s\"",
        verb->name, words[1]);
  else if (n > verb->max_args)
    tl_verb_fail (verb, "%s takes %s alone, but there is \"%s\" too",
        verb->name, verb->arguments, words[1 + verb->max_args]);
  return n >= verb->min_args && n <= verb->max_args;
}

TlExit
tl_verb_main (const TlVerb *verb, int argc, gchar **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_auto (GStrv) words = g_new0 (gchar *, (gsize) argc + 1);
  g_auto (GStrv) given = NULL;
  g_autoptr (GError) error = NULL;
  gboolean help = FALSE;
  GOptionEntry entries[] = {help_entry, {NULL}};

  for (int i = 0; i < argc; i++)
    words[i] = g_strdup (argv[i]);
  given = g_strdupv (words);
  entries[0].arg_data = &help;
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, verb->options, NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse_strv (context, &words, &error))
    return fail_parse (verb, given, error);
  if (help) {
    tl_verb_print_help (verb);
    return TL_EXIT_OK;
  }
  drop_double_dash (words);
  if (!check_args (verb, words))
    return TL_EXIT_USAGE;
  gst_init (NULL, NULL);
  tl_plugin_find ();
  return verb->run (words + 1);
}
