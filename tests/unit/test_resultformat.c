/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultformat.h"
#include "tltest.h"

#include <math.h>
#include <string.h>

/* A valid result with one class. */
static TlResultEntry
make_entry (const char *name, double probability)
{
  TlResultEntry entry = {.time = 3723004005006, .until = TL_RESULT_NO_TIME};

  entry.frame = 9;
  entry.serial = 4;
  entry.age = TL_RESULT_NO_TIME;
  entry.inference = 7;
  entry.n = 1;
  entry.top[0] = (TlResultEntryClass){2, name, probability};
  return entry;
}

#define JSON_START                                                             \
  "{\"time\":\"1:02:03.004\",\"ns\":3723004005006,\"frame\":9,\"serial\":4,"   \
  "\"state\":\"valid\",\"reason\":null,\"model\":null,\"age_ns\":null,"        \
  "\"inference_ns\":7,\"skipped\":0,\"top\":[{\"index\":2,\"class\":"
#define CSV_START "1:02:03.004,3723004005006,9,4,valid,,,,7,0,"

static const struct
{
  const char *label, *name;
  double probability;
  const char *json, *csv; /* behind JSON_START and CSV_START */
} lines[] = {
    {"plain", "bees", 0.5, "\"bees\",\"probability\":0.5}]}\n", "bees,0.5\n"},
    {"no-name", NULL, 0, "null,\"probability\":0}]}\n", ",0\n"},
    {"comma", "a,b", 1, "\"a,b\",\"probability\":1}]}\n", "\"a,b\",1\n"},
    {"quotes", "a \"b\"", 1, "\"a \\\"b\\\"\",\"probability\":1}]}\n",
        "\"a \"\"b\"\"\",1\n"},
    {"line-break", "a\r\nb", 1, "\"a\\u000d\\u000ab\",\"probability\":1}]}\n",
        "\"a\r\nb\",1\n"},
    {"backslash", "a\\n", 1, "\"a\\\\n\",\"probability\":1}]}\n", "a\\n,1\n"},
    {"control", "\x01\x7f", 1, "\"\\u0001\\u007f\",\"probability\":1}]}\n",
        "\x01\x7f,1\n"},
    {"no-utf8", "\xff", 1, "\"\xef\xbf\xbd\",\"probability\":1}]}\n",
        "\xef\xbf\xbd,1\n"},
    {"spaces", " a ", 1, "\" a \",\"probability\":1}]}\n", "\" a \",1\n"},
    {"nan", "a", NAN, "\"a\",\"probability\":null}]}\n", "a,nan\n"},
};

START_TEST (values_are_quoted_as_the_format_asks)
{
  TlResultEntry entry = make_entry (lines[_i].name, lines[_i].probability);
  GString *text = g_string_new (NULL);
  char *expected = g_strconcat (JSON_START, lines[_i].json, NULL);

  tl_result_format_line (text, TL_RESULT_JSONL, 1, &entry);
  ck_assert_str_eq (text->str, expected);
  g_free (expected);
  expected = g_strconcat (CSV_START, lines[_i].csv, NULL);
  g_string_truncate (text, 0);
  tl_result_format_line (text, TL_RESULT_CSV, 1, &entry);
  ck_assert_str_eq (text->str, expected);
  g_free (expected);
  g_string_free (text, TRUE);
}
END_TEST

static unsigned
count (const char *text, char c)
{
  unsigned n = 0;

  for (; *text; text++)
    n += *text == c;
  return n;
}

START_TEST (csv_lines_have_the_columns_of_the_header)
{
  TlResultEntry entry = make_entry ("a", 0.5);
  GString *header = g_string_new (NULL), *text = g_string_new (NULL);

  tl_result_format_header (header, TL_RESULT_CSV, (unsigned) _i);
  tl_result_format_line (text, TL_RESULT_CSV, (unsigned) _i, &entry);
  ck_assert_uint_eq (count (header->str, ','), count (text->str, ','));
  g_string_truncate (text, 0);
  tl_result_format_lost (text, TL_RESULT_CSV, (unsigned) _i, 3);
  ck_assert_uint_eq (count (header->str, ','), count (text->str, ','));
  ck_assert_ptr_nonnull (strstr (text->str, "3 entries are missing here"));
  g_string_free (header, TRUE);
  g_string_free (text, TRUE);
}
END_TEST

static const struct
{
  const char *label;
  TlResultEntryState state;
  const char *name;
  double probability;
  const char *plain, *percent;
} labels[] = {
    {"valid", TL_RESULT_ENTRY_VALID, "bees", 0.934, "bees", "bees 93 %"},
    {"certain", TL_RESULT_ENTRY_VALID, "bees", 1, "bees", "bees >99 %"},
    {"none", TL_RESULT_ENTRY_VALID, "bees", 0.001, "bees", "bees <1 %"},
    {"nan", TL_RESULT_ENTRY_VALID, "bees", NAN, "bees", "bees <1 %"},
    {"lines", TL_RESULT_ENTRY_VALID, "a\n\nb", 0.5, "a  b", "a  b 50 %"},
    {"empty", TL_RESULT_ENTRY_VALID, "", 0.5, "?", "? 50 %"},
    {"uncertain", TL_RESULT_ENTRY_ABSTAINED, "a", 0.5, "Uncertain",
        "Uncertain"},
    {"absent", TL_RESULT_ENTRY_ABSENT, "a", 0.5, "", ""},
};

START_TEST (labels_are_one_line)
{
  TlResultEntry entry = make_entry (labels[_i].name, labels[_i].probability);
  GString *text = g_string_new (NULL);

  entry.state = labels[_i].state;
  tl_result_format_label (text, &entry, FALSE);
  ck_assert_str_eq (text->str, labels[_i].plain);
  g_string_truncate (text, 0);
  tl_result_format_label (text, &entry, TRUE);
  ck_assert_str_eq (text->str, labels[_i].percent);
  g_string_free (text, TRUE);
}
END_TEST

START_TEST (cues_are_escaped)
{
  GString *text = g_string_new (NULL);

  tl_result_format_cue (text, 999999, 360000 * 1000000000ull, "<a> --> & b");
  ck_assert_str_eq (text->str,
      "00:00:00.000 --> 100:00:00.000\n&lt;a&gt; --&gt; &amp; b\n\n");
  g_string_free (text, TRUE);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("resultformat");
  TCase *tcase = tcase_create ("general");

  tcase_add_loop_test (tcase, values_are_quoted_as_the_format_asks, 0,
      (int) G_N_ELEMENTS (lines));
  tcase_add_loop_test (tcase, csv_lines_have_the_columns_of_the_header, 1, 17);
  tcase_add_loop_test (tcase, labels_are_one_line, 0,
      (int) G_N_ELEMENTS (labels));
  tcase_add_test (tcase, cues_are_escaped);
  suite_add_tcase (suite, tcase);
  return run_suite (suite);
}
