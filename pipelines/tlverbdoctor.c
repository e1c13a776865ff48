/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlverb.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <gst/gst.h>

#include <tlshimloader.h>
#include <tlweightscache.h>

#include "tljsonline.h"
#include "tlpackages.h"
#include "tlplugin.h"

static gboolean json;

typedef enum
{
  GOOD,     /* there */
  OPTIONAL, /* not there, and training does without it */
  BAD,      /* training cannot run */
} Finding;

static const gchar *const finding_names[] = {"ok", "optional", "bad"};

typedef struct
{
  TlOutput *output;
  Finding worst;
} Doctor;

/* One line: what was looked at, what was found, and what to do about it (NULL
 * if nothing). */
static void
say (Doctor *self, Finding finding, const gchar *what, const gchar *found,
    const gchar *advice)
{
  GString *line = tl_json_line_new ("finding");

  self->worst = MAX (self->worst, finding);
  tl_json_line_add_text (line, "what", what);
  tl_json_line_add_text (line, "state", finding_names[finding]);
  tl_json_line_add_text (line, "found", found);
  tl_json_line_add_text (line, "advice", advice);
  tl_output_json (self->output, line);
  tl_output_line (self->output, "%-8s %-14s %s", finding_names[finding], what,
      found);
  if (advice)
    tl_output_line (self->output, "%-8s %-14s -> %s", "", "", advice);
}

/* ---- GStreamer ---- */

static gboolean
look_at_plugin (Doctor *self)
{
  g_autoptr (GstPlugin) plugin = tl_plugin_get ();
  g_autofree gchar *text = NULL;
  const gchar *file;

  if (!plugin) {
    say (self, BAD, "plugin", "GStreamer does not find libgsttlpipe.so",
        "set GST_PLUGIN_PATH to the folder it was installed to, such as "
        "PREFIX/lib/x86_64-linux-gnu/gstreamer-1.0");
    return FALSE;
  }
  file = gst_plugin_get_filename (plugin);
  text = g_strdup_printf ("tlpipe %s, %s", gst_plugin_get_version (plugin),
      file ? file : "built in");
  if (g_str_equal (gst_plugin_get_version (plugin), TL_VERSION))
    say (self, GOOD, "plugin", text, NULL);
  else
    say (self, BAD, "plugin", text,
        "this program is version " TL_VERSION
        ": install both from one build, and look at GST_PLUGIN_PATH");
  return TRUE;
}

static void
look_for_trainer (Doctor *self)
{
  g_autoptr (GstElementFactory) trainer =
      gst_element_factory_find ("resnetfinetune");

  if (!trainer)
    say (self, BAD, "training", "this tlpipe was built without training",
        "build it with -Dtraining=enabled");
}

/* Elements of GStreamer that pipelines with tlpipe often use; those of one
 * package stand together. */
static const gchar *const stock_elements[] = {"decodebin", "videoconvert",
    "appsrc", "jpegdec", "matroskamux", "rtspsrc", "v4l2src", "autovideosink",
    "decklinkvideosrc", "h264parse", "openh264enc", "x264enc", "avdec_h264",
    "textoverlay"};

static void
say_lacking (Doctor *self, const gchar *package, const gchar *names)
{
  g_autofree gchar *found = g_strconcat ("no ", names, NULL);
  g_autofree gchar *advice =
      g_strconcat ("sudo apt-get install ", package, NULL);

  say (self, OPTIONAL, "elements", found, advice);
}

static void
look_at_stock_elements (Doctor *self)
{
  g_autoptr (GString) lacking = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (stock_elements); i++) {
    const gchar *name = stock_elements[i];
    const gchar *package = tl_packages_find (name);
    const gchar *next = i + 1 < G_N_ELEMENTS (stock_elements)
        ? tl_packages_find (stock_elements[i + 1])
        : NULL;
    g_autoptr (GstElementFactory) factory = gst_element_factory_find (name);

    if (!factory)
      g_string_append_printf (lacking, "%s%s", lacking->len ? ", " : "", name);
    if (lacking->len == 0 || g_strcmp0 (package, next) == 0)
      continue;
    say_lacking (self, package, lacking->str);
    g_string_truncate (lacking, 0);
  }
}

static void
look_at_gstreamer (Doctor *self)
{
  g_autofree gchar *version = gst_version_string ();

  say (self, GOOD, "GStreamer", version, NULL);
  if (!look_at_plugin (self))
    return;
  look_for_trainer (self);
  look_at_stock_elements (self);
}

/* ---- libtorch ---- */

