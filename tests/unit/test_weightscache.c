/* SPDX-License-Identifier: BSD-3-Clause */

/* What weights=VALUE means: names come from the cache, in the order of its
 * folders; anything else is a path; what is missing is said with the way to
 * get it. */

#include "tltest.h"
#include "tlweightscache.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_18 "resnet18-f37072fd.pth"

static TlError error;

/* A folder that is home, cache and working directory, and nothing else. */
static gchar *home;

static void
set_up (void)
{
  static const gchar *const variables[] = {"TLPIPE_WEIGHTS", "TORCH_HOME",
      "XDG_CACHE_HOME"};

  error = (TlError) TL_ERROR_INIT;
  home = g_dir_make_tmp ("tlpipe-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
  g_setenv ("HOME", home, TRUE);
  g_setenv ("XDG_CACHE_HOME", home, TRUE);
  ck_assert_int_eq (chdir (home), 0);
}

static void
tear_down (void)
{
  const gchar *argv[] = {"rm", "-r", home, NULL};

  ck_assert_int_eq (chdir ("/"), 0);
  ck_assert (g_spawn_sync (NULL, (gchar **) argv, NULL, G_SPAWN_SEARCH_PATH,
      NULL, NULL, NULL, NULL, NULL, NULL));
  g_clear_pointer (&home, g_free);
}

/* A small file; @path is relative to home. */
static void
write_file (const gchar *path)
{
  g_autofree gchar *folder = g_path_get_dirname (path);

  ck_assert_int_eq (g_mkdir_with_parents (folder, 0755), 0);
  ck_assert (g_file_set_contents (path, "x", 1, NULL));
}

/* @weights means the file at @path below home, or as it is if absolute. */
static void
expect_path (const gchar *weights, const gchar *arch, const gchar *path)
{
  g_autofree gchar *found = NULL,
                   *expected = g_build_filename (home, path, NULL);

  assert_ok (tl_weights_cache_resolve (weights, arch, &found, &error));
  ck_assert_str_eq (found, expected);
}

static void
expect_refusal (const gchar *weights, const gchar *arch, TlStatus status,
    const gchar *text)
{
  g_autofree gchar *found = NULL;

  assert_fails (tl_weights_cache_resolve (weights, arch, &found, &error),
      status, text);
  ck_assert_ptr_null (found);
}

START_TEST (test_folders_follow_the_environment)
{
  g_auto (GStrv) usual = tl_weights_cache_list_folders ();
  g_auto (GStrv) own = NULL;
  g_auto (GStrv) unset = NULL;
  g_autofree gchar *a = g_build_filename (home, "tlpipe/weights", NULL);
  g_autofree gchar *b = g_build_filename (home, "torch/hub/checkpoints", NULL);
  g_autofree gchar *c = g_build_filename (home, "t/hub/checkpoints", NULL);
  g_autofree gchar *d = g_build_filename (home, ".cache/tlpipe/weights", NULL);

  ck_assert_str_eq (usual[0], a);
  ck_assert_str_eq (usual[1], b);
  ck_assert_ptr_null (usual[2]);
  g_setenv ("TLPIPE_WEIGHTS", "/srv/weights", TRUE);
  g_setenv ("TORCH_HOME", "~/t", TRUE);
  own = tl_weights_cache_list_folders ();
  ck_assert_str_eq (own[0], "/srv/weights");
  ck_assert_str_eq (own[1], c);
  /* Empty is as good as unset. */
  g_setenv ("TLPIPE_WEIGHTS", "", TRUE);
  g_setenv ("XDG_CACHE_HOME", "", TRUE);
  unset = tl_weights_cache_list_folders ();
  ck_assert_str_eq (unset[0], d);
}
END_TEST

START_TEST (test_names_come_from_the_cache)
{
  write_file ("torch/hub/checkpoints/" FILE_18);
  expect_path ("resnet18", "auto", "torch/hub/checkpoints/" FILE_18);
  expect_path ("ResNet18_Weights.DEFAULT", "resnet18",
      "torch/hub/checkpoints/" FILE_18);
  expect_path ("IMAGENET1K_V1", "resnet18", "torch/hub/checkpoints/" FILE_18);
  /* tlpipe's own folder comes first. */
  write_file ("tlpipe/weights/" FILE_18);
  expect_path ("resnet18", "auto", "tlpipe/weights/" FILE_18);
}
END_TEST

/* A folder of that name, such as one for the runs, changes nothing. */
START_TEST (test_a_name_is_never_a_file_here)
{
  g_autofree gchar *path = NULL;

  write_file ("resnet18");
  expect_refusal ("resnet18", "auto", TL_ERROR_NOT_FOUND,
      "What is here under that name is weights=./resnet18.");
  assert_ok (tl_weights_cache_resolve ("./resnet18", "auto", &path, &error));
  ck_assert_str_eq (path, "./resnet18");
  write_file ("tlpipe/weights/" FILE_18);
  expect_path ("resnet18", "auto", "tlpipe/weights/" FILE_18);
}
END_TEST

START_TEST (test_paths_stay_paths)
{
  static const gchar *const paths[] = {FILE_18, "mymodel", "a/b.pth"};

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree gchar *path = NULL;

    write_file (paths[i]);
    assert_ok (tl_weights_cache_resolve (paths[i], "resnet50", &path, &error));
    ck_assert_str_eq (path, paths[i]);
  }
}
END_TEST

