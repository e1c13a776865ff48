/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlspecfile.h"

#include "tlnear.h"
#include "tlspec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_STAGES 100

/* One reading of a file and its includes. */
typedef struct
{
  TlSpecFile *file;
  TlDiagnostics *diagnostics;
  GPtrArray *open; /* canonical paths from the first file to this one */
  guint n_files;
} Reader;

static gboolean read_path (Reader *self, const gchar *path, TlPlace place);

static gboolean
report (Reader *self, TlPlace place, const gchar *path, const gchar *why)
{
  tl_diagnostics_error (self->diagnostics, place, NULL, "%s: %s",
      *path ? path : "\"\"", why);
  return FALSE;
}

/* ---- Bytes ---- */

/* Not g_file_get_contents(): a file may name a device or a FIFO as its include,
 * and neither of them ends. One byte more than allowed is read, for the error
 * about the size. */
static gchar *
read_bytes (const gchar *path, gsize *size, const gchar **why)
{
  gint fd = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_autofree gchar *text = NULL;
  struct stat info;
  gssize n = 1;

  *size = 0;
  if (fd < 0) {
    *why = g_strerror (errno);
    return NULL;
  }
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode)) {
    *why = S_ISDIR (info.st_mode) ? "this is a folder" : "this is no file";
    close (fd);
    return NULL;
  }
  text = g_malloc (TL_NODE_MAX_SIZE + 1);
  while (n > 0 && *size < TL_NODE_MAX_SIZE + 1) {
    n = read (fd, text + *size, TL_NODE_MAX_SIZE + 1 - *size);
    *size += MAX (n, 0);
  }
  *why = n < 0 ? g_strerror (errno) : NULL;
  close (fd);
  return n < 0 ? NULL : g_steal_pointer (&text);
}

/* ---- Keys ---- */

void
tl_spec_file_check_keys (const TlNode *node, const gchar *what,
    const gchar *const *known, TlDiagnostics *diagnostics)
{
  for (guint i = 0; i < node->keys->len; i++) {
    const TlNode *key = node->keys->pdata[i];
    g_autofree gchar *suggestion = NULL;
    TlNear near;

    if (g_str_has_prefix (key->text, "x-") || g_strv_contains (known, key->text)
        || tl_diagnostics_is_full (diagnostics))
      continue;
    tl_near_init (&near, key->text);
    tl_near_offer_all (&near, known);
    suggestion = tl_near_suggest (&near);
    tl_diagnostics_error (diagnostics, key->place, NULL,
        "%s has no key \"%s\"%s", what, key->text, suggestion);
  }
}

/* The version comes first: a file of another one may mean anything. */
static gboolean
check_version (Reader *self, const TlNode *root)
{
  const TlNode *version = tl_node_get (root, "tlpipe");

  if (!version) {
    tl_diagnostics_error (self->diagnostics, root->place, NULL,
        "this is no pipeline file: it has to begin with \"tlpipe: 1\"");
    return FALSE;
  }
  if (version->kind == TL_NODE_SCALAR && g_str_equal (version->text, "1"))
    return TRUE;
  if (version->kind == TL_NODE_SCALAR)
    tl_diagnostics_error (self->diagnostics, version->place, NULL,
        "this is version %s of the format, and only version 1 is known",
        version->text);
  else
    tl_diagnostics_error (self->diagnostics, version->place, NULL,
        "the version of the format is the number 1");
  return FALSE;
}

/* ---- What a file says ---- */

static void
include_one (Reader *self, const TlNode *node)
{
  const gchar *folder =
      tl_diagnostics_get_folder (self->diagnostics, node->place.source);
  g_autofree gchar *path = NULL;

  if (node->kind != TL_NODE_SCALAR || *node->text == '\0') {
    tl_diagnostics_error (self->diagnostics, node->place, NULL,
        "include takes a path or a list of paths");
    return;
  }
  if (strstr (node->text, "${")) {
    tl_diagnostics_error (self->diagnostics, node->place, NULL,
        "the path of an include takes no variables");
    return;
  }
  if (g_path_is_absolute (node->text) || g_str_equal (folder, "."))
    path = g_strdup (node->text);
  else
    path = g_build_filename (folder, node->text, NULL);
  read_path (self, path, node->place);
}

static void
include (Reader *self, const TlNode *node)
{
  if (node->kind != TL_NODE_LIST) {
    include_one (self, node);
    return;
  }
  for (guint i = 0; i < node->items->len; i++)
    include_one (self, node->items->pdata[i]);
}

static void
add_stage (TlSpecFile *file, const TlNode *key, const TlNode *value)
{
  TlSpecFileStage stage = {key, value};

  for (guint i = 0; i < file->stages->len; i++) {
    TlSpecFileStage *known = &g_array_index (file->stages, TlSpecFileStage, i);

    if (g_str_equal (known->key->text, key->text)) {
      *known = stage;
      return;
    }
  }
  g_array_append_val (file->stages, stage);
}

/* What this file runs takes the place of what it includes: a pipeline that of
 * everything, stages that of a pipeline and of stages with their names. */