static void
look_at_device (Doctor *self, const TlShim *shim, const gchar *device)
{
  TlDeviceInfo info = {.struct_size = sizeof info};
  g_autoptr (GString) text = g_string_new (NULL);
  TlError error = TL_ERROR_INIT;
  gboolean is_cpu = g_str_equal (device, "cpu");

  if (shim->device_open (device, &info, &error) != TL_OK) {
    say (self, is_cpu ? BAD : OPTIONAL, is_cpu ? "CPU" : "CUDA", error.message,
        is_cpu
            ? NULL
            : "training runs on the CPU; a GPU needs its driver and the CUDA "
              "build of libtorch");
    return;
  }
  g_string_append_printf (text, "%s: %s", info.id, info.name);
  if (info.memory > 0)
    g_string_append_printf (text, ", %" G_GUINT64_FORMAT " MiB",
        info.memory >> 20);
  if (info.kind == TL_DEVICE_CUDA)
    g_string_append_printf (text, ", compute capability %d.%d",
        info.capability[0], info.capability[1]);
  say (self, GOOD, is_cpu ? "CPU" : "CUDA", text->str, NULL);
}

static void
look_at_torch (Doctor *self)
{
  TlBackendInfo backend = {.struct_size = sizeof backend};
  TlError error = TL_ERROR_INIT;
  const TlShim *shim = tl_shim_load (&error);
  g_autofree gchar *text = NULL;

  if (!shim) {
    /* The sentence says what to install. */
    say (self, BAD, "libtorch", error.message, NULL);
    return;
  }
  say (self, GOOD, "shim", tl_shim_library_path (), NULL);
  if (shim->backend_describe (&backend, &error) != TL_OK) {
    say (self, BAD, "libtorch", error.message, NULL);
    return;
  }
  text = g_strdup_printf ("%s %s%s%s", backend.name, backend.version,
      backend.path[0] ? ", " : "", backend.path);
  say (self, GOOD, "libtorch", text, NULL);
  /* CUDA first: its libraries load only before the CPU has worked. */
  look_at_device (self, shim, "cuda");
  look_at_device (self, shim, "cpu");
}

/* ---- Pretrained weights ---- */

static void
look_for_weights (Doctor *self)
{
  g_auto (GStrv) folders = tl_weights_cache_list_folders ();
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree gchar *none = NULL;

  for (gsize i = 0; tl_known_weights_nth (i); i++) {
    const TlKnownWeights *known = tl_known_weights_nth (i);
    g_autofree gchar *path = tl_weights_cache_find (known);

    if (path)
      g_string_append_printf (names, "%s%s", names->len ? ", " : "",
          known->name);
  }
  none = g_strdup_printf ("none in %s or %s", folders[0], folders[1]);
  say (self, names->len ? GOOD : OPTIONAL, "weights",
      names->len ? names->str : none,
      names->len ? NULL : "tlpipe weights fetch resnet18");
}

/* ---- The machine ---- */

static void
look_at_threads (Doctor *self)
{
  guint allowed = g_get_num_processors ();
  glong all = sysconf (_SC_NPROCESSORS_ONLN);
  g_autofree gchar *text =
      g_strdup_printf ("%u, the CPUs that this process may use, of %ld",
          allowed, all);

  say (self, GOOD, "threads", text,
      (glong) allowed < all ? "taskset or the container allows fewer" : NULL);
}

static void
look_at_memory (Doctor *self)
{
  guint64 pages = (guint64) sysconf (_SC_PHYS_PAGES);
  guint64 free_pages = (guint64) sysconf (_SC_AVPHYS_PAGES);
  guint64 size = (guint64) sysconf (_SC_PAGESIZE);
  g_autofree gchar *text =
      g_strdup_printf ("%" G_GUINT64_FORMAT " MiB, %" G_GUINT64_FORMAT
                       " MiB of it unused",
          pages * size >> 20, free_pages * size >> 20);

  say (self, GOOD, "memory", text, NULL);
}

static TlExit
run (gchar **args)
{
  Doctor self = {.worst = GOOD};
  TlOutput output;

  tl_output_init (&output, json, FALSE);
  self.output = &output;
  say (&self, GOOD, "tlpipe", TL_VERSION, NULL);
  look_at_gstreamer (&self);
  look_at_torch (&self);
  look_for_weights (&self);
  look_at_threads (&self);
  look_at_memory (&self);
  tl_output_line (&output, "%s",
      self.worst == BAD ? "training cannot run here: see \"bad\" above"
                        : "training can run here");
  return self.worst == BAD || output.broken ? TL_EXIT_FAILED : TL_EXIT_OK;
}

static const GOptionEntry options[] = {TL_VERB_JSON (&json), {NULL}};

const TlVerb tl_verb_doctor = {
    .name = "doctor",
    .arguments = "",
    .summary =
        "Says what is installed here, what is missing, and how to get it",
    .description =
        "Looks at GStreamer and its elements, at the plugin and where it was found, at\n"
        "the shim and its libtorch, at the CPU, at CUDA and why it cannot be used, at\n"
        "pretrained weights, threads and memory. \"optional\" is what is missing and training does without;\n"
        "\"bad\" is what it needs.\n"
        "\n"
        "Exit status: 0 training can run, 1 it cannot, 2 wrong command line.",
    .examples = "  tlpipe doctor",
    .options = options,
    .min_args = 0,
    .max_args = 0,
    .run = run,
};
