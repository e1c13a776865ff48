/* SPDX-License-Identifier: BSD-3-Clause */

/* The pipeline files of the documents and of the catalog: each is loaded and
 * built, and does what the launch line beside it does. Takes the source
 * folder. */

#include "tlbuild.h"
#include "tlgraph.h"

#include <stdio.h>
#include <string.h>

#include <glib/gstdio.h>

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

/* ---- Pages ---- */

/* What a page says, in its order. */
typedef struct
{
  gboolean is_yaml; /* else a launch line */
  gchar *text;
} Block;

static void
free_block (gpointer data)
{
  g_free (((Block *) data)->text);
  g_free (data);
}

static void
add_block (GPtrArray *blocks, gboolean is_yaml, GString *text)
{
  Block *block = g_new0 (Block, 1);

  block->is_yaml = is_yaml;
  block->text = g_strdup (text->str);
  g_ptr_array_add (blocks, block);
}

/* From the line behind ```yaml; returns the line of the closing one. */
static guint
take_yaml (gchar **lines, guint i, GPtrArray *blocks)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (; lines[i] && !g_str_has_prefix (lines[i], "```"); i++)
    g_string_append_printf (text, "%s\n", lines[i]);
  add_block (blocks, TRUE, text);
  return lines[i] ? i : i - 1;
}

/* An indented launch line with those that go on with it; returns its last. */
static guint
take_line (gchar **lines, guint i, GPtrArray *blocks)
{
  g_autoptr (GString) text = g_string_new (lines[i] + 4);

  while (g_str_has_suffix (lines[i], "\\") && lines[i + 1])
    g_string_append_printf (text, "\n%s", lines[++i]);
  add_block (blocks, FALSE, text);
  return i;
}

static GPtrArray *
read_page (const gchar *path)
{
  GPtrArray *blocks = g_ptr_array_new_with_free_func (free_block);
  g_autofree gchar *content = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &content, NULL, NULL)) {
    fail ("%s cannot be read", path);
    return blocks;
  }
  lines = g_strsplit (content, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    if (g_str_equal (lines[i], "```yaml"))
      i = take_yaml (lines, i + 1, blocks);
    else if (g_str_has_prefix (lines[i], "    gst-launch-1.0 "))
      i = take_line (lines, i, blocks);
  }
  return blocks;
}

/* ---- Graphs ---- */

/* Of the last stage of the file at @path; NULL if it is wrong. */
static gchar *
describe_file (const gchar *page, const gchar *path)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec = tl_spec_load (path, NULL, diagnostics);
  g_autoptr (GstElement) pipeline = NULL;
  g_autofree gchar *mistakes = NULL;

  if (spec && tl_build_check (spec, diagnostics))
    pipeline = tl_build_stage (spec->stages->pdata[spec->stages->len - 1],
        diagnostics);
  mistakes = tl_diagnostics_to_string (diagnostics);
  if (*mistakes)
    fail ("%s: %s", page, mistakes);
  return pipeline ? tl_graph_describe (GST_BIN (pipeline)) : NULL;
}

/* NULL if an element of GStreamer's own is not installed here. Whether the line
 * is right otherwise is what test_docs.c looks at. */
static gchar *
describe_line (const gchar *line)
{
  g_auto (GStrv) words = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GError) error = NULL;
  guint first = 1;

  if (strstr (line, "…") || !g_shell_parse_argv (line, NULL, &words, NULL))
    return NULL;
  while (words[first] && *words[first] == '-')
    first++;
  pipeline = gst_parse_launchv_full ((const gchar **) words + first, NULL,
      GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (pipeline)
    gst_object_ref_sink (pipeline);
  return pipeline && !error && GST_IS_BIN (pipeline)
      ? tl_graph_describe (GST_BIN (pipeline))
      : NULL;
}

static void
compare (const gchar *page, const gchar *of_file, const gchar *line)
{
  g_autofree gchar *of_line = describe_line (line);

  if (of_file && of_line && !g_str_equal (of_file, of_line))
    fail ("%s: the file and the line beside it differ:\n%s\n-- the file\n%s\n"
          "-- the line\n%s",
        page, line, of_file, of_line);
}

/* ---- Files of a page ---- */

/* Writes a block to the folder it would lie in: as base.yaml if it begins with
 * "# base.yaml". *Transferred*. */
static gchar *
write_block (const gchar *folder, const gchar *text)
{
  g_autofree gchar *name = NULL, *path = NULL;

  if (g_str_has_prefix (text, "# "))
    name = g_strndup (text + 2, strcspn (text + 2, "\n"));
  path = g_build_filename (folder, name ? name : "page.yaml", NULL);
  if (!g_file_set_contents (path, text, -1, NULL))
    fail ("%s cannot be written", path);
  return g_steal_pointer (&path);
}

