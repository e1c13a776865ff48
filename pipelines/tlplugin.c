/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlplugin.h"

#include <dlfcn.h>

#include <tlcaps.h>

#define PLUGIN "tlpipe"
#define PLUGIN_FILE "libgsttlpipe.so"
#define SHIM_FILE "shim/torch/libtlshim-torch.so"

GstPlugin *
tl_plugin_get (void)
{
  return gst_registry_find_plugin (gst_registry_get (), PLUGIN);
}

/* The build folder that this program lies in; NULL if it was installed. */
static gchar *
find_build_folder (void)
{
  g_autofree gchar *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree gchar *folder = NULL, *build = NULL, *ninja = NULL, *name = NULL;

  if (!program)
    return NULL;
  folder = g_path_get_dirname (program);
  name = g_path_get_basename (folder);
  build = g_path_get_dirname (folder);
  ninja = g_build_filename (build, "build.ninja", NULL);
  if (!g_str_equal (name, "pipelines")
      || !g_file_test (ninja, G_FILE_TEST_EXISTS))
    return NULL;
  return g_steal_pointer (&build);
}

/* The folder of libtlpipe; NULL if the system does not say. */
static gchar *
find_library_folder (void)
{
  Dl_info info;

  if (!dladdr ((gpointer) tl_split_nick, &info) || !info.dli_fname)
    return NULL;
  return g_path_get_dirname (info.dli_fname);
}

static void
load (const gchar *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPlugin) plugin = NULL;

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return;
  plugin = gst_plugin_load_file (path, &error);
  if (!plugin)
    g_printerr ("tlpipe: warning: %s does not load: %s\n", path,
        error->message);
}

static void
use_build (const gchar *build)
{
  g_autofree gchar *plugin =
      g_build_filename (build, "elements", PLUGIN_FILE, NULL);
  g_autofree gchar *shim = g_build_filename (build, SHIM_FILE, NULL);

  load (plugin);
  if (g_file_test (shim, G_FILE_TEST_EXISTS))
    g_setenv ("TLPIPE_SHIM", shim, FALSE);
}

void
tl_plugin_find (void)
{
  g_autofree gchar *build = find_build_folder ();
  g_autofree gchar *folder = NULL, *path = NULL;
  g_autoptr (GstPlugin) found = NULL;

  if (build) {
    use_build (build);
    return;
  }
  found = tl_plugin_get ();
  folder = find_library_folder ();
  if (found || !folder)
    return;
  path = g_build_filename (folder, "gstreamer-1.0", PLUGIN_FILE, NULL);
  load (path);
}
