/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldataset.h"
#include "tltest.h"
#include "tltree.h"

#include <string.h>

static gchar *root;

static void
set_up (void)
{
  root = tree_new ();
}

static void
tear_down (void)
{
  tree_free (root);
}

static TlDataset *
load_with (const gchar *splits, const gchar *group, gdouble fraction,
    GError **error)
{
  TlDatasetOptions options = {root, splits, group, fraction};

  return tl_dataset_load (&options, error);
}

static TlDataset *
load (void)
{
  GError *failure = NULL;
  TlDataset *dataset = load_with ("", "auto", 0.2, &failure);

  ck_assert_msg (dataset != NULL, "%s", failure ? failure->message : "?");
  return dataset;
}

static void
assert_refused (const gchar *splits, const gchar *group, gdouble fraction,
    const gchar *text)
{
  GError *failure = NULL;

  ck_assert_ptr_null (load_with (splits, group, fraction, &failure));
  ck_assert_ptr_nonnull (failure);
  ck_assert_msg (strstr (failure->message, text) != NULL,
      "expected \"%s\" in: %s", text, failure->message);
  ck_assert (g_str_has_suffix (failure->message, "."));
  g_error_free (failure);
}

static gboolean
has_line (GPtrArray *lines, const gchar *text)
{
  for (guint i = 0; i < lines->len; i++) {
    if (strstr (lines->pdata[i], text))
      return TRUE;
  }
  return FALSE;
}

static void
assert_paths (const TlDataset *dataset, const gchar *const *paths, guint n)
{
  ck_assert_uint_eq (dataset->samples->len, n);
  for (guint i = 0; i < n; i++)
    ck_assert_str_eq (tl_dataset_get (dataset, i)->path, paths[i]);
}

/* ---- ImageFolder's rules ---- */

START_TEST (files_come_in_torchvisions_order)
{
  static const gchar *const paths[] = {"train/a/B.JPG", "train/a/a.jpg",
      "train/a/sub-1/x.jpg", "train/a/sub/x.jpg", "train/a/sub/y/x.jpg",
      "train/b/x.jpg", "val/a/x.png", "val/b/x.png"};
  g_autoptr (TlDataset) dataset = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    tree_add (root, paths[i]);
  dataset = load ();
  /* "sub" before "sub-1": the folder's whole path is what is compared. */
  ck_assert_str_eq (tl_dataset_get (dataset, 2)->path, "train/a/sub/x.jpg");
  ck_assert_str_eq (tl_dataset_get (dataset, 3)->path, "train/a/sub-1/x.jpg");
  ck_assert_str_eq (tl_dataset_get (dataset, 4)->path, "train/a/sub/y/x.jpg");
  ck_assert_uint_eq (dataset->n[TL_SPLIT_TRAIN], 6);
  ck_assert_uint_eq (dataset->first[TL_SPLIT_VALID], 6);
  ck_assert_str_eq (dataset->classes[1], "b");
  ck_assert_uint_eq (tl_dataset_get (dataset, 5)->label, 1);
}
END_TEST

START_TEST (other_files_are_left_out_and_counted)
{
  static const gchar *const paths[] = {"train/a/1.webp", "train/b/1.TIFF"};
  g_autoptr (TlDataset) dataset = NULL;

  tree_add (root, paths[0]);
  tree_add (root, paths[1]);
  tree_add (root, "train/a/1.gif");
  tree_add (root, "train/a/2.GIF");
  tree_add (root, "train/a/notes.txt");
  tree_add (root, "train/a/.DS_Store");
  tree_add (root, "train/a/.ipynb_checkpoints/1.jpg");
  tree_add (root, "train/.cache/1.jpg");
  dataset = load_with ("train", "auto", 0, NULL);
  assert_paths (dataset, paths, 2);
  ck_assert (has_line (dataset->notes,
      "left out 3 files (2 .gif, 1 .txt), 2 hidden folders"));
}
END_TEST

