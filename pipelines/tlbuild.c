/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbuild.h"

#include "tllinker.h"
#include "tlsettings.h"

typedef struct
{
  GstElement *pipeline;
  GHashTable *elements; /* name -> GstElement, borrowed from the pipeline */
  GHashTable *awaiting; /* GstElement that is linked later */
  TlDiagnostics *diagnostics;
} Builder;

/* ---- Elements ---- */

/* Whether pads of @element come only when it runs, as those of decodebin. */
static gboolean
awaits_pads (GstElement *element)
{
  const GList *templates =
      gst_element_class_get_pad_template_list (GST_ELEMENT_GET_CLASS (element));

  for (const GList *l = templates; l; l = l->next) {
    if (GST_PAD_TEMPLATE_DIRECTION (l->data) == GST_PAD_SRC
        && GST_PAD_TEMPLATE_PRESENCE (l->data) == GST_PAD_SOMETIMES)
      return element->numsrcpads == 0;
  }
  return FALSE;
}

/* The open input of what leads to @element; NULL if that begins with a source.
 * *Transferred*. */
static GstPad *
find_input_before (GstBin *bin, GstElement *element)
{
  for (gint i = 0; element && i < bin->numchildren; i++) {
    GstPad *pad = element->sinkpads ? element->sinkpads->data : NULL;
    g_autoptr (GstPad) peer = pad ? gst_pad_get_peer (pad) : NULL;

    if (!peer)
      return pad ? gst_object_ref (pad) : NULL;
    element = GST_PAD_PARENT (peer);
  }
  return NULL;
}

/* Behind a decodebin an input only looks open: it is linked when its pads come,
 * as in "filesrc ! decodebin ! queue". *Transferred*. */
static GstPad *
find_input (GstBin *bin)
{
  for (GList *l = bin->children; l; l = l->next) {
    if (awaits_pads (l->data))
      return find_input_before (bin, l->data);
  }
  return gst_bin_find_unlinked_pad (bin, GST_PAD_SINK);
}

/* @pad: *transferred*, or NULL. */
static void
ghost (GstBin *bin, const gchar *name, GstPad *pad)
{
  if (pad)
    gst_element_add_pad (GST_ELEMENT (bin), gst_ghost_pad_new (name, pad));
  g_clear_pointer (&pad, gst_object_unref);
}

/* The whole text in a bin of its own; pads that nothing in it uses are the
 * bin's. */
static GstElement *
make_launch (Builder *self, const TlSpecStep *step)
{
  g_autoptr (GError) error = NULL;
  GstElement *bin = gst_parse_bin_from_description_full (step->text.text, FALSE,
      NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);

  if (!bin || error) {
    tl_diagnostics_error (self->diagnostics, step->text.place, NULL,
        "launch: %s", error ? error->message : "nothing in it");
    if (bin)
      gst_object_unref (gst_object_ref_sink (bin));
    return NULL;
  }
  ghost (GST_BIN (bin), "sink", find_input (GST_BIN (bin)));
  ghost (GST_BIN (bin), "src",
      gst_bin_find_unlinked_pad (GST_BIN (bin), GST_PAD_SRC));
  gst_object_set_name (GST_OBJECT (bin), step->name);
  return bin;
}

static GstElement *
make_element (Builder *self, const TlSpecStep *step)
{
  g_autoptr (TlSettings) settings = NULL;

  if (step->kind == TL_STEP_BAD)
    return NULL;
  if (step->kind == TL_STEP_LAUNCH)
    return make_launch (self, step);
  settings = tl_settings_read (step, self->diagnostics);
  return settings ? tl_settings_make (settings, step, self->diagnostics) : NULL;
}

static void
add_element (Builder *self, const TlSpecStep *step)
{
  GstElement *element = make_element (self, step);

  if (!element)
    return;
  gst_bin_add (GST_BIN (self->pipeline), element);
  g_hash_table_insert (self->elements, step->name, element);
}

static void
add_chain (Builder *self, const TlSpecChain *chain)
{
  for (guint i = 0; i < chain->steps->len; i++) {
    const TlSpecStep *step = chain->steps->pdata[i];

    add_element (self, step);
    for (guint j = 0; j < step->branches->len; j++)
      add_chain (self, step->branches->pdata[j]);
  }
}

/* ---- Links ---- */

/* NULL if it could not be made, which has been told. */
static GstElement *
find_element (Builder *self, const gchar *name)
{
  return name ? g_hash_table_lookup (self->elements, name) : NULL;
}

static void
make_link (Builder *self, const TlLink *link)
{
  if (tl_linker_link (link, self->diagnostics) == TL_LINKED_LATER)
    g_hash_table_add (self->awaiting, link->to);
}

