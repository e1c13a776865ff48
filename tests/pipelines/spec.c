/* SPDX-License-Identifier: BSD-3-Clause */

/* Pipeline files as plain structs: variables, includes, stages, names, --set.
 * No GStreamer. */

#include "tlspec.h"
#include "tltest.h"
#include "tltree.h"

#include <string.h>

#define V "tlpipe: 1\n"

/* ---- Helpers ---- */

/* Everything about @spec as one line per stage; *transferred*. */
static void
append_chain (GString *text, const TlSpecChain *chain)
{
  static const gchar marks[] = {' ', '~', '!', '?'};

  for (guint i = 0; i < chain->steps->len; i++) {
    const TlSpecStep *step = chain->steps->pdata[i];

    g_string_append_printf (text, "%s%c%s", i ? " " : "", marks[step->kind],
        step->text.text ? step->text.text : "");
    if (g_strcmp0 (step->name, step->text.text) != 0)
      g_string_append_printf (text, "=%s", step->name);
    for (guint j = 0; j < step->properties->len; j++) {
      const TlSpecProperty *property = step->properties->pdata[j];

      g_string_append_printf (text, " %s", property->name);
      for (guint k = 0; k < property->values->len; k++)
        g_string_append_printf (text, "%c%s", k ? '|' : ':',
            ((TlSpecText *) property->values->pdata[k])->text);
    }
    for (guint j = 0; j < step->branches->len; j++) {
      const TlSpecChain *branch = step->branches->pdata[j];

      g_string_append_printf (text, " {%s", branch->name);
      append_chain (text, branch);
      g_string_append_c (text, '}');
    }
  }
}

static gchar *
describe (const TlSpec *spec)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < spec->stages->len; i++) {
    const TlSpecStage *stage = spec->stages->pdata[i];

    g_string_append_printf (text, "%s%s", i ? "; " : "",
        stage->name ? stage->name : "");
    for (guint j = 0; j < stage->chains->len; j++) {
      g_string_append (text, j ? " /" : "");
      append_chain (text, stage->chains->pdata[j]);
    }
    for (guint j = 0; j < stage->links->len; j++) {
      const TlSpecLink *link = stage->links->pdata[j];

      g_string_append_printf (text, " %s.%s->%s.%s", link->from_element,
          link->from_pad ? link->from_pad : "", link->to_element,
          link->to_pad ? link->to_pad : "");
    }
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
check_text (const gchar *name, const gchar *text, const gchar *const *sets,
    const gchar *expected)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec = tl_spec_load_text ("folder/f.yaml", text,
      strlen (text), sets, diagnostics);
  g_autofree gchar *mistakes = tl_diagnostics_to_string (diagnostics);
  g_autofree gchar *got = spec ? describe (spec) : NULL;

  ck_assert_msg (*mistakes == '\0', "%s: %s", name, mistakes);
  ck_assert_msg (g_strcmp0 (got, expected) == 0,
      "%s:\n  expected %s\n  got      %s", name, expected, got);
}

/* ---- Good files ---- */

static const struct
{
  const gchar *name;
  const gchar *text;
  const gchar *expected;
} good[] = {
    {"steps", "pipeline: [a, {b: }, {c: {p: 1, q: [x, y]}}, v/x, {caps: u}]",
        " a  b  c p:1 q:x|y ~v/x=capsfilter ~u=capsfilter2"},
    {"launch", "pipeline: [a, {launch: b ! c}, {launch: d}]",
        " a !b ! c=launch !d=launch2"},
    {"names", "pipeline: [q, q, {q: {name: q2}}, q, {q: {name: other}}]",
        " q  q=q3  q=q2  q=q4  q=other"},
    {"several chains", "pipeline: [[a, b], [c]]", " a  b / c"},
    {"branches",
        "pipeline: [a, {t: {branches: {x: [b], y: [queue, c], z: "
        "[{queue2: {p: 1}}]}}}]",
        " a  t {x queue  b} {y queue=queue2  c} {z queue2=queue22 p:1}"},
    {"links", "pipeline: [[a], [b]]\nlinks: [a.src_1 -> b.in, ' b->a ']",
        " a / b a.src_1->b.in b.->a."},
    {"merge keys",
        "x-a: &a {p: 1, q: 2}\nx-b: &b {q: 3, r: 4}\n"
        "pipeline: [a: {<<: [*a, *b], p: 0}]",
        " a p:0 q:2 r:4"},
    {"merge of a merge",
        "x-a: &a {p: 1}\nx-b: &b {<<: *a, q: 2}\n"
        "pipeline: [a: {<<: *b}]",
        " a q:2 p:1"},
    {"an alias as a step", "x-a: &a {s: {p: 1}}\npipeline: [*a, *a]",
        " s p:1  s=s2 p:1"},
    {"an anchor anew", "x-a: &a x\nx-b: &a y\npipeline: [s: {p: *a}]",
        " s p:y"},
    {"plain texts stay texts", "pipeline: [s: {p: no, q: 010, r: 1e3, t: ~x}]",
        " s p:no q:010 r:1e3 t:~x"},
    {"block texts",
        "pipeline:\n- s:\n    p: >-\n      a\n      b\n    q: |-\n"
        "      c\n",
        " s p:a b q:c"},
    {"CR LF", "pipeline:\r\n  - s: {p: 1}\r\n  - t\r\n", " s p:1  t"},
    {"CR", "pipeline: [s]\rdescription: x\r", " s"},
    {"a comment in another script", "# größer\npipeline: [s: {p: größe}]",
        " s p:größe"},
    {"end mark", "pipeline: [s]\n...\n", " s"},
    {"ignored keys", "x-any: [1, {a: b}]\npipeline: [s]\n", " s"},
    {"stages in their order",
        "stages:\n  a: {pipeline: [s], needs: [c, b]}\n"
        "  b: {pipeline: [t]}\n  c: {pipeline: [u], "
        "needs: b, x-note: y}\n  d: {pipeline: [v]}\n",
        "b t; c u; a s; d v"},
    {"names are a stage's own",
        "stages: {a: {pipeline: [s]}, b: {pipeline: "
        "[s]}}",
        "a s; b s"},
};

