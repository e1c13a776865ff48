/* SPDX-License-Identifier: BSD-3-Clause */

/* The program: finds the verb and hands over to it. */

#include <locale.h>
#include <stdio.h>

#include "tlnear.h"
#include "tlverb.h"

static const TlVerb *const verbs[] = {
    &tl_verb_run,
    &tl_verb_check,
    &tl_verb_show,
    &tl_verb_inspect,
    &tl_verb_doctor,
    &tl_verb_weights,
    &tl_verb_predict,
#if defined TL_WITH_TRAINING
    &tl_verb_evaluate,
#endif
    &tl_verb_export,
    &tl_verb_parity,
};

static void
print_usage (FILE *stream)
{
  fprintf (stream,
      "usage: tlpipe VERB [options] ...\n"
      "\n"
      "Fine-tunes a pretrained ResNet, and uses it, as a GStreamer pipeline that is\n"
      "written in a file.\n"
      "\n");
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    fprintf (stream, "  %-10s%s\n", verbs[i]->name, verbs[i]->summary);
  fprintf (stream,
      "\n"
      "\"tlpipe VERB --help\" says more. \"tlpipe --version\" says which this is.\n");
}

static const TlVerb *
find_verb (const gchar *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++) {
    if (g_str_equal (verbs[i]->name, name))
      return verbs[i];
  }
  return NULL;
}

static TlExit
fail_verb (const gchar *name)
{
  g_autofree gchar *suggestion = NULL;
  TlNear near;

  tl_near_init (&near, name);
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    tl_near_offer (&near, verbs[i]->name);
  suggestion = tl_near_suggest (&near);
  return tl_verb_fail (NULL, "there is no verb \"%s\"%s", name, suggestion);
}

/* What is answered without GStreamer. */
static gboolean
answer (const gchar *word)
{
  if (g_str_equal (word, "--help") || g_str_equal (word, "-h"))
    print_usage (stdout);
  else if (g_str_equal (word, "--version"))
    printf ("tlpipe %s\n", TL_VERSION);
  else
    return FALSE;
  return TRUE;
}

static TlExit
run_verb (int argc, char **argv)
{
  const TlVerb *verb;

  if (argc < 2) {
    print_usage (stderr);
    return TL_EXIT_USAGE;
  }
  if (answer (argv[1]))
    return TL_EXIT_OK;
  verb = find_verb (argv[1]);
  if (!verb)
    return fail_verb (argv[1]);
  return tl_verb_main (verb, argc - 1, argv + 1);
}

int
main (int argc, char **argv)
{
  TlExit end;

  /* For names of files alone: numbers are written one way everywhere. */
  setlocale (LC_CTYPE, "");
  end = run_verb (argc, argv);
  if (fflush (stdout) == 0 && !ferror (stdout))
    return end;
  return end == TL_EXIT_OK ? TL_EXIT_FAILED : end;
}