START_TEST (links_are_followed_but_not_in_circles)
{
  g_autoptr (TlDataset) dataset = NULL;

  tree_add (root, "store/1.jpg");
  tree_add (root, "train/a/deep/2.jpg");
  tree_add (root, "train/b/3.jpg");
  tree_link (root, "../../store", "train/a/linked");
  tree_link (root, "..", "train/a/deep/up");
  tree_link (root, "../..", "train/a/all");
  tree_link (root, "..", "train/b/train");
  tree_link (root, "nowhere", "train/b/gone.jpg");
  dataset = load_with ("train", "auto", 0, NULL);
  ck_assert_ptr_nonnull (dataset);
  /* The link that leads nowhere is kept: reading it reports it. */
  ck_assert_uint_eq (dataset->samples->len, 4);
  ck_assert (has_line (dataset->notes, "3 links to a folder above"));
}
END_TEST

/* ---- layouts ---- */

START_TEST (valid_goes_by_three_names)
{
  static const gchar *const folders[] = {"val", "valid", "validation"};
  g_autofree gchar *a = g_strconcat (folders[_i], "/a/one.jpg", NULL);
  g_autoptr (TlDataset) dataset = NULL;

  tree_add (root, "train/a/two.jpg");
  tree_add (root, "train/b/three.jpg");
  tree_add (root, a);
  dataset = load ();
  ck_assert_uint_eq (dataset->n[TL_SPLIT_TRAIN], 2);
  ck_assert_uint_eq (dataset->n[TL_SPLIT_VALID], 1);
  ck_assert (has_line (dataset->notes, "valid has no folder for \"b\""));
}
END_TEST

START_TEST (class_folders_alone_are_split)
{
  g_autoptr (TlDataset) dataset = NULL;

  tree_add_many (root, "ants", "photo", 1);
  tree_add (root, "ants/red.jpg");
  tree_add (root, "ants/black.jpg");
  tree_add (root, "bees/x.jpg");
  tree_add (root, "bees/y.jpg");
  dataset = load ();
  ck_assert_uint_eq (dataset->n[TL_SPLIT_TRAIN], 3);
  ck_assert_uint_eq (dataset->n[TL_SPLIT_VALID], 2);
}
END_TEST

START_TEST (test_alone_takes_all_class_folders)
{
  g_autoptr (TlDataset) dataset = NULL;

  tree_add (root, "ants/a.jpg");
  tree_add (root, "ants/b.jpg");
  dataset = load_with ("test", "auto", 0.2, NULL);
  ck_assert_ptr_nonnull (dataset);
  ck_assert_uint_eq (dataset->n[TL_SPLIT_TEST], 2);
  ck_assert (!dataset->played[TL_SPLIT_TRAIN]);
}
END_TEST

/* Evaluation has the classes of training, though it has fewer folders. */
START_TEST (classes_of_train_rule)
{
  g_autoptr (TlDataset) dataset = NULL;

  tree_add (root, "train/a/1.jpg");
  tree_add (root, "train/b/2.jpg");
  tree_add (root, "test/b/3.jpg");
  dataset = load_with ("test", "auto", 0.2, NULL);
  ck_assert_uint_eq (dataset->n_classes, 2);
  ck_assert_uint_eq (tl_dataset_get (dataset, 0)->label, 1);
}
END_TEST

START_TEST (a_class_called_test_is_a_class)
{
  g_autoptr (TlDataset) dataset = NULL;

  tree_add (root, "test/x.jpg");
  tree_add (root, "control/x.jpg");
  dataset = load_with ("train", "auto", 0, NULL);
  ck_assert_uint_eq (dataset->n_classes, 2);
}
END_TEST

/* ---- errors ---- */

START_TEST (wrong_locations_are_named)
{
  g_autofree gchar *missing = g_build_filename (root, "missing", NULL);
  g_autofree gchar *file = g_build_filename (root, "file", NULL);
  TlDatasetOptions options = {missing, "", "auto", 0.2};
  GError *failure = NULL;

  assert_refused ("", "auto", 0.2, "has no class folders");
  ck_assert_ptr_null (tl_dataset_load (&options, &failure));
  ck_assert (strstr (failure->message, "There is no folder") != NULL);
  g_clear_error (&failure);
  tree_add (root, "file");
  options.location = file;
  ck_assert_ptr_null (tl_dataset_load (&options, &failure));
  ck_assert (strstr (failure->message, "is not a folder") != NULL);
  g_clear_error (&failure);
}
END_TEST