static const struct
{
  const gchar *name, *weights, *arch;
  TlStatus status;
  const gchar *text;
} refusals[] = {
    {"nothing in the cache", "resnet50", "auto", TL_ERROR_NOT_FOUND,
        "there is no resnet50-11ad3fa6.pth in /"},
    {"what to do about it", "resnet50", "auto", TL_ERROR_NOT_FOUND,
        "Get it with \"tlpipe weights fetch resnet50\", or download "
        "https://download.pytorch.org/models/resnet50-11ad3fa6.pth"},
    {"another architecture", "resnet50", "resnet18", TL_ERROR_ARGUMENT,
        "weights=resnet50 is a resnet50, but arch=resnet18"},
    {"of several models", "IMAGENET1K_V2", "auto", TL_ERROR_ARGUMENT,
        "set arch too"},
    {"V2 of a model that has none", "IMAGENET1K_V2", "resnet18",
        TL_ERROR_NOT_FOUND, "neither a file here nor a name"},
    {"a name mistyped", "resnet15", "auto", TL_ERROR_NOT_FOUND,
        "did you mean \"resnet1"},
    {"an enum mistyped", "ResNet50_Weights.IMAGENET1K_V3", "auto",
        TL_ERROR_NOT_FOUND, "did you mean \"ResNet50_Weights.IMAGENET1K_V"},
    {"nothing like it", "vgg11", "auto", TL_ERROR_NOT_FOUND,
        "weights=vgg11 is neither a file here nor a name"},
    {"a known file that is not here", "data/" FILE_18, "auto",
        TL_ERROR_NOT_FOUND,
        "There is no file data/" FILE_18
        ". \"tlpipe weights fetch resnet18\" downloads it"},
    {"a path to nothing", "/nowhere/r.pth", "auto", TL_ERROR_NOT_FOUND,
        "There is no file /nowhere/r.pth"},
};

START_TEST (test_what_is_missing_is_explained)
{
  expect_refusal (refusals[_i].weights, refusals[_i].arch, refusals[_i].status,
      refusals[_i].text);
}
END_TEST

START_TEST (test_a_known_file_elsewhere_is_pointed_to)
{
  write_file ("tlpipe/weights/" FILE_18);
  expect_refusal (FILE_18, "auto", TL_ERROR_NOT_FOUND, "is weights=resnet18");
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("weightscache");
  TCase *tcase = tcase_create ("weightscache");

  tcase_add_checked_fixture (tcase, set_up, tear_down);
  tcase_add_test (tcase, test_folders_follow_the_environment);
  tcase_add_test (tcase, test_names_come_from_the_cache);
  tcase_add_test (tcase, test_a_name_is_never_a_file_here);
  tcase_add_test (tcase, test_paths_stay_paths);
  tcase_add_loop_test (tcase, test_what_is_missing_is_explained, 0,
      G_N_ELEMENTS (refusals));
  tcase_add_test (tcase, test_a_known_file_elsewhere_is_pointed_to);
  suite_add_tcase (suite, tcase);
  return run_suite (suite);
}
