/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlinspect.h"

#include <string.h>

#include <tlrange.h>

#define MUTABLE_FLAGS                                                          \
  (GST_PARAM_MUTABLE_READY | GST_PARAM_MUTABLE_PAUSED                          \
      | GST_PARAM_MUTABLE_PLAYING)

static void note (TlInspection *self, const gchar *format, ...)
    G_GNUC_PRINTF (2, 3);

static void
note (TlInspection *self, const gchar *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (self->findings, g_strdup_vprintf (format, args));
  va_end (args);
}

void
tl_inspect_list_files (const gchar *folder, const gchar *suffix,
    GPtrArray *paths)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      tl_inspect_list_files (path, suffix, paths);
    else if (g_str_has_suffix (name, suffix))
      g_ptr_array_add (paths, g_steal_pointer (&path));
  }
}

/* The text of the tests but these here, which name properties of their own. */
static gchar *
read_tests (const gchar *source)
{
  static const gchar *const endings[] = {".c", ".py", ".sh"};
  g_autofree gchar *folder = g_build_filename (source, "tests", NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    tl_inspect_list_files (folder, endings[i], paths);
  for (guint i = 0; i < paths->len; i++) {
    g_autofree gchar *content = NULL;

    if (!strstr (paths->pdata[i], "/tests/docs/")
        && g_file_get_contents (paths->pdata[i], &content, NULL, NULL))
      g_string_append (text, content);
  }
  return g_string_free (text, FALSE);
}

void
tl_inspection_init (TlInspection *self, const gchar *source)
{
  self->pages = g_build_filename (source, "docs", "elements", NULL);
  self->tests = read_tests (source);
  self->findings = g_ptr_array_new_with_free_func (g_free);
}

void
tl_inspection_clear (TlInspection *self)
{
  g_free (self->pages);
  g_free (self->tests);
  g_ptr_array_unref (self->findings);
}

gboolean
tl_inspection_found (const TlInspection *self, const gchar *text)
{
  for (guint i = 0; i < self->findings->len; i++) {
    if (strstr (self->findings->pdata[i], text))
      return TRUE;
  }
  return FALSE;
}

/* ---- What tests do with a property ---- */

static gboolean
is_name_char (gchar c)
{
  return g_ascii_isalnum (c) || c == '-' || c == '_';
}

/* name= of a launch line, not the end of a longer name. */
static gboolean
is_assigned (const gchar *tests, const gchar *property)
{
  g_autofree gchar *assigned = g_strdup_printf ("%s=", property);

  for (const gchar *at = tests; (at = strstr (at, assigned)); at++) {
    if (at == tests || !is_name_char (at[-1]))
      return TRUE;
  }
  return FALSE;
}

/* The statement or initializer that @at is in begins with a call that reads. */
static gboolean
is_read_at (const gchar *tests, const gchar *at)
{
  const gchar *begin = at;

  while (begin > tests && !strchr (";{}", begin[-1]))
    begin--;
  return g_strstr_len (begin, at - begin, "_get") != NULL;
}

/* "name" as an argument or in a table, in a call that sets; or, for a property
 * that can only be read, in any. */
static gboolean
is_passed (const gchar *tests, GParamSpec *pspec)
{
  g_autofree gchar *quoted = g_strdup_printf ("\"%s\"", pspec->name);
  gboolean settable = pspec->flags & G_PARAM_WRITABLE;

  for (const gchar *at = tests; (at = strstr (at, quoted)); at++) {
    if (!settable || !is_read_at (tests, at))
      return TRUE;
  }
  return FALSE;
}

/* ---- What a property and its row say ---- */

/* The table row of @page whose first cell names @property, or NULL. */
static gchar *
find_row (const gchar *page, const gchar *property)
{
  g_autofree gchar *cell = g_strdup_printf ("`%s`", property);
  g_auto (GStrv) lines = g_strsplit (page, "\n", -1);

  for (guint i = 0; lines[i]; i++) {
    const gchar *end = lines[i][0] == '|' ? strchr (lines[i] + 1, '|') : NULL;

    if (end && g_strstr_len (lines[i], end - lines[i], cell))
      return g_strdup (lines[i]);
  }
  return NULL;
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

/* All values of 64 bits may be meant (seeds, counters); of fewer, none are. */
static gboolean
needs_range (GParamSpec *pspec)
{
  return (pspec->flags & G_PARAM_WRITABLE)
      && (G_IS_PARAM_SPEC_INT (pspec) || G_IS_PARAM_SPEC_UINT (pspec)
          || G_IS_PARAM_SPEC_FLOAT (pspec) || G_IS_PARAM_SPEC_DOUBLE (pspec));
}

static void
check_words (TlInspection *self, const gchar *element, GParamSpec *pspec)
{
  const gchar *blurb = g_param_spec_get_blurb (pspec);
  const TlRange *range = tl_param_spec_get_range (pspec);

  if (!g_param_spec_get_nick (pspec)
      || g_str_equal (g_param_spec_get_nick (pspec), pspec->name))
    note (self, "%s.%s has no nick", element, pspec->name);
  if (!blurb || strlen (blurb) < 10)
    note (self, "%s.%s has no blurb", element, pspec->name);
  else if (range && !says_range (blurb, range))
    note (self, "%s.%s: the blurb does not say the range", element,
        pspec->name);
  if (!range && needs_range (pspec))
    note (self, "%s.%s has no true range", element, pspec->name);
  if ((pspec->flags & G_PARAM_WRITABLE) && !(pspec->flags & MUTABLE_FLAGS))
    note (self, "%s.%s does not say when it may change", element, pspec->name);
}

static void
check_enum (TlInspection *self, const gchar *element, GParamSpec *pspec,
    const gchar *row)
{
  GEnumClass *klass = G_PARAM_SPEC_ENUM (pspec)->enum_class;

  for (guint i = 0; i < klass->n_values; i++) {
    const GEnumValue *value = &klass->values[i];

    if (strlen (value->value_name) < 4
        || g_str_equal (value->value_name, value->value_nick))
      note (self, "%s.%s=%s has no description", element, pspec->name,
          value->value_nick);
    if (row && !strstr (row, value->value_nick))
      note (self, "docs/elements/%s.md: the row of %s lacks %s", element,
          pspec->name, value->value_nick);
  }
}

static void
check_property (TlInspection *self, const gchar *element, GParamSpec *pspec,
    const gchar *page)
{
  g_autofree gchar *row = find_row (page, pspec->name);

  check_words (self, element, pspec);
  if (!row)
    note (self, "docs/elements/%s.md has no row for %s", element, pspec->name);
  if (G_IS_PARAM_SPEC_ENUM (pspec))
    check_enum (self, element, pspec, row);
  if (!is_passed (self->tests, pspec)
      && !is_assigned (self->tests, pspec->name))
    note (self, "%s.%s is set in no test", element, pspec->name);
}

/* ---- What an element says ---- */

static void
check_metadata (TlInspection *self, GstElementFactory *factory)
{
  static const gchar *const keys[] = {GST_ELEMENT_METADATA_LONGNAME,
      GST_ELEMENT_METADATA_KLASS, GST_ELEMENT_METADATA_DESCRIPTION,
      GST_ELEMENT_METADATA_AUTHOR};
  const gchar *name = GST_OBJECT_NAME (factory);
  const gchar *uri =
      gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_DOC_URI);
  g_autofree gchar *page = g_strdup_printf ("/elements/%s.md", name);

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    const gchar *value = gst_element_factory_get_metadata (factory, keys[i]);

    if (!value || strlen (value) < 4)
      note (self, "%s has no %s", name, keys[i]);
  }
  if (!uri || !g_str_has_suffix (uri, page))
    note (self, "%s has no link to its page", name);
}

void
tl_inspection_check (TlInspection *self, GstElementFactory *factory)
{
  const gchar *name = GST_OBJECT_NAME (factory);
  g_autofree gchar *path = g_strdup_printf ("%s/%s.md", self->pages, name);
  g_autofree gchar *quoted = g_strdup_printf ("\"%s\"", name);
  g_autofree gchar *page = NULL;
  g_autofree GParamSpec **pspecs = NULL;
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_create (factory, NULL));
  guint n;

  check_metadata (self, factory);
  if (!g_file_get_contents (path, &page, NULL, NULL)) {
    note (self, "%s has no page docs/elements/%s.md", name, name);
    page = g_strdup ("");
  } else if (!strstr (page, "gst-launch-1.0")) {
    note (self, "docs/elements/%s.md has no launch line", name);
  }
  if (!strstr (self->tests, quoted))
    note (self, "%s is in no test", name);
  pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &n);
  for (guint i = 0; i < n; i++) {
    /* Those of GStreamer's own base classes are documented there. */
    if (!g_str_has_prefix (g_type_name (pspecs[i]->owner_type), "Gst"))
      check_property (self, name, pspecs[i], page);
  }
}
