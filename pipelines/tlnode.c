/* SPDX-License-Identifier: BSD-3-Clause */

/* The tree is composed from libyaml's events, not by yaml_parser_load(): an
 * alias then has a position of its own, and the limits hold while the text is
 * read instead of after. */

#include "tlnode.h"

#include "tlnear.h"
#include "tltext.h"

#include <string.h>
#include <yaml.h>

struct _TlDocument
{
  GPtrArray *nodes; /* TlNode, all there are */
  TlNode *root;
};

/* What is needed while composing. */
typedef struct
{
  yaml_parser_t parser;
  TlDocument *document;
  GHashTable *anchors; /* name -> TlNode; the open ones are NULL */
  guint source;
  guint count;
  TlDiagnostics *diagnostics;
} Composer;

static TlNode *compose_node (Composer *self, const yaml_event_t *event,
    guint depth);

/* ---- Nodes ---- */

static void
free_node (gpointer data)
{
  TlNode *node = data;

  g_free (node->text);
  g_clear_pointer (&node->items, g_ptr_array_unref);
  g_clear_pointer (&node->keys, g_ptr_array_unref);
  g_clear_pointer (&node->values, g_ptr_array_unref);
  g_free (node);
}

void
tl_document_free (TlDocument *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->nodes);
  g_free (self);
}

const TlNode *
tl_document_get_root (const TlDocument *self)
{
  return self->root;
}

const TlNode *
tl_node_get (const TlNode *node, const gchar *key)
{
  if (node->kind != TL_NODE_MAPPING)
    return NULL;
  for (guint i = 0; i < node->keys->len; i++) {
    if (g_str_equal (((TlNode *) node->keys->pdata[i])->text, key))
      return node->values->pdata[i];
  }
  return NULL;
}

gboolean
tl_node_is_null (const TlNode *node)
{
  return node->kind == TL_NODE_SCALAR && node->plain
      && (*node->text == '\0' || g_str_equal (node->text, "~"));
}

/* ---- Mistakes ---- */

static TlPlace
place_of (const Composer *self, yaml_mark_t mark)
{
  TlPlace place = {self->source, mark.line + 1, mark.column + 1};

  return place;
}

/* The byte at @place; 0 behind the end of its line. */
static gchar
byte_at (const Composer *self, TlPlace place)
{
  gsize size;
  const gchar *line = tl_diagnostics_get_line (self->diagnostics, place.source,
      place.line, &size);
  const gchar *end = line + size;

  for (guint i = 1; line && line < end && i < place.column; i++)
    line = g_utf8_next_char (line);
  return line && line < end ? *line : '\0';
}

/* What a beginner did to get libyaml's message; NULL: nothing that is known. */
static const gchar *
explain (const Composer *self, TlPlace place)
{
  const gchar *problem = self->parser.problem;

  if (g_str_equal (problem, "found character that cannot start any token"))
    return byte_at (self, place) == '\t'
        ? "a tab cannot indent; use spaces"
        : "a text that begins with this character needs quotes";
  if (g_str_equal (problem, "mapping values are not allowed in this context"))
    return "no \":\" is expected here: a text with \": \" in it needs quotes, "
           "and what belongs to a line above is indented deeper";
  if (strstr (problem, "tab character"))
    return "a tab cannot indent; use spaces";
  return NULL;
}

static void
report_syntax (Composer *self)
{
  const yaml_parser_t *parser = &self->parser;
  TlPlace place = place_of (self, parser->problem_mark);
  const gchar *problem = parser->problem ? parser->problem : "out of memory";
  const gchar *explanation = parser->problem ? explain (self, place) : NULL;
  g_autofree gchar *notes = NULL;

  if (parser->context
      && g_str_equal (problem, "found unexpected end of stream")) {
    tl_diagnostics_error (self->diagnostics,
        place_of (self, parser->context_mark), NULL,
        "the text in quotes that begins here has no end");
    return;
  }
  if (explanation) {
    tl_diagnostics_error (self->diagnostics, place, NULL, "%s", explanation);
    return;
  }
  if (parser->context)
    notes = g_strdup_printf ("%s that begins in line %u", parser->context,
        (guint) parser->context_mark.line + 1);
  tl_diagnostics_error (self->diagnostics, place, notes, "no YAML: %s",
      problem);
}