START_TEST (good_file_is_understood)
{
  g_autofree gchar *text = g_strconcat (V, good[_i].text, NULL);

  check_text (good[_i].name, text, NULL, good[_i].expected);
}
END_TEST

START_TEST (byte_order_mark_is_left_out)
{
  check_text ("mark", "\xef\xbb\xbf" V "pipeline: [s]\n", NULL, " s");
}
END_TEST

START_TEST (version_can_come_last)
{
  check_text ("version", "pipeline: [s]\n" V, NULL, " s");
}
END_TEST

/* ---- Variables ---- */

static const struct
{
  const gchar *name;
  const gchar *vars;
  const gchar *value;
  const gchar *expected;
} expansions[] = {
    {"none", "{}", "a$b$", "a$b$"},
    {"one", "{a: x}", "<${a}>", "<x>"},
    {"names with - and _", "{a-b_2: x}", "${a-b_2}", "x"},
    {"any order", "{a: '1${b}', b: '2${c}', c: 3}", "${a}${b}", "12323"},
    {"default", "{}", "${none:-d}", "d"},
    {"default is empty", "{}", "<${none:-}>", "<>"},
    {"default of an empty one", "{a: ''}", "${a:-d}", "d"},
    {"empty one", "{a: ''}", "<${a}>", "<>"},
    {"default is not needed", "{a: x}", "${a:-d}", "x"},
    {"default with a variable", "{a: x}", "${none:-<${a}>}", "<x>"},
    {"defaults in each other", "{}", "${n1:-1${n2:-2${n3:-3}2}1}", "12321"},
    {"literal", "{a: x}", "$${a} $$${a}", "${a} $${a}"},
    {"literal in a default", "{}", "${n:-$${x}}", "${x}"},
    {"environment", "{}", "${TL_TEST_VAR}", "from outside"},
    {"vars win over the environment", "{TL_TEST_VAR: v}", "${TL_TEST_VAR}",
        "v"},
    {"no value asks the environment", "{TL_TEST_VAR: }", "${TL_TEST_VAR}",
        "from outside"},
    {"folder", "{}", "${DIR}/x", "folder/x"},
    {"text of YAML stays", "{a: yes, b: 010, c: ~x}", "${a}${b}${c}",
        "yes010~x"},
};

START_TEST (variable_is_put_in)
{
  g_autofree gchar *text =
      g_strdup_printf (V "vars: %s\npipeline: [s: {p: \"%s\"}]\n",
          expansions[_i].vars, expansions[_i].value);
  g_autofree gchar *expected =
      g_strdup_printf (" s p:%s", expansions[_i].expected);

  g_setenv ("TL_TEST_VAR", "from outside", TRUE);
  check_text (expansions[_i].name, text, NULL, expected);
}
END_TEST

START_TEST (variable_goes_into_every_text)
{
  check_text ("everywhere",
      V "vars: {e: s, n: name, c: v/x, l: l, st: b}\n"
        "description: ${e}\n"
        "stages:\n"
        "  a:\n"
        "    description: \"${e}\"\n"
        "    needs: ${st}\n"
        "    pipeline:\n"
        "      - [\"${e}\", {\"${e}\": {name: \"${n}\", p: [\"${n}\", q]}}, "
        "\"${c}\", {launch: \"${l}\"}]\n"
        "    links: [\"${n} -> ${e}\"]\n"
        "  b: {pipeline: [t]}\n",
      NULL, "b t; a s  s=name p:name|q ~v/x=capsfilter !l=launch name.->s.");
}
END_TEST

