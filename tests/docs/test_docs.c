/* SPDX-License-Identifier: BSD-3-Clause */

/* The documents against the plugin: an element or a property that does not say
 * what it is, that has no page or row there, or that no test sets, and a launch
 * line that does not parse are failures. Takes the source folder and the names
 * of elements that this build leaves out. */

#include "tlinspect.h"
#include "tlnegligent.h"

#include <stdio.h>
#include <string.h>

static guint failures;
static gchar **left_out; /* NULL-terminated */

static void fail (const gchar *format, ...) G_GNUC_PRINTF (1, 2);

static void
fail (const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  vfprintf (stderr, format, args);
  va_end (args);
  fputc ('\n', stderr);
  failures++;
}

/* ---- Elements and properties ---- */

static void
check_elements (const gchar *source)
{
  g_autolist (GstPluginFeature) features =
      gst_registry_get_feature_list_by_plugin (gst_registry_get (), "tlpipe");
  TlInspection inspection;

  tl_inspection_init (&inspection, source);
  for (GList *l = features; l; l = l->next)
    tl_inspection_check (&inspection, GST_ELEMENT_FACTORY (l->data));
  for (guint i = 0; i < inspection.findings->len; i++)
    fail ("%s", (gchar *) inspection.findings->pdata[i]);
  printf ("%u elements\n", g_list_length (features));
  if (!features)
    fail ("the plugin tlpipe is not found; is GST_PLUGIN_PATH_1_0 set?");
  tl_inspection_clear (&inspection);
}

/* Everything that can be missing is missed. */
static void
check_refusal (const gchar *source)
{
  static const gchar *const expected[] = {
      "negligent has no long-name",
      "negligent has no klass",
      "negligent has no description",
      "negligent has no author",
      "negligent has no link to its page",
      "negligent has no page",
      "negligent is in no test",
      "negligent.care-taken has no nick",
      "negligent.care-taken has no blurb",
      "negligent.care-taken has no true range",
      "negligent.care-taken does not say when it may change",
      "has no row for care-taken",
      "negligent.care-taken is set in no test",
      "negligent.mood-kept=bad has no description",
      "has no row for mood-kept",
      "negligent.mood-kept is set in no test",
  };
  g_autoptr (GstElementFactory) factory = NULL;
  TlInspection inspection;

  tl_negligent_register ();
  factory = gst_element_factory_find ("negligent");
  tl_inspection_init (&inspection, source);
  tl_inspection_check (&inspection, factory);
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++) {
    if (!tl_inspection_found (&inspection, expected[i]))
      fail ("not noticed: %s", expected[i]);
  }
  if (inspection.findings->len != G_N_ELEMENTS (expected))
    fail ("%u findings, not %u", inspection.findings->len,
        (guint) G_N_ELEMENTS (expected));
  tl_inspection_clear (&inspection);
}

/* ---- Launch lines ---- */

/* Words of a gst-launch-1.0 line without its options; NULL if none are left. */
static gchar *
description_of (const gchar *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 1; words[i]; i++) {
    if (*words[i] && *words[i] != '-')
      g_string_append_printf (text, "%s ", words[i]);
  }
  return text->len ? g_strdup (text->str) : NULL;
}

/* Elements of GStreamer's own that a machine may lack, and those left out; any
 * other name that is not known is a mistake in the line. */
static gboolean
may_lack_element (const GError *error)
{
  static const gchar *const names[] = {"\"autovideosink\"", "\"decodebin\"",
      "\"jpegdec\"", "\"jpegenc\"", "\"matroskamux\"", "\"rtspsrc\"",
      "\"v4l2src\"", "\"decklinkvideosrc\"", "\"videoconvert\"", "\"vp8enc\""};

  if (!g_error_matches (error, GST_PARSE_ERROR,
          GST_PARSE_ERROR_NO_SUCH_ELEMENT))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (strstr (error->message, names[i]))
      return TRUE;
  }
  for (gchar **name = left_out; *name; name++) {
    if (strstr (error->message, *name))
      return TRUE;
  }
  return FALSE;
}

static void
check_line (const gchar *path, const gchar *line)
{
  g_autofree gchar *description = description_of (line);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = NULL;

  if (!description || strstr (description, "…"))
    return;
  pipeline = gst_parse_launch_full (description, NULL,
      GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline)
    gst_object_ref_sink (pipeline);
  if (error && !may_lack_element (error))
    fail ("%s: %s\n  %s", path, error->message, description);
}

/* Indented lines, or those behind " * " in a comment, that begin with
 * gst-launch-1.0, with their continuations. */
static guint
check_lines_of (const gchar *path)
{
  g_autofree gchar *content = NULL;
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  if (!g_file_get_contents (path, &content, NULL, NULL))
    return 0;
  lines = g_strsplit (content, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    g_autoptr (GString) line = g_string_new (NULL);
    const gchar *begin = lines[i] + strspn (lines[i], " *");

    if (begin == lines[i] || !g_str_has_prefix (begin, "gst-launch-1.0 "))
      continue;
    g_string_append (line, begin);
    while (g_str_has_suffix (line->str, "\\") && lines[i + 1]) {
      i++;
      g_string_truncate (line, line->len - 1);
      g_string_append (line, lines[i] + strspn (lines[i], " *"));
    }
    check_line (path, line->str);
    n++;
  }
  return n;
}

static void
check_lines (const gchar *source)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autofree gchar *docs = g_build_filename (source, "docs", NULL);
  g_autofree gchar *elements = g_build_filename (source, "elements", NULL);
  guint n = 0;

  g_ptr_array_add (paths, g_build_filename (source, "README.md", NULL));
  tl_inspect_list_files (docs, ".md", paths);
  tl_inspect_list_files (elements, ".c", paths);
  for (guint i = 0; i < paths->len; i++)
    n += check_lines_of (paths->pdata[i]);
  printf ("%u launch lines\n", n);
  if (n < 10)
    fail ("only %u launch lines were found in the documents", n);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (argc < 2) {
    fprintf (stderr, "usage: %s SOURCE-FOLDER ELEMENT...\n", argv[0]);
    return 2;
  }
  left_out = argv + 2;
  check_elements (argv[1]);
  check_refusal (argv[1]);
  check_lines (argv[1]);
  printf ("%u failures\n", failures);
  return failures ? 1 : 0;
}
