/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlqueries.h"

#define CURSOR "tl-cursor"
#define PREPROCESS "tl-preprocess"
#define FINAL_CHECKPOINT "tl-final-checkpoint"

static gboolean
has_name (GstQuery *query, const gchar *name)
{
  const GstStructure *s;

  if (GST_QUERY_TYPE (query) != GST_QUERY_CUSTOM)
    return FALSE;
  s = gst_query_get_structure (query);
  return s && gst_structure_has_name (s, name);
}

static GstQuery *
new_query (const gchar *name)
{
  return gst_query_new_custom (GST_QUERY_CUSTOM,
      gst_structure_new_empty (name));
}

/* ---- tl-cursor ---- */

GstQuery *
tl_query_new_cursor (void)
{
  return new_query (CURSOR);
}

gboolean
tl_query_is_cursor (GstQuery *query)
{
  return has_name (query, CURSOR);
}

void
tl_query_answer_cursor (GstQuery *query, const TlCursor *cursor)
{
  gst_structure_set (gst_query_writable_structure (query), "resume",
      G_TYPE_BOOLEAN, cursor->resume, "seed", G_TYPE_UINT64, cursor->seed,
      "epoch", G_TYPE_UINT, cursor->epoch, "split", G_TYPE_STRING,
      tl_split_nick (cursor->split), "position", G_TYPE_UINT64,
      cursor->position, "views", G_TYPE_UINT, cursor->views, "digest",
      G_TYPE_STRING, cursor->digest, "classes", G_TYPE_STRING, cursor->classes,
      "counts", G_TYPE_STRING, cursor->counts, NULL);
}

gboolean
tl_query_parse_cursor (GstQuery *query, TlCursor *ret)
{
  const GstStructure *s;
  const gchar *split, *digest;
  TlCursor cursor;

  if (!tl_query_is_cursor (query))
    return FALSE;
  s = gst_query_get_structure (query);
  split = gst_structure_get_string (s, "split");
  digest = gst_structure_get_string (s, "digest");
  if (!split || !digest || !tl_split_from_nick (split, &cursor.split)
      || g_strlcpy (cursor.digest, digest, sizeof cursor.digest)
          >= sizeof cursor.digest
      || !gst_structure_get (s, "resume", G_TYPE_BOOLEAN, &cursor.resume,
          "seed", G_TYPE_UINT64, &cursor.seed, "epoch", G_TYPE_UINT,
          &cursor.epoch, "position", G_TYPE_UINT64, &cursor.position, "views",
          G_TYPE_UINT, &cursor.views, NULL))
    return FALSE;
  cursor.classes = gst_structure_get_string (s, "classes");
  cursor.counts = gst_structure_get_string (s, "counts");
  *ret = cursor;
  return TRUE;
}

/* ---- tl-preprocess ---- */

GstQuery *
tl_query_new_preprocess (gboolean trains)
{
  return gst_query_new_custom (GST_QUERY_CUSTOM,
      gst_structure_new (PREPROCESS, "trains", G_TYPE_BOOLEAN, trains, NULL));
}

gboolean
tl_query_is_preprocess (GstQuery *query)
{
  return has_name (query, PREPROCESS);
}

gboolean
tl_query_preprocess_trains (GstQuery *query)
{
  gboolean trains = FALSE;

  if (tl_query_is_preprocess (query))
    gst_structure_get_boolean (gst_query_get_structure (query), "trains",
        &trains);
  return trains;
}

void
tl_query_answer_preprocess (GstQuery *query, const TlPreprocess *preprocess)
{
  g_autofree gchar *text = tl_preprocess_to_string (preprocess);

  gst_structure_set (gst_query_writable_structure (query), "preprocess",
      G_TYPE_STRING, text, NULL);
}

gboolean
tl_query_parse_preprocess (GstQuery *query, TlPreprocess *ret)
{
  const gchar *text;

  if (!tl_query_is_preprocess (query))
    return FALSE;
  text =
      gst_structure_get_string (gst_query_get_structure (query), "preprocess");
  return text && tl_preprocess_from_string (ret, text);
}

/* ---- tl-final-checkpoint ---- */

GstQuery *
tl_query_new_final_checkpoint (void)
{
  return new_query (FINAL_CHECKPOINT);
}

gboolean
tl_query_is_final_checkpoint (GstQuery *query)
{
  return has_name (query, FINAL_CHECKPOINT);
}

void
tl_query_set_final_checkpoint_received (GstQuery *query, guint64 n)
{
  gst_structure_set (gst_query_writable_structure (query), "received",
      G_TYPE_UINT64, n, NULL);
}

guint64
tl_query_final_checkpoint_received (GstQuery *query)
{
  guint64 n = G_MAXUINT64;

  if (tl_query_is_final_checkpoint (query))
    gst_structure_get_uint64 (gst_query_get_structure (query), "received", &n);
  return n;
}

void
tl_query_answer_final_checkpoint (GstQuery *query, GstBuffer *checkpoint)
{
  gst_structure_set (gst_query_writable_structure (query), "checkpoint",
      GST_TYPE_BUFFER, checkpoint, NULL);
}

GstBuffer *
tl_query_parse_final_checkpoint (GstQuery *query)
{
  GstBuffer *checkpoint = NULL;

  if (tl_query_is_final_checkpoint (query))
    gst_structure_get (gst_query_get_structure (query), "checkpoint",
        GST_TYPE_BUFFER, &checkpoint, NULL);
  return checkpoint;
}