/* ---- --set ---- */

START_TEST (set_wins)
{
  const gchar *const sets[] = {"a=1", "a=2", "TL_TEST_VAR=3", "s.p=${a}",
      "s2.q=x=y", "s.new=", NULL};

  check_text ("set",
      V "vars: {a: 0, b: \"b${a}\", TL_TEST_VAR: }\n"
        "pipeline: [s: {p: 1, r: \"${b}\"}, s: {q: [1, 2], t: "
        "\"${TL_TEST_VAR}\"}]\n",
      sets, " s r:b2 p:${a} new:  s=s2 t:3 q:x=y");
}
END_TEST

START_TEST (set_reaches_all_stages)
{
  const gchar *const sets[] = {"s.p=1", NULL};

  check_text ("stages",
      V "stages: {a: {pipeline: [s]}, b: {pipeline: [t, s]}, c: {pipeline: "
        "[u]}}\n",
      sets, "a s p:1; b t  s p:1; c u");
}
END_TEST

static const struct
{
  const gchar *set;
  const gchar *message;
} bad_sets[] = {
    {"epochs",
        "--set: error: expected NAME=VALUE or ELEMENT.PROPERTY=VALUE\n"
        "      | epochs\n      | ^\n"},
    {"=1", "--set: error: expected NAME=VALUE or ELEMENT.PROPERTY=VALUE\n"},
    {"a.b.c=1",
        "--set: error: expected NAME=VALUE or ELEMENT.PROPERTY=VALUE\n"},
    {"epocs=1",
        "--set: error: the file has no variable \"epocs\" - did you "
        "mean \"epochs\"?\n"},
    {"sinc.p=1",
        "--set: error: the file has no element \"sinc\" - did you "
        "mean \"sink\"?\n"},
    {"sink.name=1",
        "--set: error: \"name\" can be given in the file only\n"
        "      | sink.name=1\n      |      ^\n"},
    {"capsfilter.caps=1",
        "--set: error: \"capsfilter\" is a text, not an element with "
        "properties\n"},
    {"\xff=1", "--set: error: this is not UTF-8\n      | ?=1\n      | ^\n"},
    {"DIR=x",
        "--set: error: \"DIR\" is the folder of the file and cannot be "
        "another\n"},
};

START_TEST (bad_set_is_refused)
{
  const gchar *const sets[] = {bad_sets[_i].set, NULL};
  static const gchar text[] =
      V "vars: {epochs: 1}\npipeline: [src, v/x, sink]\n";
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec =
      tl_spec_load_text ("f.yaml", text, strlen (text), sets, diagnostics);
  g_autofree gchar *mistakes = tl_diagnostics_to_string (diagnostics);

  ck_assert_msg (g_str_has_prefix (mistakes, bad_sets[_i].message), "%s",
      mistakes);
}
END_TEST

/* ---- Includes ---- */

static void
add_text (const gchar *root, const gchar *path, const gchar *text)
{
  tree_add_bytes (root, path, text, strlen (text));
}

/* What tl_spec_load() makes of @path in @root: a description, or what is wrong,
 * with @root left out of it. *Transferred*. */
static gchar *
load_file (const gchar *root, const gchar *path)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autofree gchar *full = g_build_filename (root, path, NULL);
  g_autoptr (TlSpec) spec = tl_spec_load (full, NULL, diagnostics);
  g_autofree gchar *mistakes = tl_diagnostics_to_string (diagnostics);
  g_autofree gchar *text = *mistakes || !spec ? NULL : describe (spec);
  g_auto (GStrv) parts = g_strsplit (text ? text : mistakes, root, -1);

  return g_strjoinv ("", parts);
}