static gboolean
is_like_a_line (const gchar *of_file, GPtrArray *blocks)
{
  for (guint i = 0; i < blocks->len; i++) {
    const Block *block = blocks->pdata[i];
    g_autofree gchar *of_line =
        block->is_yaml ? NULL : describe_line (block->text);

    if (of_line && g_str_equal (of_file, of_line))
      return TRUE;
  }
  return FALSE;
}

static void
remove_files (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;

  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);

    g_remove (path);
  }
  g_rmdir (folder);
}

/* Returns how many files there were. On an element's page each file is one of
 * its lines; elsewhere a line that comes next is that of the file. */
static guint
check_page (const gchar *path, gboolean is_element)
{
  g_autoptr (GPtrArray) blocks = read_page (path);
  g_autofree gchar *folder = g_dir_make_tmp ("tlpipe-XXXXXX", NULL);
  guint n = 0;

  for (guint i = 0; i < blocks->len; i++) {
    const Block *block = blocks->pdata[i];
    const Block *next = i + 1 < blocks->len ? blocks->pdata[i + 1] : NULL;
    g_autofree gchar *file = NULL, *of_file = NULL;

    if (!block->is_yaml)
      continue;
    n++;
    file = write_block (folder, block->text);
    of_file = describe_file (path, file);
    if (is_element && of_file && !is_like_a_line (of_file, blocks))
      fail ("%s: no launch line is like the file:\n%s", path, block->text);
    else if (!is_element && next && !next->is_yaml)
      compare (path, of_file, next->text);
  }
  remove_files (folder);
  return n;
}

static guint
check_folder (const gchar *source, const gchar *name, gboolean are_elements)
{
  g_autofree gchar *folder = g_build_filename (source, name, NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *file;
  guint n, all = 0;

  while (dir && (file = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, file, NULL);

    if (!g_str_has_suffix (file, ".md"))
      continue;
    n = check_page (path, are_elements);
    if (are_elements && n == 0)
      fail ("%s has no pipeline file", path);
    all += n;
  }
  return all;
}

/* ---- The catalog ---- */

/* The launch line behind "**NAME**" on the page; NULL if there is none. */
static gchar *
find_line (const gchar *page, const gchar *name)
{
  g_autofree gchar *mark = g_strdup_printf ("\n**%s**", name);
  const gchar *at = strstr (page, mark);
  const gchar *line = at ? strstr (at, "\n    gst-launch-1.0 ") : NULL;
  const gchar *end = line ? strstr (line, "\n\n") : NULL;

  if (!line)
    return NULL;
  return end ? g_strndup (line + 5, end - line - 5) : g_strdup (line + 5);
}

static void
check_catalog (const gchar *source)
{
  g_autofree gchar *folder =
      g_build_filename (source, "pipelines", "catalog", NULL);
  g_autofree gchar *page =
      g_build_filename (source, "docs", "pipeline-format.md", NULL);
  g_autofree gchar *text = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const gchar *name;
  guint n = 0;

  g_file_get_contents (page, &text, NULL, NULL);
  while (text && dir && (name = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_build_filename (folder, name, NULL);
    g_autofree gchar *of_file = describe_file (path, path);
    g_autofree gchar *line = find_line (text, name);

    n++;
    if (line)
      compare (path, of_file, line);
    else
      fail ("%s has no launch line in %s", name, page);
  }
  printf ("%u files in the catalog\n", n);
  if (n < 4)
    fail ("only %u files in the catalog", n);
}

/* ---- Keys ---- */

/* Every key of the format is in an example. */
static void
check_keys (const gchar *source)
{
  static const gchar *const keys[] = {"tlpipe: ", "description: ", "vars: ",
      "vars:\n", "include: ", "pipeline:", "links:", "stages:", "x-",
      "caps: ", "launch: ", "name: ", "branches:", "needs: ", "<<: ", "${DIR}",
      ":-", "$${"};
  g_autofree gchar *path =
      g_build_filename (source, "docs", "pipeline-format.md", NULL);
  g_autoptr (GPtrArray) blocks = read_page (path);
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint i = 0; i < blocks->len; i++) {
    const Block *block = blocks->pdata[i];

    if (block->is_yaml)
      g_string_append (all, block->text);
  }
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    if (!strstr (all->str, keys[i]))
      fail ("%s has no example of \"%s\"", path, keys[i]);
  }
}

int
main (int argc, char **argv)
{
  g_autofree gchar *readme = NULL;
  guint n;

  gst_init (&argc, &argv);
  if (argc != 2) {
    fprintf (stderr, "usage: %s SOURCE-FOLDER\n", argv[0]);
    return 2;
  }
  readme = g_build_filename (argv[1], "README.md", NULL);
  n = check_page (readme, FALSE);
  n += check_folder (argv[1], "docs", FALSE);
  n += check_folder (argv[1], "docs/elements", TRUE);
  printf ("%u pipeline files in the documents\n", n);
  check_catalog (argv[1]);
  check_keys (argv[1]);
  printf ("%u failures\n", failures);
  return failures ? 1 : 0;
}