static void
link_steps (Builder *self, const TlSpecStep *from, const TlSpecStep *to)
{
  TlLink link = {find_element (self, from->name), NULL,
      find_element (self, to->name), NULL, to->text.place};

  if (link.from && link.to)
    make_link (self, &link);
}

/* The end of a branch is linked before its beginning: a pad that comes later
 * goes to the branch that takes its caps. */
static void
link_chain (Builder *self, const TlSpecChain *chain)
{
  for (guint i = chain->steps->len; i-- > 0;) {
    const TlSpecStep *step = chain->steps->pdata[i];

    for (guint j = 0; j < step->branches->len; j++) {
      const TlSpecChain *branch = step->branches->pdata[j];

      link_chain (self, branch);
      link_steps (self, step, branch->steps->pdata[0]);
    }
    if (i + 1 < chain->steps->len && step->branches->len == 0)
      link_steps (self, step, chain->steps->pdata[i + 1]);
  }
}

static void
link_named (Builder *self, const TlSpecLink *named)
{
  TlLink link = {find_element (self, named->from_element), named->from_pad,
      find_element (self, named->to_element), named->to_pad, named->place};

  if (!link.from || !link.to)
    return;
  if (link.from == link.to)
    tl_diagnostics_error (self->diagnostics, named->place, NULL,
        "%s cannot be linked to itself", named->from_element);
  else
    make_link (self, &link);
}

/* ---- What nothing leads to ---- */

/* A pad that is always there and gets nothing; *transferred*, NULL if there is
 * none. */
static GstPad *
find_unfed_pad (GstElement *element)
{
  GstPad *found = NULL;

  GST_OBJECT_LOCK (element);
  for (GList *l = element->sinkpads; l && !found; l = l->next) {
    GstPadTemplate *template = GST_PAD_PAD_TEMPLATE (l->data);

    if (!GST_PAD_PEER (l->data)
        && (!template
            || GST_PAD_TEMPLATE_PRESENCE (template) == GST_PAD_ALWAYS))
      found = gst_object_ref (l->data);
  }
  GST_OBJECT_UNLOCK (element);
  return found;
}

/* Such a pipeline would wait without a word. It is no mistake everywhere: some
 * elements do something else then. */
static void
check_fed (Builder *self, const TlSpecChain *chain)
{
  for (guint i = 0; i < chain->steps->len; i++) {
    const TlSpecStep *step = chain->steps->pdata[i];
    GstElement *element = find_element (self, step->name);
    g_autoptr (GstPad) pad = NULL;

    if (!g_hash_table_contains (self->awaiting, element))
      pad = find_unfed_pad (element);
    if (pad)
      tl_diagnostics_warning (self->diagnostics, step->text.place, NULL,
          "nothing leads to %s.%s", step->name, GST_OBJECT_NAME (pad));
    for (guint j = 0; j < step->branches->len; j++)
      check_fed (self, step->branches->pdata[j]);
  }
}

/* ---- The pipeline ---- */

static GstElement *
build (const TlSpecStage *stage, TlDiagnostics *diagnostics)
{
  g_autoptr (GHashTable) elements = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) awaiting = g_hash_table_new (NULL, NULL);
  Builder self = {gst_pipeline_new (stage->name), elements, awaiting,
      diagnostics};

  gst_object_ref_sink (self.pipeline);
  for (guint i = 0; i < stage->chains->len; i++)
    add_chain (&self, stage->chains->pdata[i]);
  for (guint i = 0; i < stage->chains->len; i++)
    link_chain (&self, stage->chains->pdata[i]);
  for (guint i = 0; i < stage->links->len; i++)
    link_named (&self, stage->links->pdata[i]);
  for (guint i = 0;
       i < stage->chains->len && tl_diagnostics_count_errors (diagnostics) == 0;
       i++)
    check_fed (&self, stage->chains->pdata[i]);
  return self.pipeline;
}

GstElement *
tl_build_stage (const TlSpecStage *stage, TlDiagnostics *diagnostics)
{
  g_autoptr (GstElement) pipeline = build (stage, diagnostics);

  if (tl_diagnostics_count_errors (diagnostics) > 0)
    return NULL;
  return g_steal_pointer (&pipeline);
}

gboolean
tl_build_check (const TlSpec *spec, TlDiagnostics *diagnostics)
{
  for (guint i = 0; i < spec->stages->len; i++) {
    GstElement *pipeline = build (spec->stages->pdata[i], diagnostics);

    gst_object_unref (pipeline);
  }
  return tl_diagnostics_count_errors (diagnostics) == 0;
}
