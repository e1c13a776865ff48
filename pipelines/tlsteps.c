/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsteps.h"

#include <string.h>

/* More than any element has; each costs a search for its name. */
#define MAX_PROPERTIES 500
/* Of all properties: aliases let a short text have endless ones. */
#define MAX_VALUES 5000

static void read_chain (TlStepsReader *self, const TlNode *list,
    TlSpecChain *chain);

/* ---- Life ---- */

TlSpecText *
tl_spec_text_new (const gchar *text, TlPlace place)
{
  TlSpecText *self = g_new0 (TlSpecText, 1);

  self->text = g_strdup (text);
  self->place = place;
  return self;
}

void
tl_spec_text_free (gpointer data)
{
  g_free (((TlSpecText *) data)->text);
  g_free (data);
}

TlSpecProperty *
tl_spec_property_new (const gchar *name, TlPlace place, TlPlace value_place)
{
  TlSpecProperty *self = g_new0 (TlSpecProperty, 1);

  self->name = g_strdup (name);
  self->place = place;
  self->value_place = value_place;
  self->values = g_ptr_array_new_with_free_func (tl_spec_text_free);
  return self;
}

void
tl_spec_property_free (gpointer data)
{
  TlSpecProperty *self = data;

  g_free (self->name);
  g_ptr_array_unref (self->values);
  g_free (self);
}

static void
free_step (gpointer data)
{
  TlSpecStep *self = data;

  g_free (self->text.text);
  g_free (self->name);
  g_ptr_array_unref (self->properties);
  g_ptr_array_unref (self->branches);
  g_free (self);
}

static TlSpecStep *
new_step (TlPlace place)
{
  TlSpecStep *self = g_new0 (TlSpecStep, 1);

  self->kind = TL_STEP_BAD;
  self->text.place = self->name_place = place;
  self->properties = g_ptr_array_new_with_free_func (tl_spec_property_free);
  self->branches = g_ptr_array_new_with_free_func (tl_spec_chain_free);
  return self;
}

static TlSpecChain *
new_chain (const gchar *name, TlPlace place)
{
  TlSpecChain *self = g_new0 (TlSpecChain, 1);

  self->name = g_strdup (name);
  self->place = place;
  self->steps = g_ptr_array_new_with_free_func (free_step);
  return self;
}

void
tl_spec_chain_free (gpointer data)
{
  TlSpecChain *self = data;

  g_free (self->name);
  g_ptr_array_unref (self->steps);
  g_free (self);
}

void
tl_spec_link_free (gpointer data)
{
  TlSpecLink *self = data;

  g_free (self->from_element);
  g_free (self->from_pad);
  g_free (self->to_element);
  g_free (self->to_pad);
  g_free (self);
}

/* ---- Texts ---- */

#define ERROR(self, node, ...)                                                 \
  tl_diagnostics_error ((self)->diagnostics, (node)->place, NULL, __VA_ARGS__)

TlSpecText
tl_steps_read_text (TlStepsReader *self, const TlNode *node)
{
  TlSpecText text = {NULL, node->place};

  if (node->kind == TL_NODE_SCALAR)
    text.text = tl_vars_expand (self->vars, node);
  else
    ERROR (self, node, "expected a text");
  return text;
}

static void
append_value (TlStepsReader *self, TlSpecProperty *property, const TlNode *node)
{
  TlSpecText text = {NULL};

  if (self->n_values++ == MAX_VALUES)
    ERROR (self, node, "a file has at most %d values", MAX_VALUES);
  if (self->n_values <= MAX_VALUES)
    text = tl_steps_read_text (self, node);
  if (text.text)
    g_ptr_array_add (property->values,
        g_memdup2 (&text, sizeof text)); /* with its text */
}

/* ---- Properties ---- */

/* NULL if the value cannot be understood. */
static TlSpecProperty *
read_property (TlStepsReader *self, const TlNode *key, const TlNode *value)
{
  TlSpecProperty *property =
      tl_spec_property_new (key->text, key->place, value->place);
  guint n = 1;

  if (tl_node_is_null (value)) {
    ERROR (self, key, "\"%s\" has no value; write \"\" for an empty text",
        key->text);
  } else if (value->kind == TL_NODE_MAPPING) {
    ERROR (self, value, "\"%s\" takes a value or a list of values", key->text);
  } else if (value->kind == TL_NODE_LIST) {
    property->is_list = TRUE;
    n = value->items->len;
    for (guint i = 0; i < n; i++)
      append_value (self, property, value->items->pdata[i]);
  } else {
    append_value (self, property, value);
  }
  if (property->values->len == n)
    return property;
  tl_spec_property_free (property);
  return NULL;
}

