/* SPDX-License-Identifier: BSD-3-Clause */

/* A pipeline file from bytes to plain structs. What the elements make of it is
 * GStreamer's. */

#include "tlbadfiles.h"
#include "tlfuzztarget.h"
#include "tlspec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROMISE(what)                                                          \
  do {                                                                         \
    if (!(what)) {                                                             \
      fprintf (stderr, "broken promise: %s\n", #what);                         \
      abort ();                                                                \
    }                                                                          \
  } while (0)

static guint
check_chain (const TlSpecChain *chain)
{
  guint n = chain->steps->len;

  PROMISE (n > 0);
  for (guint i = 0; i < chain->steps->len; i++) {
    const TlSpecStep *step = chain->steps->pdata[i];

    PROMISE (step->kind == TL_STEP_BAD || (step->name && step->text.text));
    for (guint j = 0; j < step->properties->len; j++) {
      const TlSpecProperty *property = step->properties->pdata[j];

      PROMISE (property->is_list || property->values->len == 1);
    }
    for (guint j = 0; j < step->branches->len; j++)
      n += check_chain (step->branches->pdata[j]);
  }
  return n;
}

static void
check_spec (const TlSpec *spec, gboolean is_good)
{
  guint n = 0;

  PROMISE (!is_good || spec->stages->len > 0);
  for (guint i = 0; i < spec->stages->len; i++) {
    const TlSpecStage *stage = spec->stages->pdata[i];

    PROMISE (!is_good || stage->chains->len > 0);
    for (guint j = 0; j < stage->chains->len; j++)
      n += check_chain (stage->chains->pdata[j]);
  }
  /* Each branch may have got a queue. */
  PROMISE (n <= 2 * TL_SPEC_MAX_STEPS + 2);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const gchar *const sets[] = {"a=1", "fakesrc.num-buffers=2", NULL};
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec = tl_spec_load_text ("f.yaml", (const gchar *) data,
      size, data && size % 2 ? sets : NULL, diagnostics);
  gboolean is_good = tl_diagnostics_count_errors (diagnostics) == 0;
  g_autofree gchar *text = tl_diagnostics_to_string (diagnostics);

  PROMISE (spec || !is_good);
  PROMISE (is_good || strstr (text, "error: "));
  PROMISE (g_utf8_validate (text, -1, NULL));
  if (spec)
    check_spec (spec, is_good);
  return 0;
}

/* Words that chance does not find. */
static const gchar *const tokens[] = {"tlpipe: 1\n",
    "vars: ", "stages: ", "pipeline: ", "links: ", "needs: ", "branches: ",
    "name: ", "caps: ", "launch: ", "include: ", "<<: ", "&a ", "*a", "${a}",
    "${a:-", "${DIR}", "$${", " -> ", "\n  - ", "!!str ", "---\n", "x-", "\"",
    "'", "|\n", ">-\n", "{", "}", "[", "]", "\t", "\r\n", "\xef\xbb\xbf", "\\x",
    "%YAML 1.2\n"};

size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size,
    unsigned seed)
{
  const gchar *token = tokens[seed / 8 % G_N_ELEMENTS (tokens)];
  size_t length = strlen (token);
  size_t at = size ? seed / 512 * 2654435761u % (size + 1) : 0;

  if (seed % 3 != 0 || size + length > max_size)
    return LLVMFuzzerMutate (data, size, max_size);
  memmove (data + at + length, data + at, size - at);
  memcpy (data + at, token, length);
  return size + length;
}

/* Files that are right and use all there is. */
static const gchar *const good[] = {
    TL_BAD_FILE_HEAD "vars: {a: 0, b: \"${a}${c:-d${a}}\"}\n"
                     "x-s: &s {p: 1, q: [x, \"${b}\"]}\n"
                     "pipeline:\n"
                     "  - fakesrc: {<<: *s, name: n}\n"
                     "  - video/x-raw,width=1\n"
                     "  - tee:\n"
                     "      branches:\n"
                     "        u: [queue, fakesink]\n"
                     "        v: [{launch: a ! b}, fakesink]\n",
    TL_BAD_FILE_HEAD "stages:\n"
                     "  b: {needs: [a], pipeline: [[fakesrc], [fakesink]], "
                     "links: [fakesrc.src -> fakesink.sink]}\n"
                     "  a: {description: 'x ''y', pipeline: [caps: a/b, "
                     "\"\\x41\\u00e9\"]}\n",
};

void
tl_fuzz_target_each_start (TlSeedFunc func, void *user)
{
  for (guint i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autofree gchar *name = g_strdup_printf ("good-%u", i);

    func (user, name, (const uint8_t *) good[i], strlen (good[i]));
  }
  for (guint i = 0; i < tl_n_bad_files; i++) {
    g_autofree gchar *name = g_strdup_printf ("bad-%u", i);

    func (user, name, (const uint8_t *) tl_bad_files[i].text,
        tl_bad_files[i].size);
  }
}

/* Pictures are of no use here. */
void
tl_fuzz_target_each_of_file (const char *name, const uint8_t *file, size_t size,
    TlSeedFunc func, void *user)
{
}
