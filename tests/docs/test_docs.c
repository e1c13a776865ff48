/* SPDX-License-Identifier: BSD-3-Clause */

/* The documents against the plugin: an element without a page, a property
 * without a blurb that says its range, without a line on its element's page or
 * without a test that sets it, and a launch line that does not parse are
 * failures. Takes the source folder. */

#include <gst/gst.h>
#include <stdio.h>
#include <string.h>

#include <tlrange.h>

static guint failures;

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

static void
append_files (const gchar *folder, const gchar *suffix, GPtrArray *paths)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      append_files (path, suffix, paths);
    else if (g_str_has_suffix (name, suffix))
      g_ptr_array_add (paths, g_steal_pointer (&path));
  }
}

/* The text of every file below @folder that ends in @suffix, one after the
 * other. */
static void
append_text (GString *text, const gchar *folder, const gchar *suffix)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);

  append_files (folder, suffix, paths);
  for (guint i = 0; i < paths->len; i++) {
    g_autofree gchar *content = NULL;

    if (g_file_get_contents (paths->pdata[i], &content, NULL, NULL))
      g_string_append (text, content);
  }
}

/* ---- Elements and properties ---- */

/* "name" in C, name= in a launch line. */
static gboolean
is_set_in_a_test (const gchar *tests, const gchar *property)
{
  g_autofree gchar *quoted = g_strdup_printf ("\"%s\"", property);
  g_autofree gchar *assigned = g_strdup_printf ("%s=", property);

  return strstr (tests, quoted) || strstr (tests, assigned);
}

/* gst-inspect-1.0 shows the wide range of the GParamSpec, so the blurb has to
 * say the true one. */
static gboolean
says_range (const gchar *blurb, const TlRange *range)
{
  gchar min[G_ASCII_DTOSTR_BUF_SIZE], max[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (min, sizeof min, "%.10g", range->min);
  g_ascii_formatd (max, sizeof max, "%.10g", range->max);
  return strstr (blurb, min)
      && (range->max >= G_MAXUINT || strstr (blurb, max));
}

static void
check_property (const gchar *element, GParamSpec *pspec, const gchar *page,
    const gchar *tests)
{
  const gchar *blurb = g_param_spec_get_blurb (pspec);
  g_autofree gchar *cell = g_strdup_printf ("`%s`", pspec->name);

  if (!blurb || strlen (blurb) < 10)
    fail ("%s.%s has no blurb", element, pspec->name);
  else if (tl_param_spec_get_range (pspec)
      && !says_range (blurb, tl_param_spec_get_range (pspec)))
    fail ("%s.%s: the blurb does not say the range", element, pspec->name);
  if (!strstr (page, cell))
    fail ("docs/elements/%s.md does not mention %s", element, cell);
  if ((pspec->flags & G_PARAM_WRITABLE)
      && !(pspec->flags
          & (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED
              | GST_PARAM_MUTABLE_PLAYING)))
    fail ("%s.%s does not say when it may change", element, pspec->name);
  if (!is_set_in_a_test (tests, pspec->name))
    fail ("%s.%s is in no test", element, pspec->name);
}

static void
check_element (GstElementFactory *factory, const gchar *source,
    const gchar *tests)
{
  const gchar *name = GST_OBJECT_NAME (factory);
  g_autofree gchar *path =
      g_strdup_printf ("%s/docs/elements/%s.md", source, name);
  g_autofree gchar *page = NULL;
  g_autofree GParamSpec **pspecs = NULL;
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_create (factory, NULL));
  guint n;

  if (!g_file_get_contents (path, &page, NULL, NULL)) {
    fail ("%s has no page docs/elements/%s.md", name, name);
    return;
  }
  if (!strstr (page, "gst-launch-1.0"))
    fail ("docs/elements/%s.md has no launch line", name);
  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    /* Those of GStreamer's own base classes are documented there. */
    if (pspecs[i]->owner_type == G_OBJECT_TYPE (element))
      check_property (name, pspecs[i], page, tests);
  }
}

static void
check_elements (const gchar *source)
{
  g_autolist (GstPluginFeature) features =
      gst_registry_get_feature_list_by_plugin (gst_registry_get (), "tlpipe");
  g_autofree gchar *folder = g_build_filename (source, "tests", NULL);
  g_autoptr (GString) tests = g_string_new (NULL);

  append_text (tests, folder, ".c");
  append_text (tests, folder, ".sh");
  append_text (tests, folder, ".py");
  if (!features)
    fail ("the plugin tlpipe is not found; is GST_PLUGIN_PATH_1_0 set?");
  for (GList *l = features; l; l = l->next)
    check_element (GST_ELEMENT_FACTORY (l->data), source, tests->str);
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

/* Elements of GStreamer's own that a machine may lack; any other name that is
 * not known is a mistake in the line. */
static gboolean
lacks_stock_element (const GError *error)
{
  static const gchar *const names[] = {"\"autovideosink\"", "\"decodebin\"",
      "\"jpegdec\"", "\"v4l2src\"", "\"videoconvert\""};

  if (!g_error_matches (error, GST_PARSE_ERROR,
          GST_PARSE_ERROR_NO_SUCH_ELEMENT))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    if (strstr (error->message, names[i]))
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
  if (error && !lacks_stock_element (error))
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
  append_files (docs, ".md", paths);
  append_files (elements, ".c", paths);
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
  if (argc != 2) {
    fprintf (stderr, "usage: %s SOURCE-FOLDER\n", argv[0]);
    return 2;
  }
  check_elements (argv[1]);
  check_lines (argv[1]);
  printf ("%u failures\n", failures);
  return failures ? 1 : 0;
}
