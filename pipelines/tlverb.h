/* SPDX-License-Identifier: BSD-3-Clause */

/* One verb of the program: what it is called, what it takes, what it does. The
 * table of them is in tlpipe.c; help, usage errors and the options' parsing are
 * the same for all. */

#ifndef TL_VERB_H
#define TL_VERB_H

#include <glib.h>

#include "tlexit.h"
#include "tloutput.h"

G_BEGIN_DECLS

typedef struct
{
  const gchar *name;
  const gchar *arguments;      /* as the usage shows them: "FILE" */
  const gchar *summary;        /* a line, without a full stop */
  const gchar *description;    /* paragraphs, wrapped at 79 columns */
  const gchar *examples;       /* lines, each indented by two blanks */
  const GOptionEntry *options; /* terminated; arguments are FILENAME, for the
                                  command line need not be UTF-8 */
  guint min_args;
  guint max_args;

  /* @args: NULL-terminated, between min_args and max_args of them. */
  TlExit (*run) (gchar **args);
} TlVerb;

/* Options that several verbs have, one entry each. */
#define TL_VERB_JSON(variable)                                                 \
  {                                                                            \
    "json", 0, 0, G_OPTION_ARG_NONE, variable,                                 \
        "Write one JSON object per line, and nothing else, to stdout", NULL    \
  }
#define TL_VERB_SET(variable)                                                  \
  {                                                                            \
    "set", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, variable,                        \
        "Give a variable of the file, or ELEMENT.PROPERTY, a value",           \
        "NAME=VALUE"                                                           \
  }
#define TL_VERB_DEVICE(variable)                                               \
  {                                                                            \
    "device", 0, 0, G_OPTION_ARG_FILENAME, variable,                           \
        "Where the model runs: auto, cpu, cuda or cuda:N", "DEVICE"            \
  }

/* Parses @argv, whose first word is the verb, and runs it; or answers --help,
 * or says what is wrong and returns TL_EXIT_USAGE. */
TlExit tl_verb_main (const TlVerb *verb, int argc, gchar **argv);

/* To stdout. */
void tl_verb_print_help (const TlVerb *verb);

/* "tlpipe: error: ...", then where help is; TL_EXIT_USAGE. @verb may be NULL. */
TlExit tl_verb_fail (const TlVerb *verb, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

/* Reads the argument of an option: an integer from @min to @max. FALSE, with
 * the error said, if @text is another; @text NULL leaves @ret as it is. */
gboolean tl_verb_parse_count (const TlVerb *verb, const gchar *option,
    const gchar *text, guint min, guint max, guint *ret);

extern const TlVerb tl_verb_run, tl_verb_check, tl_verb_show, tl_verb_inspect,
    tl_verb_doctor, tl_verb_weights, tl_verb_predict, tl_verb_evaluate,
    tl_verb_export, tl_verb_parity;

G_END_DECLS

#endif
