/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlspec.h"

#include "tlspecfile.h"
#include "tlnames.h"
#include "tlsets.h"
#include "tlsteps.h"

#define MAX_NEEDS 20

static void
free_stage (gpointer data)
{
  TlSpecStage *self = data;

  g_free (self->name);
  g_free (self->description);
  g_ptr_array_unref (self->chains);
  g_ptr_array_unref (self->links);
  g_ptr_array_unref (self->needs);
  g_free (self);
}

static TlSpecStage *
new_stage (const gchar *name, TlPlace place)
{
  TlSpecStage *self = g_new0 (TlSpecStage, 1);

  self->name = g_strdup (name);
  self->place = place;
  self->chains = g_ptr_array_new_with_free_func (tl_spec_chain_free);
  self->links = g_ptr_array_new_with_free_func (tl_spec_link_free);
  self->needs = g_ptr_array_new_with_free_func (tl_spec_text_free);
  return self;
}

void
tl_spec_free (TlSpec *self)
{
  if (!self)
    return;
  g_free (self->description);
  g_ptr_array_unref (self->stages);
  g_free (self);
}

const TlSpecStage *
tl_spec_find_stage (const TlSpec *self, const gchar *name)
{
  for (guint i = 0; i < self->stages->len; i++) {
    const TlSpecStage *stage = self->stages->pdata[i];

    if (g_strcmp0 (stage->name, name) == 0)
      return stage;
  }
  return NULL;
}

/* ---- Stages ---- */

static void
read_body (TlStepsReader *reader, TlSpecStage *stage, const TlNode *pipeline,
    const TlNode *links)
{
  tl_steps_read_pipeline (reader, pipeline, stage->chains);
  if (links)
    tl_steps_read_links (reader, links, stage->links);
  tl_names_assign (stage, reader->diagnostics);
}

static void
add_need (TlStepsReader *reader, TlSpecStage *stage, const TlNode *node)
{
  TlSpecText text = tl_steps_read_text (reader, node);

  if (text.text)
    g_ptr_array_add (stage->needs, g_memdup2 (&text, sizeof text));
}

static void
read_needs (TlStepsReader *reader, TlSpecStage *stage, const TlNode *node)
{
  if (node->kind != TL_NODE_LIST) {
    add_need (reader, stage, node);
    return;
  }
  if (node->items->len > MAX_NEEDS)
    tl_diagnostics_error (reader->diagnostics, node->place, NULL,
        "a stage needs at most %d others", MAX_NEEDS);
  for (guint i = 0; i < MIN (node->items->len, MAX_NEEDS); i++)
    add_need (reader, stage, node->items->pdata[i]);
}

static TlSpecStage *
read_stage (TlStepsReader *reader, const TlSpecFileStage *from)
{
  static const gchar *const keys[] = {"pipeline", "links", "needs",
      "description", NULL};
  TlSpecStage *stage = new_stage (from->key->text, from->key->place);
  const TlNode *pipeline = tl_node_get (from->value, "pipeline");
  const TlNode *needs = tl_node_get (from->value, "needs");
  const TlNode *description = tl_node_get (from->value, "description");

  if (!tl_vars_is_name (stage->name))
    tl_diagnostics_error (reader->diagnostics, stage->place, NULL,
        "\"%s\" is no name for a stage: letters, digits, - and _", stage->name);
  if (from->value->kind == TL_NODE_MAPPING)
    tl_spec_file_check_keys (from->value, "a stage", keys, reader->diagnostics);
  if (pipeline)
    read_body (reader, stage, pipeline, tl_node_get (from->value, "links"));
  else
    tl_diagnostics_error (reader->diagnostics, stage->place, NULL,
        "the stage \"%s\" has no pipeline", stage->name);
  if (needs)
    read_needs (reader, stage, needs);
  if (description)
    stage->description = tl_steps_read_text (reader, description).text;
  return stage;
}

static void
read_stages (TlSpec *self, const TlSpecFile *file, TlStepsReader *reader)
{
  if (file->description)
    self->description = tl_steps_read_text (reader, file->description).text;
  for (guint i = 0; i < file->stages->len; i++)
    g_ptr_array_add (self->stages,
        read_stage (reader, &g_array_index (file->stages, TlSpecFileStage, i)));
  if (file->pipeline) {
    TlSpecStage *stage = new_stage (NULL, file->pipeline->place);

    read_body (reader, stage, file->pipeline, file->links);
    g_ptr_array_add (self->stages, stage);
  }
}

/* ---- Loading ---- */

/* What runs is known; whether there is anything is not the parser's matter. */
static void
check_body (const TlSpecFile *file, TlDiagnostics *diagnostics)
{
  const TlDocument *first = file->documents->pdata[0];

  if (file->pipeline || file->stages->len
      || tl_diagnostics_count_errors (diagnostics) > 0)
    return;
  tl_diagnostics_error (diagnostics, tl_document_get_root (first)->place, NULL,
      "there is nothing to run: the file has neither a pipeline nor stages");
}

static TlSpec *
make_spec (const TlSpecFile *file, const TlSets *sets,
    TlDiagnostics *diagnostics)
{
  TlStepsReader reader = {file->vars, diagnostics};
  TlSpec *self = g_new0 (TlSpec, 1);

  self->stages = g_ptr_array_new_with_free_func (free_stage);
  tl_sets_apply_to_vars (sets, file->vars);
  tl_vars_check (file->vars);
  check_body (file, diagnostics);
  read_stages (self, file, &reader);
  tl_sets_apply_to_elements (sets, self->stages);
  tl_names_order_stages (self->stages, diagnostics);
  return self;
}

TlSpec *
tl_spec_load (const gchar *path, const gchar *const *sets,
    TlDiagnostics *diagnostics)
{
  g_autoptr (TlSets) parsed = tl_sets_parse (sets, diagnostics);
  g_autoptr (TlSpecFile) file = tl_spec_file_read (path, diagnostics);

  return file ? make_spec (file, parsed, diagnostics) : NULL;
}

TlSpec *
tl_spec_load_text (const gchar *name, const gchar *text, gsize size,
    const gchar *const *sets, TlDiagnostics *diagnostics)
{
  g_autoptr (TlSets) parsed = tl_sets_parse (sets, diagnostics);
  g_autoptr (TlSpecFile) file =
      tl_spec_file_read_text (name, text, size, diagnostics);

  return file ? make_spec (file, parsed, diagnostics) : NULL;
}