static void
read_name (TlStepsReader *self, TlSpecStep *step, const TlNode *value)
{
  TlSpecText text = tl_steps_read_text (self, value);

  if (!text.text)
    return;
  if (!tl_vars_is_name (text.text)) {
    ERROR (self, value,
        "\"%s\" is no name for an element: letters, digits, - and _",
        text.text);
    g_free (text.text);
    return;
  }
  g_free (step->name);
  step->name = text.text;
  step->name_place = value->place;
  step->is_named = TRUE;
}

static gboolean
begins_with_queue (const TlSpecChain *chain)
{
  const TlSpecStep *first = chain->steps->len ? chain->steps->pdata[0] : NULL;

  return first && first->kind == TL_STEP_ELEMENT
      && (g_str_equal (first->text.text, "queue")
          || g_str_equal (first->text.text, "queue2"));
}

/* A branch needs a thread of its own, or one that waits stops the others. */
static void
add_queue (TlSpecChain *branch)
{
  TlSpecStep *queue = new_step (branch->place);

  queue->kind = TL_STEP_ELEMENT;
  queue->text.text = g_strdup ("queue");
  queue->is_implied = TRUE;
  g_ptr_array_insert (branch->steps, 0, queue);
}

static void
read_branches (TlStepsReader *self, TlSpecStep *step, const TlNode *value)
{
  if (value->kind != TL_NODE_MAPPING || value->keys->len == 0) {
    ERROR (self, value,
        "branches is a mapping of names to lists of steps, such as {show: "
        "[autovideosink]}");
    return;
  }
  for (guint i = 0; i < value->keys->len; i++) {
    const TlNode *key = value->keys->pdata[i];
    TlSpecChain *branch = new_chain (key->text, key->place);

    read_chain (self, value->values->pdata[i], branch);
    if (!begins_with_queue (branch))
      add_queue (branch);
    g_ptr_array_add (step->branches, branch);
  }
}

static void
read_properties (TlStepsReader *self, TlSpecStep *step, const TlNode *value)
{
  if (value->keys->len > MAX_PROPERTIES) {
    ERROR (self, value, "an element has at most %d properties", MAX_PROPERTIES);
    return;
  }
  for (guint i = 0; i < value->keys->len; i++) {
    const TlNode *key = value->keys->pdata[i];
    TlSpecProperty *property;

    if (g_str_equal (key->text, "name")) {
      read_name (self, step, value->values->pdata[i]);
    } else if (g_str_equal (key->text, "branches")) {
      read_branches (self, step, value->values->pdata[i]);
    } else {
      property = read_property (self, key, value->values->pdata[i]);
      if (property)
        g_ptr_array_add (step->properties, property);
    }
  }
}

/* ---- Steps ---- */

static void
take_text (TlStepsReader *self, TlSpecStep *step, const TlNode *node,
    TlStepKind kind)
{
  TlSpecText text = tl_steps_read_text (self, node);

  if (!text.text)
    return;
  if (*text.text == '\0') {
    ERROR (self, node, "an empty text is no step");
    g_free (text.text);
    return;
  }
  step->text = text;
  step->kind = kind;
}

static void
read_element (TlStepsReader *self, TlSpecStep *step, const TlNode *key,
    const TlNode *value)
{
  take_text (self, step, key, TL_STEP_ELEMENT);
  if (tl_node_is_null (value))
    return;
  if (value->kind == TL_NODE_MAPPING)
    read_properties (self, step, value);
  else
    ERROR (self, value,
        "the properties of %s are a mapping, such as {name: "
        "value}",
        key->text);
}

static void
read_entry (TlStepsReader *self, TlSpecStep *step, const TlNode *node)
{
  const TlNode *key = node->keys->len ? node->keys->pdata[0] : NULL;

  if (node->keys->len > 1)
    ERROR (self, node,
        "each step must be an element name or one \"element: {properties}\" "
        "entry (found several keys; indent the properties deeper)");
  else if (!key)
    ERROR (self, node, "an empty mapping is no step");
  else if (g_str_equal (key->text, "caps"))
    take_text (self, step, node->values->pdata[0], TL_STEP_CAPS);
  else if (g_str_equal (key->text, "launch"))
    take_text (self, step, node->values->pdata[0], TL_STEP_LAUNCH);
  else
    read_element (self, step, key, node->values->pdata[0]);
}