START_TEST (bad_class_folders_are_named)
{
  tree_add (root, "train/a/1.jpg");
  assert_refused ("", "auto", 0.2, "one class only, \"a\"");
  tree_add_folder (root, "train/b");
  assert_refused ("", "auto", 0.2, "no picture for the class \"b\"");
  tree_add (root, "train/b/2.jpg");
  tree_add (root, "val/c/3.jpg");
  assert_refused ("", "auto", 0.2, "\"c\" is in val/");
  tree_add (root, "valid/a/3.jpg");
  assert_refused ("", "auto", 0.2, "has both val");
}
END_TEST

START_TEST (one_level_too_high_is_guessed)
{
  tree_add (root, "hymenoptera_data/train/ants/1.jpg");
  assert_refused ("", "auto", 0.2, "did you mean location=");
}
END_TEST

START_TEST (bad_splits_are_named)
{
  tree_add (root, "test/a/1.jpg");
  assert_refused ("", "auto", 0.2, "set splits=test");
  assert_refused ("tset", "auto", 0.2, "\"tset\" is no split");
  assert_refused ("test,test", "auto", 0.2, "twice");
  assert_refused ("train", "auto", 0.2, "has no train/ folder");
  assert_refused ("valid", "auto", 0.2, "valid-fraction above 0");
}
END_TEST

START_TEST (unreadable_folders_are_errors)
{
  g_autofree gchar *path = g_build_filename (root, "train/a/locked", NULL);

  if (geteuid () == 0)
    return; /* root reads everything */
  tree_add (root, "train/a/1.jpg");
  tree_add (root, "train/b/1.jpg");
  tree_add_folder (root, "train/a/locked");
  ck_assert_int_eq (g_chmod (path, 0), 0);
  assert_refused ("train", "auto", 0, "Cannot read the folder");
  ck_assert_int_eq (g_chmod (path, 0700), 0);
}
END_TEST

START_TEST (class_names_are_text)
{
  tree_add (root, "a\xff/1.jpg");
  tree_add (root, "b/1.jpg");
  assert_refused ("", "auto", 0.2, "not one line of UTF-8");
}
END_TEST

/* ---- groups ---- */

static void
add_videos (const gchar *folder, guint first, guint n, guint n_frames)
{
  for (guint v = first; v < first + n; v++) {
    g_autofree gchar *prefix = g_strdup_printf ("video%u_frame", v);

    tree_add_many (root, folder, prefix, n_frames);
  }
}

static void
assert_no_group_on_both_sides (const TlDataset *dataset)
{
  g_autofree guint *masks = g_new0 (guint, dataset->n_groups);

  for (guint i = 0; i < dataset->samples->len; i++) {
    const TlSample *sample = tl_dataset_get (dataset, i);

    masks[sample->group] |= 1 << sample->split;
  }
  for (guint i = 0; i < dataset->n_groups; i++)
    ck_assert_uint_ne (masks[i], 3);
}

START_TEST (videos_stay_on_one_side)
{
  g_autoptr (TlDataset) dataset = NULL;

  add_videos ("polyp", 0, 10, 6);
  add_videos ("normal", 20, 5, 6);
  dataset = load ();
  ck_assert_uint_eq (dataset->n_groups, 15);
  ck_assert_uint_eq (dataset->n[TL_SPLIT_VALID], 12 + 6);
  assert_no_group_on_both_sides (dataset);
  ck_assert (has_line (dataset->notes,
      "15 groups (train 12, valid 3), for example "
      "video20_frame0001.jpg -> group normal/video20"));
  ck_assert_uint_eq (dataset->warnings->len, 0);
}
END_TEST

START_TEST (a_group_of_two_classes_stays_on_one_side)
{
  g_autoptr (TlDataset) dataset = NULL;

  add_videos ("polyp", 0, 10, 3);
  add_videos ("normal", 0, 10, 9);
  dataset = load_with ("", "(video\\d+)_", 0.2, NULL);
  ck_assert_uint_eq (dataset->n_groups, 10);
  assert_no_group_on_both_sides (dataset);
}
END_TEST

START_TEST (auto_stands_down_with_a_warning)
{
  g_autoptr (TlDataset) dataset = NULL;

  tree_add_many (root, "a", "", 10);
  add_videos ("b", 0, 5, 2);
  dataset = load ();
  ck_assert_uint_eq (dataset->n_groups, 20);
  ck_assert (
      has_line (dataset->warnings, "one group only for the class \"a\""));
}
END_TEST

