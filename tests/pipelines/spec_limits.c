/* SPDX-License-Identifier: BSD-3-Clause */

/* Pipeline files that are too much: each limit has its sentence, and comes
 * soon. */

#include "tlspec.h"
#include "tltest.h"

#include <string.h>

#define V "tlpipe: 1\n"

static gchar *
repeat (const gchar *text, guint n)
{
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append (all, text);
  return g_string_free (g_steal_pointer (&all), FALSE);
}

/* Loads @text, checks that its first mistake is @message, frees it. */
static void
check_mistake (gchar *text, const gchar *message)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec =
      tl_spec_load_text ("f.yaml", text, strlen (text), NULL, diagnostics);
  g_autofree gchar *mistakes = tl_diagnostics_to_string (diagnostics);

  ck_assert_msg (strstr (mistakes, message) != NULL,
      "expected %s\ngot      %.2000s", message, mistakes);
  g_free (text);
}

START_TEST (ten_megabytes_are_too_many)
{
  g_autofree gchar *line = repeat ("# a comment of some length\n", 400000);

  check_mistake (g_strconcat (V, line, NULL),
      "f.yaml: error: 10800010 bytes are too many: a pipeline file has at "
      "most 1048576\n");
}
END_TEST

START_TEST (deep_nesting_is_refused)
{
  g_autofree gchar *open = repeat ("[", 60), *close = repeat ("]", 60);
  g_autofree gchar *endless = repeat ("[", 1000000);
  g_autofree gchar *maps = repeat ("{a: ", 200000);
  g_autofree gchar *dashes = repeat ("- ", 400000);

  check_mistake (g_strconcat (V "x-a: ", open, close, NULL),
      "f.yaml:2:55: error: lists and mappings are nested deeper than 50\n");
  check_mistake (g_strconcat (V "x-a: ", endless, NULL), "deeper than 50\n");
  check_mistake (g_strconcat (V "x-a: ", maps, NULL), "deeper than 50\n");
  check_mistake (g_strconcat (V "x-a:\n  ", dashes, NULL), "deeper than 50\n");
}
END_TEST

START_TEST (depth_through_aliases_counts)
{
  g_autoptr (GString) text = g_string_new (V "x-a0: &a0 [x]\n");

  for (guint i = 1; i < 60; i++)
    g_string_append_printf (text, "x-a%u: &a%u [*a%u]\n", i, i, i - 1);
  check_mistake (g_strdup (text->str),
      "error: lists and mappings are nested deeper than 50\n");
}
END_TEST

START_TEST (many_nodes_are_refused)
{
  g_autofree gchar *many = repeat ("a, ", 20000);

  check_mistake (g_strdup_printf (V "x-a: [%s]\n", many),
      "error: the text has more than 10000 nodes\n");
}
END_TEST

START_TEST (merges_that_multiply_are_refused)
{
  g_autoptr (GString) text = g_string_new (V "x-a: &a {");

  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text, "k%u: v, ", i);
  g_string_append (text, "}\nx-b:\n");
  for (guint i = 0; i < 1000; i++)
    g_string_append (text, "  - {<<: *a}\n");
  check_mistake (g_strdup (text->str),
      "error: the text has more than 10000 nodes\n");
}
END_TEST

START_TEST (branches_that_double_are_refused)
{
  g_autoptr (GString) text = g_string_new (V "x-a0: &a0 [s]\n");

  for (guint i = 1; i < 12; i++)
    g_string_append_printf (text,
        "x-a%u: &a%u [t: {branches: {x: *a%u, y: *a%u}}]\n", i, i, i - 1,
        i - 1);
  g_string_append (text, "pipeline: *a11\n");
  check_mistake (g_strdup (text->str),
      "error: a file has at most 1000 steps\n");
}
END_TEST

START_TEST (values_that_multiply_are_refused)
{
  g_autoptr (GString) text = g_string_new (V "x-a: &a [");

  for (guint i = 0; i < 1000; i++)
    g_string_append (text, "v, ");
  g_string_append (text, "]\npipeline:\n");
  for (guint i = 0; i < 100; i++)
    g_string_append (text, "  - s: {p: *a}\n");
  check_mistake (g_strdup (text->str),
      "error: a file has at most 5000 values\n");
}
END_TEST

START_TEST (long_chain_of_variables_is_refused)
{
  g_autoptr (GString) text = g_string_new (V "vars:\n");

  for (guint i = 0; i < 200; i++)
    g_string_append_printf (text, "  v%u: ${v%u}\n", i, i + 1);
  g_string_append (text, "  v200: x\npipeline: [s]\n");
  check_mistake (g_strdup (text->str),
      "error: \"v50\" is behind too many other variables\n");
}
END_TEST

START_TEST (nested_defaults_are_refused)
{
  g_autofree gchar *open = repeat ("${a:-", 10000);
  g_autofree gchar *close = repeat ("}", 10000);

  check_mistake (g_strdup_printf (V "vars: {v: \"%s%s\"}\npipeline: [s]\n",
                     open, close),
      "f.yaml:2:11: error: ${ are nested deeper than 50\n");
}
END_TEST

START_TEST (many_unknown_variables_end_soon)
{
  g_autofree gchar *many = repeat ("${nobody}", 100000);
  g_autoptr (GString) text = g_string_new (V "vars:\n");

  for (guint i = 0; i < 500; i++)
    g_string_append_printf (text, "  variable%u: x\n", i);
  g_string_append_printf (text, "pipeline: [s: {p: \"%s\"}]\n", many);
  check_mistake (g_strdup (text->str), "no variable \"nobody\"");
}
END_TEST

static Suite *
spec_limits_suite (void)
{
  Suite *s = suite_create ("spec_limits");
  TCase *tc = tcase_create ("general");

  suite_add_tcase (s, tc);
  tcase_set_timeout (tc, 60);
  tcase_add_test (tc, ten_megabytes_are_too_many);
  tcase_add_test (tc, deep_nesting_is_refused);
  tcase_add_test (tc, depth_through_aliases_counts);
  tcase_add_test (tc, many_nodes_are_refused);
  tcase_add_test (tc, merges_that_multiply_are_refused);
  tcase_add_test (tc, branches_that_double_are_refused);
  tcase_add_test (tc, values_that_multiply_are_refused);
  tcase_add_test (tc, long_chain_of_variables_is_refused);
  tcase_add_test (tc, nested_defaults_are_refused);
  tcase_add_test (tc, many_unknown_variables_end_soon);
  return s;
}

int
main (void)
{
  return run_suite (spec_limits_suite ());
}