static TlSpecStep *
read_step (TlStepsReader *self, const TlNode *node)
{
  TlSpecStep *step = new_step (node->place);

  if (node->kind == TL_NODE_LIST) {
    ERROR (self, node,
        "a list is no step; several chains are a list of lists only");
  } else if (node->kind == TL_NODE_MAPPING) {
    read_entry (self, step, node);
  } else if (tl_node_is_null (node)) {
    ERROR (self, node, "an empty step");
  } else {
    take_text (self, step, node, TL_STEP_ELEMENT);
    if (step->kind == TL_STEP_ELEMENT && strchr (step->text.text, '/'))
      step->kind = TL_STEP_CAPS;
  }
  return step;
}

/* FALSE if there are too many: aliases let a short text have endless steps. */
static gboolean
count_step (TlStepsReader *self, const TlNode *node)
{
  if (self->n_steps++ < TL_SPEC_MAX_STEPS)
    return TRUE;
  ERROR (self, node, "a file has at most %d steps", TL_SPEC_MAX_STEPS);
  return FALSE;
}

static void
read_chain (TlStepsReader *self, const TlNode *list, TlSpecChain *chain)
{
  const TlSpecStep *before = NULL;

  if (list->kind != TL_NODE_LIST || list->items->len == 0) {
    ERROR (self, list,
        "expected a list of steps, such as [videotestsrc, "
        "fakesink]");
    g_ptr_array_add (chain->steps, new_step (list->place));
    return;
  }
  for (guint i = 0; i < list->items->len; i++) {
    const TlNode *item = list->items->pdata[i];

    if (!count_step (self, item))
      break;
    if (before && before->branches->len)
      ERROR (self, item,
          "nothing can follow %s in its chain: the branches go on from it",
          before->text.text);
    before = read_step (self, item);
    g_ptr_array_add (chain->steps, (gpointer) before);
  }
}

static gboolean
is_list_of_lists (const TlNode *node)
{
  return node->kind == TL_NODE_LIST && node->items->len
      && ((TlNode *) node->items->pdata[0])->kind == TL_NODE_LIST;
}

void
tl_steps_read_pipeline (TlStepsReader *self, const TlNode *pipeline,
    GPtrArray *chains)
{
  gboolean several = is_list_of_lists (pipeline);

  for (guint i = 0; i < (several ? pipeline->items->len : 1); i++) {
    const TlNode *list = several ? pipeline->items->pdata[i] : pipeline;
    TlSpecChain *chain = new_chain (NULL, list->place);

    read_chain (self, list, chain);
    if (chain->steps->len)
      g_ptr_array_add (chains, chain);
    else
      tl_spec_chain_free (chain);
  }
}

/* ---- Links ---- */

/* "element" or "element.pad"; FALSE if @text is neither. */
static gboolean
split_end (const gchar *text, gchar **element, gchar **pad)
{
  const gchar *dot = strchr (text, '.');

  *element = dot ? g_strndup (text, dot - text) : g_strdup (text);
  *pad = dot ? g_strdup (dot + 1) : NULL;
  return tl_vars_is_name (*element) && (!dot || dot[1] != '\0');
}

static TlSpecLink *
parse_link (const gchar *text, TlPlace place)
{
  TlSpecLink *link = g_new0 (TlSpecLink, 1);
  g_auto (GStrv) ends = g_strsplit (text, "->", -1);

  link->place = place;
  if (g_strv_length (ends) == 2
      && split_end (g_strstrip (ends[0]), &link->from_element, &link->from_pad)
      && split_end (g_strstrip (ends[1]), &link->to_element, &link->to_pad))
    return link;
  tl_spec_link_free (link);
  return NULL;
}

static void
read_link (TlStepsReader *self, const TlNode *node, GPtrArray *links_out)
{
  TlSpecText text = tl_steps_read_text (self, node);
  TlSpecLink *link = text.text ? parse_link (text.text, text.place) : NULL;

  if (link)
    g_ptr_array_add (links_out, link);
  else if (text.text)
    ERROR (self, node,
        "\"%s\" is no link; expected \"element -> element\" or \"element.pad "
        "-> element.pad\"",
        text.text);
  g_free (text.text);
}

void
tl_steps_read_links (TlStepsReader *self, const TlNode *links,
    GPtrArray *links_out)
{
  if (links->kind != TL_NODE_LIST) {
    ERROR (self, links, "links is a list, such as [\"a -> b\"]");
    return;
  }
  for (guint i = 0; i < links->items->len; i++)
    read_link (self, links->items->pdata[i], links_out);
}
