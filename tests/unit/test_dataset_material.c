/* SPDX-License-Identifier: BSD-3-Clause */

/* Real data sets from the folder TLPIPE_MATERIAL; skipped without it. */

#include "tldataset.h"
#include "tltest.h"
#include "tltree.h"

#include <string.h>

static const gchar *material;

/* Unpacks one of the archives into a new folder. */
static gchar *
unpack (const gchar *archive)
{
  g_autofree gchar *file = g_build_filename (material, archive, NULL);
  gchar *root = tree_new ();
  const gchar *argv[] = {"tar", "-C", root, "-xf", file, NULL};
  gint status = -1;

  ck_assert (g_spawn_sync (NULL, (gchar **) argv, NULL, G_SPAWN_SEARCH_PATH,
      NULL, NULL, NULL, NULL, &status, NULL));
  ck_assert_int_eq (status, 0);
  return root;
}

static TlDataset *
load (const gchar *root, const gchar *below, const gchar *splits)
{
  g_autofree gchar *location = g_build_filename (root, below, NULL);
  TlDatasetOptions options = {location, splits, "auto", 0.2};
  GError *failure = NULL;
  TlDataset *dataset = tl_dataset_load (&options, &failure);

  ck_assert_msg (dataset != NULL, "%s", failure ? failure->message : "?");
  return dataset;
}

START_TEST (hymenoptera_is_what_torchvision_finds)
{
  gchar *root = unpack ("hymenoptera_data.tar");
  g_autoptr (TlDataset) dataset = load (root, "hymenoptera_data", "");
  g_autofree guint64 *train = NULL, *valid = NULL;

  train = tl_dataset_count_classes (dataset, TL_SPLIT_TRAIN);
  valid = tl_dataset_count_classes (dataset, TL_SPLIT_VALID);
  ck_assert_str_eq (dataset->classes[0], "ants");
  ck_assert_str_eq (dataset->classes[1], "bees");
  ck_assert_uint_eq (train[0], 123);
  ck_assert_uint_eq (train[1], 121);
  ck_assert_uint_eq (valid[0], 70);
  ck_assert_uint_eq (valid[1], 83);
  ck_assert_uint_eq (dataset->warnings->len, 0);
  ck_assert_str_eq (dataset->notes->pdata[1], "left out 1 file (1 .gif)");
  tree_free (root);
}
END_TEST

START_TEST (pocus_has_130_videos_split_by_video)
{
  gchar *root = unpack ("pocus_lung_ultrasound_frames.tar");
  g_autoptr (TlDataset) dataset = load (root, "pocus_frames", "");

  ck_assert_uint_eq (dataset->n[TL_SPLIT_TRAIN], 515);
  ck_assert_uint_eq (dataset->n[TL_SPLIT_VALID], 135);
  ck_assert_uint_eq (dataset->n_groups, 130);
  ck_assert_uint_eq (tl_dataset_count_groups (dataset, TL_SPLIT_TRAIN), 103);
  ck_assert_uint_eq (tl_dataset_count_groups (dataset, TL_SPLIT_VALID), 27);
  tree_free (root);
}
END_TEST

/* The train folder alone: valid is drawn, and no video is on both sides. */
START_TEST (pocus_videos_stay_on_one_side)
{
  gchar *root = unpack ("pocus_lung_ultrasound_frames.tar");
  g_autoptr (TlDataset) dataset = load (root, "pocus_frames/train", "");
  guint n;

  ck_assert_uint_eq (dataset->n_groups, 103);
  n = tl_dataset_count_groups (dataset, TL_SPLIT_TRAIN)
      + tl_dataset_count_groups (dataset, TL_SPLIT_VALID);
  ck_assert_uint_eq (n, 103);
  /* A fifth of 515 frames in whole videos of 5, class by class. */
  ck_assert_uint_eq (dataset->n[TL_SPLIT_VALID], 25 + 30 + 45 + 5);
  tree_free (root);
}
END_TEST

int
main (void)
{
  Suite *suite;
  TCase *tc;

  material = g_getenv ("TLPIPE_MATERIAL");
  if (!material || !g_file_test (material, G_FILE_TEST_IS_DIR)) {
    g_print ("skipped: TLPIPE_MATERIAL names no folder\n");
    return 77;
  }
  suite = suite_create ("dataset-material");
  tc = tcase_create ("material");
  tcase_set_timeout (tc, 60);
  tcase_add_test (tc, hymenoptera_is_what_torchvision_finds);
  tcase_add_test (tc, pocus_has_130_videos_split_by_video);
  tcase_add_test (tc, pocus_videos_stay_on_one_side);
  suite_add_tcase (suite, tc);
  return run_suite (suite);
}