static gboolean
next_event (Composer *self, yaml_event_t *event)
{
  if (yaml_parser_parse (&self->parser, event))
    return TRUE;
  report_syntax (self);
  return FALSE;
}

/* FALSE if that was one too many. */
static gboolean
count_one (Composer *self, TlPlace place)
{
  if (self->count++ < TL_NODE_MAX_COUNT)
    return TRUE;
  tl_diagnostics_error (self->diagnostics, place, NULL,
      "the text has more than %d nodes", TL_NODE_MAX_COUNT);
  return FALSE;
}

static gboolean
check_height (Composer *self, TlPlace place, guint depth)
{
  if (depth <= TL_NODE_MAX_DEPTH)
    return TRUE;
  tl_diagnostics_error (self->diagnostics, place, NULL,
      "lists and mappings are nested deeper than %d", TL_NODE_MAX_DEPTH);
  return FALSE;
}

/* ---- Composing ---- */

static TlNode *
add_node (Composer *self, TlNodeKind kind, yaml_mark_t mark)
{
  TlNode *node;

  if (!count_one (self, place_of (self, mark)))
    return NULL;
  node = g_new0 (TlNode, 1);
  node->kind = kind;
  node->place = place_of (self, mark);
  g_ptr_array_add (self->document->nodes, node);
  return node;
}

static void
check_tag (Composer *self, const yaml_char_t *tag, yaml_mark_t mark)
{
  static const gchar common[] = "tag:yaml.org,2002:";
  const gchar *text = (const gchar *) tag;

  if (text && g_str_has_prefix (text, common))
    tl_diagnostics_error (self->diagnostics, place_of (self, mark), NULL,
        "the tag !!%s has no place here: the property decides what a text "
        "means",
        text + strlen (common));
  else if (text)
    tl_diagnostics_error (self->diagnostics, place_of (self, mark), NULL,
        "the tag %s has no place here: the property decides what a text means",
        text);
}

static void
open_anchor (Composer *self, const yaml_char_t *anchor)
{
  if (anchor)
    g_hash_table_insert (self->anchors, g_strdup ((const gchar *) anchor),
        NULL);
}

static void
close_anchor (Composer *self, const gchar *anchor, TlNode *node)
{
  if (anchor)
    g_hash_table_insert (self->anchors, g_strdup (anchor), node);
}

static TlNode *
compose_alias (Composer *self, const yaml_event_t *event, guint depth)
{
  const gchar *name = (const gchar *) event->data.alias.anchor;
  TlPlace place = place_of (self, event->start_mark);
  gpointer node;

  if (!g_hash_table_lookup_extended (self->anchors, name, NULL, &node)) {
    GHashTableIter iter;
    gpointer known;
    TlNear near;
    g_autofree gchar *suggestion = NULL;

    tl_near_init (&near, name);
    g_hash_table_iter_init (&iter, self->anchors);
    while (g_hash_table_iter_next (&iter, &known, NULL))
      tl_near_offer (&near, known);
    suggestion = tl_near_suggest (&near);
    tl_diagnostics_error (self->diagnostics, place, NULL,
        "no anchor &%s comes before this%s", name, suggestion);
    return NULL;
  }
  if (!node) {
    tl_diagnostics_error (self->diagnostics, place, NULL,
        "*%s is inside of &%s, so it would contain itself", name, name);
    return NULL;
  }
  if (!check_height (self, place, depth + ((TlNode *) node)->height))
    return NULL;
  return node;
}

static TlNode *
compose_scalar (Composer *self, const yaml_event_t *event)
{
  const gchar *text = (const gchar *) event->data.scalar.value;
  TlNode *node = add_node (self, TL_NODE_SCALAR, event->start_mark);

  if (!node)
    return NULL;
  check_tag (self, event->data.scalar.tag, event->start_mark);
  node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
  node->text = g_strdup (text);
  if (strlen (text) != event->data.scalar.length)
    tl_diagnostics_error (self->diagnostics, node->place, NULL,
        "a text cannot hold the character \\0");
  return node;
}