static const struct
{
  const gchar *name;
  const gchar *first;    /* f.yaml */
  const gchar *second;   /* sub/g.yaml */
  const gchar *third;    /* sub/h.yaml */
  const gchar *expected; /* how it begins */
} includes[] = {
    {"pipeline and vars", "vars: {b: 2}\ninclude: sub/g.yaml\n",
        "vars: {a: 1, b: 1}\npipeline: [s: {p: \"${a}${b}\"}]\n", "",
        " s p:12"},
    {"own pipeline", "include: sub/g.yaml\npipeline: [t: {p: \"${a}\"}]\n",
        "vars: {a: 1}\npipeline: [s]\nlinks: [s -> s]\n", "", " t p:1"},
    {"stages of both",
        "include: sub/g.yaml\nstages: {a: {pipeline: [t]}, c: "
        "{pipeline: [u]}}\n",
        "stages: {a: {pipeline: [s]}, b: {pipeline: [s], needs: a}}\n", "",
        "a t; b s; c u"},
    {"own stages", "include: sub/g.yaml\nstages: {a: {pipeline: [t]}}\n",
        "pipeline: [s]\n", "", "a t"},
    {"pipeline wins over stages", "include: sub/g.yaml\npipeline: [t]\n",
        "stages: {a: {pipeline: [s]}}\n", "", " t"},
    {"links come with their pipeline", "include: sub/g.yaml\n",
        "pipeline: [[s], [t]]\nlinks: [s -> t]\n", "", " s / t s.->t."},
    {"list, the last wins",
        "include: [sub/g.yaml, sub/h.yaml]\npipeline: [s: "
        "{p: \"${a}\"}]\n",
        "vars: {a: 1}\n", "vars: {a: 2}\n", " s p:2"},
    {"beside the including file", "include: sub/g.yaml\n", "include: h.yaml\n",
        "pipeline: [s]\n", " s"},
    {"each its own folder", "vars: {a: \"${DIR}\"}\ninclude: sub/g.yaml\n",
        "vars: {b: \"${DIR}\"}\npipeline: [s: {p: \"${a}|${b}|${DIR}\"}]\n", "",
        " s p:|/sub|/sub"},
    {"mistake in the included file", "include: sub/g.yaml\n", "pipelin: [s]\n",
        "", "/sub/g.yaml:2:1: error: a pipeline file has no key \"pipelin\""},
    {"mistakes in both", "include: sub/g.yaml\nx: 1\npipeline: [s]\n", "y: [\n",
        "", "/f.yaml:3:1: error: a pipeline file has no key \"x\""},
    {"no version", "include: /dev/null\npipeline: [s]\n", "", "",
        "/f.yaml:2:10: error: /dev/null: this is no file"},
    {"not there", "include: none.yaml\npipeline: [s]\n", "", "",
        "/f.yaml:2:10: error: /none.yaml: No such file or directory"},
    {"itself", "include: f.yaml\npipeline: [s]\n", "", "",
        "/f.yaml:2:10: error: /f.yaml: this file includes itself"},
    {"a circle", "include: sub/g.yaml\npipeline: [s]\n",
        "include: ../sub/../f.yaml\n", "",
        "/sub/g.yaml:2:10: error: /sub/../sub/../f.yaml: this file includes "
        "itself"},
    {"again and again",
        "include: [sub/g.yaml, sub/g.yaml, sub/g.yaml, "
        "sub/g.yaml, sub/g.yaml, sub/g.yaml, sub/g.yaml, "
        "sub/g.yaml, sub/g.yaml, sub/g.yaml]\npipeline: [s]\n",
        "include: h.yaml\n", "",
        "/sub/g.yaml:2:10: error: /sub/h.yaml: too many files are included"},
};

START_TEST (include_is_read)
{
  gchar *root = tree_new ();
  g_autofree gchar *first = g_strconcat (V, includes[_i].first, NULL);
  g_autofree gchar *second = g_strconcat (V, includes[_i].second, NULL);
  g_autofree gchar *third = g_strconcat (V, includes[_i].third, NULL);
  g_autofree gchar *got = NULL;

  add_text (root, "f.yaml", first);
  add_text (root, "sub/g.yaml", second);
  add_text (root, "sub/h.yaml", third);
  got = load_file (root, "f.yaml");
  ck_assert_msg (g_str_has_prefix (got, includes[_i].expected),
      "%s:\n  expected %s\n  got      %s", includes[_i].name,
      includes[_i].expected, got);
  tree_free (root);
}
END_TEST

static Suite *
spec_suite (void)
{
  Suite *s = suite_create ("spec");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_loop_test (tc, good_file_is_understood, 0, G_N_ELEMENTS (good));
  tcase_add_test (tc, byte_order_mark_is_left_out);
  tcase_add_test (tc, version_can_come_last);
  tcase_add_loop_test (tc, variable_is_put_in, 0, G_N_ELEMENTS (expansions));
  tcase_add_test (tc, variable_goes_into_every_text);
  tcase_add_test (tc, set_wins);
  tcase_add_test (tc, set_reaches_all_stages);
  tcase_add_loop_test (tc, bad_set_is_refused, 0, G_N_ELEMENTS (bad_sets));
  tcase_add_loop_test (tc, include_is_read, 0, G_N_ELEMENTS (includes));
  return s;
}

int
main (void)
{
  return run_suite (spec_suite ());
}