START_TEST (none_warns)
{
  g_autoptr (TlDataset) dataset = NULL;

  add_videos ("a", 0, 5, 2);
  add_videos ("b", 0, 5, 2);
  dataset = load_with ("", "none", 0.2, NULL);
  ck_assert_uint_eq (dataset->n_groups, 20);
  ck_assert (has_line (dataset->warnings, "group=none"));
}
END_TEST

START_TEST (expressions_are_checked)
{
  g_autoptr (TlDataset) dataset = NULL;

  add_videos ("a", 0, 3, 2);
  add_videos ("b", 0, 3, 2);
  tree_add (root, "b/other.jpg");
  assert_refused ("", "(video", 0.2, "group=\"(video\"");
  assert_refused ("", "", 0.2, "neither auto nor none");
  assert_refused ("", "patient", 0.2, "matches no file");
  dataset = load_with ("", "video\\d+", 0.2, NULL);
  ck_assert (has_line (dataset->notes, "1 files do not match"));
}
END_TEST

START_TEST (a_video_in_two_given_splits_is_refused)
{
  g_autoptr (TlDataset) dataset = NULL;

  add_videos ("train/a", 0, 5, 4);
  add_videos ("train/b", 0, 5, 4);
  add_videos ("val/a", 4, 2, 4);
  add_videos ("val/b", 5, 2, 4);
  assert_refused ("", "auto", 0.2, "1 group is in two splits");
  assert_refused ("", "auto", 0.2, "\"a/video4\"");
  assert_refused ("", "video\\d+", 0.2, "1 group is in two splits");
  dataset = load_with ("", "none", 0.2, NULL);
  ck_assert_ptr_nonnull (dataset);
  ck_assert (has_line (dataset->warnings, "not checked"));
}
END_TEST

/* Photos with numbers from a web site or camera are not frames. */
START_TEST (photo_names_in_given_splits_pass)
{
  g_autoptr (TlDataset) dataset = NULL;

  tree_add_many (root, "train/a", "IMG_", 10);
  tree_add_many (root, "train/b", "IMG_", 10);
  tree_add (root, "train/b/12345_abcd1.jpg");
  tree_add_many (root, "val/a", "IMG_", 3);
  tree_add_many (root, "val/b", "IMG_", 3);
  dataset = load ();
  ck_assert_uint_eq (dataset->n[TL_SPLIT_VALID], 6);
}
END_TEST

/* ---- stability ---- */

START_TEST (split_is_stable_when_files_are_added)
{
  g_autoptr (GHashTable) before =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (TlDataset) first = NULL, second = NULL;
  guint moved = 0;

  add_videos ("a", 0, 50, 2);
  add_videos ("b", 0, 50, 2);
  first = load ();
  for (guint i = 0; i < first->samples->len; i++) {
    const TlSample *sample = tl_dataset_get (first, i);

    g_hash_table_insert (before, g_strdup (sample->path),
        GUINT_TO_POINTER (sample->split));
  }
  add_videos ("a", 50, 5, 2);
  second = load ();
  ck_assert_str_ne (first->digest, second->digest);
  for (guint i = 0; i < second->samples->len; i++) {
    const TlSample *sample = tl_dataset_get (second, i);
    gpointer split;

    if (g_hash_table_lookup_extended (before, sample->path, NULL, &split))
      moved += GPOINTER_TO_UINT (split) != sample->split;
  }
  ck_assert_uint_le (moved, 4);
}
END_TEST

START_TEST (digest_knows_names_labels_and_splits_only)
{
  g_autoptr (TlDataset) first = NULL, same = NULL, less = NULL;

  add_videos ("a", 0, 5, 2);
  add_videos ("b", 0, 5, 2);
  first = load ();
  ck_assert_uint_eq (strlen (first->digest), 64);
  tree_add_bytes (root, "a/video0_frame0000.jpg", "other", 5);
  same = load ();
  ck_assert_str_eq (first->digest, same->digest);
  less = load_with ("", "auto", 0.4, NULL);
  ck_assert_str_ne (first->digest, less->digest);
}
END_TEST