static TlNode *
compose_list (Composer *self, const yaml_event_t *start, guint depth)
{
  TlNode *node = add_node (self, TL_NODE_LIST, start->start_mark);
  yaml_event_t event;

  if (!node || !check_height (self, node->place, depth + 1))
    return NULL;
  check_tag (self, start->data.sequence_start.tag, start->start_mark);
  node->items = g_ptr_array_new ();
  while (next_event (self, &event)) {
    gboolean at_end = event.type == YAML_SEQUENCE_END_EVENT;
    TlNode *item = at_end ? NULL : compose_node (self, &event, depth + 1);

    yaml_event_delete (&event);
    if (at_end)
      return node;
    if (!item)
      return NULL;
    node->height = MAX (node->height, item->height + 1);
    g_ptr_array_add (node->items, item);
  }
  return NULL;
}

static void
add_entry (TlNode *node, TlNode *key, TlNode *value)
{
  g_ptr_array_add (node->keys, key);
  g_ptr_array_add (node->values, value);
  node->height = MAX (node->height, value->height + 1);
}

/* Adds what @from has and @node has not. */
static gboolean
merge_mapping (Composer *self, TlNode *node, const TlNode *from,
    GHashTable *known, TlPlace place)
{
  if (from->kind != TL_NODE_MAPPING) {
    tl_diagnostics_error (self->diagnostics, place, NULL,
        "<< takes a mapping or a list of mappings");
    return TRUE;
  }
  for (guint i = 0; i < from->keys->len; i++) {
    TlNode *key = from->keys->pdata[i];

    if (g_hash_table_contains (known, key->text))
      continue;
    if (!count_one (self, place))
      return FALSE;
    g_hash_table_insert (known, key->text, key);
    add_entry (node, key, from->values->pdata[i]);
  }
  return TRUE;
}

static gboolean
merge (Composer *self, TlNode *node, const TlNode *from, GHashTable *known)
{
  if (from->kind != TL_NODE_LIST)
    return merge_mapping (self, node, from, known, from->place);
  for (guint i = 0; i < from->items->len; i++) {
    if (!merge_mapping (self, node, from->items->pdata[i], known, from->place))
      return FALSE;
  }
  return TRUE;
}

/* An entry of @node as it was written. A merge key waits until all others are
 * there, since they win. */
static void
take_entry (Composer *self, TlNode *node, TlNode *key, TlNode *value,
    GHashTable *known, GPtrArray *merges)
{
  const TlNode *first;

  if (key->kind != TL_NODE_SCALAR) {
    tl_diagnostics_error (self->diagnostics, key->place, NULL,
        "a key must be a text");
    return;
  }
  if (key->plain && g_str_equal (key->text, "<<")) {
    g_ptr_array_add (merges, value);
    return;
  }
  first = g_hash_table_lookup (known, key->text);
  if (first) {
    tl_diagnostics_error (self->diagnostics, key->place, NULL,
        "\"%s\" is given twice; the first is in line %u", key->text,
        first->place.line);
    return;
  }
  g_hash_table_insert (known, key->text, key);
  add_entry (node, key, value);
}

/* Reads a key and its value; FALSE at the end of the mapping (*@ok stays) or
 * after an error. */
static gboolean
next_entry (Composer *self, guint depth, TlNode **key, TlNode **value,
    gboolean *ok)
{
  TlNode **targets[] = {key, value};
  yaml_event_t event;

  for (guint i = 0; i < 2; i++) {
    gboolean at_end;

    if (!next_event (self, &event)) {
      *ok = FALSE;
      return FALSE;
    }
    at_end = event.type == YAML_MAPPING_END_EVENT;
    if (!at_end)
      *targets[i] = compose_node (self, &event, depth);
    yaml_event_delete (&event);
    if (at_end)
      return FALSE;
    if (!*targets[i]) {
      *ok = FALSE;
      return FALSE;
    }
  }
  return TRUE;
}