static void
take_body (Reader *self, const TlNode *root)
{
  const TlNode *pipeline = tl_node_get (root, "pipeline");
  const TlNode *stages = tl_node_get (root, "stages");
  const TlNode *links = tl_node_get (root, "links");
  TlSpecFile *file = self->file;

  if (pipeline && stages) {
    tl_diagnostics_error (self->diagnostics, stages->place, NULL,
        "a file has either a pipeline or stages");
    return;
  }
  if (links && !pipeline)
    tl_diagnostics_error (self->diagnostics, links->place, NULL,
        "links belong to a pipeline: write them beside it");
  if (pipeline) {
    g_array_set_size (file->stages, 0);
    file->pipeline = pipeline;
    file->links = links;
  }
  if (!stages)
    return;
  file->pipeline = file->links = NULL;
  if (stages->kind != TL_NODE_MAPPING || stages->keys->len == 0) {
    tl_diagnostics_error (self->diagnostics, stages->place, NULL,
        "stages is a mapping of names to stages, such as {train: {pipeline: "
        "[…]}}");
    return;
  }
  if (stages->keys->len > MAX_STAGES) {
    tl_diagnostics_error (self->diagnostics, stages->place, NULL,
        "a file has at most %d stages", MAX_STAGES);
    return;
  }
  for (guint i = 0; i < stages->keys->len; i++)
    add_stage (file, stages->keys->pdata[i], stages->values->pdata[i]);
}

static gboolean
take_root (Reader *self, const TlNode *root)
{
  static const gchar *const keys[] = {"tlpipe", "description", "vars",
      "include", "pipeline", "stages", "links", NULL};
  const TlNode *node;

  if (root->kind != TL_NODE_MAPPING) {
    tl_diagnostics_error (self->diagnostics, root->place, NULL,
        "a pipeline file is a mapping that begins with \"tlpipe: 1\"");
    return FALSE;
  }
  if (!check_version (self, root))
    return FALSE;
  tl_spec_file_check_keys (root, "a pipeline file", keys, self->diagnostics);
  node = tl_node_get (root, "include");
  if (node)
    include (self, node);
  node = tl_node_get (root, "vars");
  if (node)
    tl_vars_add (self->file->vars, node);
  node = tl_node_get (root, "description");
  if (node)
    self->file->description = node;
  take_body (self, root);
  return TRUE;
}

/* ---- Files ---- */

static gboolean
read_text (Reader *self, const gchar *path, const gchar *text, gsize size)
{
  g_autofree gchar *folder = g_path_get_dirname (path);
  guint source =
      tl_diagnostics_add_source (self->diagnostics, path, folder, text, size);
  TlDocument *document =
      tl_document_parse (text, size, source, self->diagnostics);

  if (!document)
    return FALSE;
  g_ptr_array_add (self->file->documents, document);
  return take_root (self, tl_document_get_root (document));
}

static gboolean
is_open (const Reader *self, const gchar *path)
{
  for (guint i = 0; i < self->open->len; i++) {
    if (g_str_equal (self->open->pdata[i], path))
      return TRUE;
  }
  return FALSE;
}

static gboolean
read_path (Reader *self, const gchar *path, TlPlace place)
{
  g_autofree gchar *text = NULL;
  gchar *canonical = g_canonicalize_filename (path, NULL);
  const gchar *why;
  gboolean ok;
  gsize size;

  if (is_open (self, canonical)) {
    g_free (canonical);
    return report (self, place, path, "this file includes itself");
  }
  g_ptr_array_add (self->open, canonical);
  text = read_bytes (path, &size, &why);
  if (!text)
    ok = report (self, place, path, why);
  else if (self->n_files++ >= TL_SPEC_MAX_INCLUDES)
    ok = report (self, place, path, "too many files are included");
  else
    ok = read_text (self, path, text, size);
  g_ptr_array_set_size (self->open, self->open->len - 1);
  return ok;
}

static TlSpecFile *
new_file (TlDiagnostics *diagnostics)
{
  TlSpecFile *self = g_new0 (TlSpecFile, 1);

  self->stages = g_array_new (FALSE, FALSE, sizeof (TlSpecFileStage));
  self->vars = tl_vars_new (diagnostics);
  self->documents =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tl_document_free);
  return self;
}

void
tl_spec_file_free (TlSpecFile *self)
{
  if (!self)
    return;
  g_array_unref (self->stages);
  tl_vars_free (self->vars);
  g_ptr_array_unref (self->documents);
  g_free (self);
}

/* @text is NULL where the bytes are those of the file @path. */
static TlSpecFile *
read_all (const gchar *path, const gchar *text, gsize size,
    TlDiagnostics *diagnostics)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (TlSpecFile) file = new_file (diagnostics);
  Reader self = {file, diagnostics, paths, 0};
  TlPlace nowhere = {0};
  gboolean ok;

  if (text) {
    g_ptr_array_add (paths, g_canonicalize_filename (path, NULL));
    ok = read_text (&self, path, text, size);
  } else {
    ok = read_path (&self, path, nowhere);
  }
  return ok ? g_steal_pointer (&file) : NULL;
}

TlSpecFile *
tl_spec_file_read (const gchar *path, TlDiagnostics *diagnostics)
{
  return read_all (path, NULL, 0, diagnostics);
}

TlSpecFile *
tl_spec_file_read_text (const gchar *path, const gchar *text, gsize size,
    TlDiagnostics *diagnostics)
{
  return read_all (path, text, size, diagnostics);
}
