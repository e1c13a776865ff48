/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlclasslist.h"

#include "tltest.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *json;
  const char *classes; /* joined with '|'; NULL: refused */
} Case;

static const Case cases[] = {
    {"two", "[\"ants\",\"bees\"]", "ants|bees"},
    {"blanks", " [ \"a\" ,\n\"b\" ] ", "a|b"},
    {"escapes", "[\"a\\\"b\\\\c\\u000a\\/\"]", "a\"b\\c\n/"},
    {"umlaut", "[\"gr\\u00fcn\"]", "gr\303\274n"},
    {"surrogate pair", "[\"\\ud83d\\udc1d\"]", "\360\237\220\235"},
    {"empty name", "[\"\"]", ""},
    {"empty list", "[]", NULL},
    {"empty text", "", NULL},
    {"number", "[1]", NULL},
    {"nested", "[[\"a\"]]", NULL},
    {"unclosed string", "[\"a", NULL},
    {"unclosed escape", "[\"a\\", NULL},
    {"unclosed list", "[\"a\"", NULL},
    {"trailing comma", "[\"a\",]", NULL},
    {"something behind", "[\"a\"]x", NULL},
    {"control character", "[\"a\nb\"]", NULL},
    {"lone surrogate", "[\"\\udc1d\"]", NULL},
    {"half a pair", "[\"\\ud83d\"]", NULL},
    {"NUL", "[\"\\u0000\"]", NULL},
    {"not UTF-8", "[\"\377\"]", NULL},
};

START_TEST (reads_what_is_a_list_of_names)
{
  const Case *row = &cases[_i];
  g_auto (GStrv) classes = tl_class_list_from_json (row->json, NULL);
  g_autofree gchar *joined = classes ? g_strjoinv ("|", classes) : NULL;

  ck_assert_msg (g_strcmp0 (joined, row->classes) == 0, "%s: \"%s\"", row->name,
      joined ? joined : "refused");
}
END_TEST

START_TEST (writes_what_it_reads)
{
  const gchar *const classes[] = {"a \"b\"", "c\\d\n", "gr\303\274n", NULL};
  g_autofree gchar *json = tl_class_list_to_json (classes);
  g_auto (GStrv) back = NULL;
  guint n;

  ck_assert_str_eq (json,
      "[\"a \\\"b\\\"\",\"c\\\\d\\u000a\",\"gr\303\274n\"]");
  back = tl_class_list_from_json (json, &n);
  ck_assert_uint_eq (n, 3);
  ck_assert (g_strv_equal ((const gchar *const *) back, classes));
}
END_TEST

START_TEST (shows_the_first_names)
{
  const gchar *const classes[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
      "j", NULL};
  g_autofree gchar *text = tl_class_list_to_text (classes);

  ck_assert_str_eq (text, "a, b, c, d, e, f, g, h and 2 more");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("classlist");
  TCase *tcase = tcase_create ("json");

  tcase_add_loop_test (tcase, reads_what_is_a_list_of_names, 0,
      G_N_ELEMENTS (cases));
  tcase_add_test (tcase, writes_what_it_reads);
  tcase_add_test (tcase, shows_the_first_names);
  suite_add_tcase (suite, tcase);
  return run_suite (suite);
}