static TlNode *
compose_mapping (Composer *self, const yaml_event_t *start, guint depth)
{
  TlNode *node = add_node (self, TL_NODE_MAPPING, start->start_mark);
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) merges = g_ptr_array_new ();
  TlNode *key = NULL, *value = NULL;
  gboolean ok = TRUE;

  if (!node || !check_height (self, node->place, depth + 1))
    return NULL;
  check_tag (self, start->data.mapping_start.tag, start->start_mark);
  node->keys = g_ptr_array_new ();
  node->values = g_ptr_array_new ();
  while (next_entry (self, depth + 1, &key, &value, &ok))
    take_entry (self, node, key, value, known, merges);
  for (guint i = 0; ok && i < merges->len; i++)
    ok = merge (self, node, merges->pdata[i], known);
  return ok ? node : NULL;
}

/* NULL after an error that ends the reading. Recursion: at most
 * TL_NODE_MAX_DEPTH. */
static TlNode *
compose_node (Composer *self, const yaml_event_t *event, guint depth)
{
  const yaml_char_t *anchor;
  TlNode *node;

  switch (event->type) {
    case YAML_ALIAS_EVENT:
      return compose_alias (self, event, depth);
    case YAML_SCALAR_EVENT:
      anchor = event->data.scalar.anchor;
      node = compose_scalar (self, event);
      break;
    case YAML_SEQUENCE_START_EVENT:
      anchor = event->data.sequence_start.anchor;
      open_anchor (self, anchor);
      node = compose_list (self, event, depth);
      break;
    case YAML_MAPPING_START_EVENT:
      anchor = event->data.mapping_start.anchor;
      open_anchor (self, anchor);
      node = compose_mapping (self, event, depth);
      break;
    default:
      g_return_val_if_reached (NULL);
  }
  close_anchor (self, (const gchar *) anchor, node);
  return node;
}

/* ---- The document ---- */

static void
report_empty (Composer *self)
{
  TlPlace place = {self->source, 0, 0};

  tl_diagnostics_error (self->diagnostics, place, NULL,
      "the text is empty: a pipeline file begins with \"tlpipe: 1\"");
}

/* What comes at the level of the stream: the beginning, one document, the
 * end. FALSE when there is nothing more to read. */
static gboolean
take_stream_event (Composer *self, const yaml_event_t *event, gboolean *ok)
{
  switch (event->type) {
    case YAML_STREAM_END_EVENT:
      if (!self->document->root)
        report_empty (self);
      *ok = self->document->root != NULL;
      return FALSE;
    case YAML_DOCUMENT_START_EVENT:
      if (!self->document->root)
        return TRUE;
      tl_diagnostics_error (self->diagnostics,
          place_of (self, event->start_mark), NULL,
          "a second document begins here; a pipeline file is one");
      return FALSE;
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
      return TRUE;
    default:
      self->document->root = compose_node (self, event, 0);
      return self->document->root != NULL;
  }
}

static gboolean
compose (Composer *self)
{
  gboolean ok = FALSE, more = TRUE;
  yaml_event_t event;

  while (more && next_event (self, &event)) {
    more = take_stream_event (self, &event, &ok);
    yaml_event_delete (&event);
  }
  return ok;
}

TlDocument *
tl_document_parse (const gchar *text, gsize size, guint source,
    TlDiagnostics *diagnostics)
{
  g_autoptr (TlDocument) document = NULL;
  Composer self = {.source = source, .diagnostics = diagnostics};
  gboolean ok;

  if (size >= 3 && memcmp (text, "\xef\xbb\xbf", 3) == 0) {
    text += 3;
    size -= 3;
  }
  if (!tl_text_check (text, size, TL_NODE_MAX_SIZE, source, diagnostics)
      || !yaml_parser_initialize (&self.parser))
    return NULL;
  document = g_new0 (TlDocument, 1);
  document->nodes = g_ptr_array_new_with_free_func (free_node);
  self.document = document;
  self.anchors = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  yaml_parser_set_encoding (&self.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string (&self.parser, (const guint8 *) text, size);
  ok = compose (&self);
  g_hash_table_unref (self.anchors);
  yaml_parser_delete (&self.parser);
  return ok ? g_steal_pointer (&document) : NULL;
}
