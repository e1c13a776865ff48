/* SPDX-License-Identifier: BSD-3-Clause */

/* The line at the bottom of a terminal. */

#include <gst/check/gstcheck.h>
#include <string.h>

#include <tlprogress.h>

static const TlProgress whole = {.epoch = 3,
    .epochs = 25,
    .fraction = 0.42,
    .loss = 0.5123,
    .accuracy = 0.8714,
    .images_per_second = 61.4,
    .seconds = 100,
    .seconds_left = 83.2};

static const TlProgress endless = {.epoch = 7,
    .fraction = -1,
    .loss = 1,
    .accuracy = -1,
    .images_per_second = -1,
    .seconds = 3661,
    .seconds_left = -1};

static const TlProgress unknown = {.fraction = -1,
    .loss = -1,
    .accuracy = -1,
    .images_per_second = -1,
    .seconds = 5,
    .seconds_left = -1};

static const TlProgress diverged = {.epoch = 1,
    .epochs = 1,
    .fraction = 2,
    .loss = 1e300,
    .accuracy = 1,
    .images_per_second = 1e300,
    .seconds = 1e300,
    .seconds_left = 1e300};

static const struct
{
  const gchar *name;
  const TlProgress *progress;
  guint columns;
  const gchar *expected;
} rows[] = {
    {"all of it", &whole, 120,
        "epoch 3/25  [===============>                      ]  42 %  loss 0.512  "
        "acc 87.1 %  61 images/s  ETA 1:23"},
    {"a shorter bar", &whole, 79,
        "epoch 3/25  [=====>      ]  42 %  loss 0.512  acc 87.1 %  61 images/s  "
        "ETA 1:23"},
    {"no bar", &whole, 66,
        "epoch 3/25  42 %  loss 0.512  acc 87.1 %  61 images/s  ETA 1:23"},
    {"no speed", &whole, 62,
        "epoch 3/25  [===>    ]  42 %  loss 0.512  acc 87.1 %  ETA 1:23"},
    {"no accuracy", &whole, 39, "epoch 3/25  42 %  loss 0.512  ETA 1:23"},
    {"no loss", &whole, 28, "epoch 3/25  42 %  ETA 1:23"},
    {"no time", &whole, 17, "epoch 3/25  42 %"},
    {"only the share", &whole, 10, "42 %"},
    {"no room", &whole, 3, ""},
    {"no column", &whole, 0, ""},
    {"an end that nobody knows", &endless, 80, "epoch 7  loss 1.000  1:01:01"},
    {"nothing is known", &unknown, 80, "5 s"},
};

GST_START_TEST (parts_go_as_the_room_does)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *text =
        tl_progress_format (rows[i].progress, rows[i].columns);

    fail_unless (g_str_equal (text, rows[i].expected), "%s: \"%s\"",
        rows[i].name, text);
  }
}

GST_END_TEST

static void
check_width (const TlProgress *progress, guint columns)
{
  g_autofree gchar *text = tl_progress_format (progress, columns);

  fail_unless (strlen (text) <= columns, "%u: \"%s\"", columns, text);
  for (const gchar *p = text; *p; p++)
    fail_unless (g_ascii_isprint (*p), "%u: \"%s\"", columns, text);
}

GST_START_TEST (never_wider_than_the_terminal)
{
  static const TlProgress *const all[] = {&whole, &endless, &unknown,
      &diverged};

  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    for (guint columns = 0; columns <= 300; columns++)
      check_width (all[i], columns);
  }
}

GST_END_TEST

GST_START_TEST (times_as_people_write_them)
{
  static const struct
  {
    gdouble seconds;
    const gchar *expected;
  } times[] = {{-3, "0 s"}, {0, "0 s"}, {0.4, "0 s"}, {59.4, "59 s"},
      {59.6, "1:00"}, {61, "1:01"}, {3599, "59:59"}, {3600, "1:00:00"},
      {1e300, "2376:00:00"}};

  for (guint i = 0; i < G_N_ELEMENTS (times); i++) {
    g_autofree gchar *text = tl_progress_format_time (times[i].seconds);

    fail_unless_equals_string (text, times[i].expected);
  }
}

GST_END_TEST

static Suite *
progress_suite (void)
{
  Suite *suite = suite_create ("progress");
  TCase *tcase = tcase_create ("format");

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, parts_go_as_the_room_does);
  tcase_add_test (tcase, never_wider_than_the_terminal);
  tcase_add_test (tcase, times_as_people_write_them);
  return suite;
}

GST_CHECK_MAIN (progress)