/* ---- max-samples ---- */

START_TEST (subset_keeps_the_classes_in_proportion)
{
  g_autofree guint64 *counts = NULL;
  g_autoptr (TlDataset) dataset = NULL, again = NULL, other = NULL;

  tree_add_many (root, "train/a", "x", 80);
  tree_add_many (root, "train/b", "x", 20);
  tree_add_many (root, "train/c", "x", 1);
  dataset = load_with ("train", "none", 0, NULL);
  again = load_with ("train", "none", 0, NULL);
  other = load_with ("train", "none", 0, NULL);
  tl_dataset_limit (dataset, 20, 7);
  tl_dataset_limit (again, 20, 7);
  tl_dataset_limit (other, 20, 8);
  counts = tl_dataset_count_classes (dataset, TL_SPLIT_TRAIN);
  ck_assert_uint_eq (dataset->samples->len, 20);
  ck_assert_uint_eq (counts[0], 15);
  ck_assert_uint_eq (counts[1], 4);
  ck_assert_uint_eq (counts[2], 1);
  ck_assert_str_eq (dataset->digest, again->digest);
  ck_assert_str_ne (dataset->digest, other->digest);
}
END_TEST

START_TEST (subset_may_be_tiny_or_everything)
{
  g_autoptr (TlDataset) dataset = NULL;

  tree_add_many (root, "train/a", "x", 10);
  tree_add_many (root, "train/b", "x", 10);
  dataset = load_with ("train", "none", 0, NULL);
  tl_dataset_limit (dataset, 0, 7);
  tl_dataset_limit (dataset, 1000, 7);
  ck_assert_uint_eq (dataset->samples->len, 20);
  tl_dataset_limit (dataset, 1, 7);
  ck_assert_uint_eq (dataset->samples->len, 1);
}
END_TEST

START_TEST (imbalance_is_said)
{
  g_autoptr (TlDataset) dataset = NULL;

  tree_add_many (root, "train/a", "x", 10);
  tree_add_many (root, "train/b", "x", 3);
  dataset = load_with ("train", "none", 0, NULL);
  ck_assert (has_line (dataset->notes, "2 classes: a (train 10), b (train 3)"));
  ck_assert (has_line (dataset->notes,
      "imbalance in train: 10 samples of \"a\", 3 of \"b\""));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("dataset");
  TCase *tc = tcase_create ("dataset");

  tcase_add_checked_fixture (tc, set_up, tear_down);
  tcase_add_test (tc, files_come_in_torchvisions_order);
  tcase_add_test (tc, other_files_are_left_out_and_counted);
  tcase_add_test (tc, links_are_followed_but_not_in_circles);
  tcase_add_loop_test (tc, valid_goes_by_three_names, 0, 3);
  tcase_add_test (tc, class_folders_alone_are_split);
  tcase_add_test (tc, test_alone_takes_all_class_folders);
  tcase_add_test (tc, classes_of_train_rule);
  tcase_add_test (tc, a_class_called_test_is_a_class);
  tcase_add_test (tc, wrong_locations_are_named);
  tcase_add_test (tc, bad_class_folders_are_named);
  tcase_add_test (tc, one_level_too_high_is_guessed);
  tcase_add_test (tc, bad_splits_are_named);
  tcase_add_test (tc, unreadable_folders_are_errors);
  tcase_add_test (tc, class_names_are_text);
  tcase_add_test (tc, videos_stay_on_one_side);
  tcase_add_test (tc, a_group_of_two_classes_stays_on_one_side);
  tcase_add_test (tc, auto_stands_down_with_a_warning);
  tcase_add_test (tc, none_warns);
  tcase_add_test (tc, expressions_are_checked);
  tcase_add_test (tc, a_video_in_two_given_splits_is_refused);
  tcase_add_test (tc, photo_names_in_given_splits_pass);
  tcase_add_test (tc, split_is_stable_when_files_are_added);
  tcase_add_test (tc, digest_knows_names_labels_and_splits_only);
  tcase_add_test (tc, subset_keeps_the_classes_in_proportion);
  tcase_add_test (tc, subset_may_be_tiny_or_everything);
  tcase_add_test (tc, imbalance_is_said);
  suite_add_tcase (suite, tc);
  return run_suite (suite);
}
