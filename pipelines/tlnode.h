/* SPDX-License-Identifier: BSD-3-Clause */

/* A YAML text as a tree that knows where each node was written.
 *
 * Scalars stay text: what they mean is decided by the property they are for.
 * Aliases lead to the node they name, so a node can have several parents;
 * merge keys (<<) are resolved. Refused with a position: several documents,
 * tags, duplicate keys, keys that are no scalars, an alias inside its own
 * anchor, and whatever exceeds the limits below. Knows no GStreamer. */

#ifndef TL_NODE_H
#define TL_NODE_H

#include "tldiagnostics.h"

G_BEGIN_DECLS

#define TL_NODE_MAX_SIZE (1024 * 1024) /* bytes of a file */
#define TL_NODE_MAX_DEPTH 50           /* lists and mappings in each other */
#define TL_NODE_MAX_COUNT 10000 /* nodes, and entries that merges bring */

typedef enum
{
  TL_NODE_SCALAR,
  TL_NODE_LIST,
  TL_NODE_MAPPING,
} TlNodeKind;

typedef struct
{
  TlNodeKind kind;
  TlPlace place;
  gboolean plain;    /* a scalar without quotes */
  gchar *text;       /* scalars: UTF-8 without NUL */
  GPtrArray *items;  /* lists: TlNode, borrowed */
  GPtrArray *keys;   /* mappings: scalars in their order, each text once */
  GPtrArray *values; /* mappings: one per key */
  guint height;      /* levels below; 0 for a scalar */
} TlNode;

typedef struct _TlDocument TlDocument;

/* Reads @text (@size bytes, any bytes at all), which is source @source of
 * @diagnostics. NULL if it is no YAML or exceeds a limit, and there is an error
 * in @diagnostics; with a lesser mistake the rest is given. *Transferred*. */
TlDocument *tl_document_parse (const gchar *text, gsize size, guint source,
    TlDiagnostics *diagnostics);
void tl_document_free (TlDocument *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlDocument, tl_document_free)

/* Borrowed, never NULL. */
const TlNode *tl_document_get_root (const TlDocument *self);

/* The value of @key, borrowed; NULL if @node is no mapping or has no such
 * key. */
const TlNode *tl_node_get (const TlNode *node, const gchar *key);

/* Nothing was written: "key:" or "key: ~". */
gboolean tl_node_is_null (const TlNode *node);

G_END_DECLS

#endif
