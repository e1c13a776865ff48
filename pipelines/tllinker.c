/* SPDX-License-Identifier: BSD-3-Clause */

#include "tllinker.h"

#include "tlnear.h"

#include <string.h>

/* Longer caps are cut in messages. */
#define MAX_CAPS_LENGTH 300

/* ---- Pads ---- */

/* "src_%u" takes "src_1" and any other name that begins with "src_". */
static gboolean
template_takes (const GstStaticPadTemplate *template, const gchar *pad)
{
  const gchar *percent = strchr (template->name_template, '%');

  if (!pad)
    return TRUE;
  if (!percent)
    return g_str_equal (template->name_template, pad);
  return strncmp (template->name_template, pad,
             percent - template->name_template)
      == 0;
}

/* The first template of @element in @direction that takes @pad, with
 * @presence unless that is -1; NULL if there is none. */
static const GstStaticPadTemplate *
find_template (GstElement *element, GstPadDirection direction, const gchar *pad,
    gint presence)
{
  const GList *templates = gst_element_factory_get_static_pad_templates (
      gst_element_get_factory (element));

  for (const GList *l = templates; l; l = l->next) {
    const GstStaticPadTemplate *template = l->data;

    if (template->direction == direction
        && (presence < 0 || (gint) template->presence == presence)
        && template_takes (template, pad))
      return template;
  }
  return NULL;
}

/* The pads that @element has now in @direction; *transferred*. */
static GList *
list_pads (GstElement *element, GstPadDirection direction)
{
  GList *found = NULL;

  GST_OBJECT_LOCK (element);
  for (GList *l = direction == GST_PAD_SRC ? element->srcpads
                                           : element->sinkpads;
       l; l = l->next)
    found = g_list_append (found, gst_object_ref (l->data));
  GST_OBJECT_UNLOCK (element);
  return found;
}

/* ---- Why two elements cannot be linked ---- */

static void
append_caps (GString *notes, const gchar *element, const gchar *pad,
    const gchar *verb, GstCaps *caps)
{
  g_autofree gchar *text = gst_caps_to_string (caps);
  const gchar *rest = "";

  if (strlen (text) > MAX_CAPS_LENGTH) {
    *g_utf8_find_prev_char (text, text + MAX_CAPS_LENGTH) = '\0';
    rest = "…";
  }
  g_string_append_printf (notes, "%s%s.%s %s: %s%s", notes->len ? "\n" : "",
      element, pad, verb, text, rest);
}

/* What the pads of one side give or take: those that are there, and those that
 * could be. */
static void
append_side (GString *notes, GstElement *element, GstPadDirection direction,
    const gchar *pad)
{
  const gchar *verb = direction == GST_PAD_SRC ? "gives" : "takes";
  const GList *templates = gst_element_factory_get_static_pad_templates (
      gst_element_get_factory (element));
  g_autolist (GstPad) pads = list_pads (element, direction);

  for (GList *l = pads; l; l = l->next) {
    g_autoptr (GstCaps) caps = gst_pad_query_caps (l->data, NULL);

    if (!pad || g_str_equal (GST_OBJECT_NAME (l->data), pad))
      append_caps (notes, GST_OBJECT_NAME (element), GST_OBJECT_NAME (l->data),
          verb, caps);
  }
  for (const GList *l = templates; l; l = l->next) {
    GstStaticPadTemplate *template = l->data;
    g_autoptr (GstCaps) caps = NULL;

    if (template->direction != direction || template->presence == GST_PAD_ALWAYS
        || !template_takes (template, pad))
      continue;
    caps = gst_static_pad_template_get_caps (template);
    append_caps (notes, GST_OBJECT_NAME (element), template->name_template,
        verb, caps);
  }
}

static gchar *
suggest_pad (GstElement *element, GstPadDirection direction, const gchar *pad)
{
  const GList *templates = gst_element_factory_get_static_pad_templates (
      gst_element_get_factory (element));
  TlNear near;

  tl_near_init (&near, pad);
  for (const GList *l = templates; l; l = l->next) {
    const GstStaticPadTemplate *template = l->data;

    if (template->direction == direction)
      tl_near_offer (&near, template->name_template);
  }
  return tl_near_suggest (&near);
}

/* A pad that is there by this name, or one that can be made. */
static gboolean
has_pad (GstElement *element, GstPadDirection direction, const gchar *pad)
{
  g_autoptr (GstPad) found =
      pad ? gst_element_get_static_pad (element, pad) : NULL;
  g_autolist (GstPad) pads = list_pads (element, direction);

  return pad ? found && GST_PAD_DIRECTION (found) == direction : pads != NULL;
}

/* FALSE, after an error, if @element has no pad at all for its side of the
 * link. */
static gboolean
check_side (const TlLink *link, GstElement *element, GstPadDirection direction,
    const gchar *pad, TlDiagnostics *diagnostics)
{
  const gchar *name = GST_OBJECT_NAME (element);
  g_autofree gchar *suggestion = NULL;

  if (has_pad (element, direction, pad)
      || find_template (element, direction, pad, -1))
    return TRUE;
  if (pad) {
    suggestion = suggest_pad (element, direction, pad);
    tl_diagnostics_error (diagnostics, link->place, NULL,
        "%s has no %s pad \"%s\"%s", name,
        direction == GST_PAD_SRC ? "source" : "sink", pad, suggestion);
  } else if (direction == GST_PAD_SRC) {
    tl_diagnostics_error (diagnostics, link->place, NULL,
        "%s cannot follow %s, which has no source pad",
        GST_OBJECT_NAME (link->to), name);
  } else {
    tl_diagnostics_error (diagnostics, link->place, NULL,
        "%s cannot follow %s: it has no sink pad", name,
        GST_OBJECT_NAME (link->from));
  }
  return FALSE;
}

/* The only pad of that side, if it is linked already; *transferred*. */
static GstPad *
find_taken_pad (GstElement *element, GstPadDirection direction,
    const gchar *pad)
{
  g_autolist (GstPad) pads = list_pads (element, direction);

  if (!pad && find_template (element, direction, NULL, GST_PAD_REQUEST))
    return NULL;
  for (GList *l = pads; l; l = l->next) {
    if (pad && !g_str_equal (GST_OBJECT_NAME (l->data), pad))
      continue;
    if (!gst_pad_is_linked (l->data))
      return NULL;
  }
  if (pad)
    return gst_element_get_static_pad (element, pad);
  return pads ? gst_object_ref (pads->data) : NULL;
}

static gboolean
check_taken (const TlLink *link, GstElement *element, GstPadDirection direction,
    const gchar *pad, TlDiagnostics *diagnostics)
{
  g_autoptr (GstPad) taken = find_taken_pad (element, direction, pad);
  g_autoptr (GstPad) peer = taken ? gst_pad_get_peer (taken) : NULL;
  g_autoptr (GstElement) other =
      peer ? gst_pad_get_parent_element (peer) : NULL;

  if (!other)
    return TRUE;
  tl_diagnostics_error (diagnostics, link->place, NULL,
      "%s.%s is linked to %s already", GST_OBJECT_NAME (element),
      GST_OBJECT_NAME (taken), GST_OBJECT_NAME (other));
  return FALSE;
}

static void
explain (const TlLink *link, TlDiagnostics *diagnostics)
{
  g_autoptr (GString) notes = g_string_new (NULL);

  if (!check_side (link, link->from, GST_PAD_SRC, link->from_pad, diagnostics)
      || !check_side (link, link->to, GST_PAD_SINK, link->to_pad, diagnostics)
      || !check_taken (link, link->from, GST_PAD_SRC, link->from_pad,
          diagnostics)
      || !check_taken (link, link->to, GST_PAD_SINK, link->to_pad, diagnostics))
    return;
  append_side (notes, link->from, GST_PAD_SRC, link->from_pad);
  append_side (notes, link->to, GST_PAD_SINK, link->to_pad);
  tl_diagnostics_error (diagnostics, link->place, notes->str,
      "%s cannot follow %s: their caps have nothing in common",
      GST_OBJECT_NAME (link->to), GST_OBJECT_NAME (link->from));
}

/* ---- Links that are made later ---- */

typedef struct
{
  GstElement *to;
  gchar *from_pad;
  gchar *to_pad;
  gint linked; /* atomic: pads can come from several threads */
} Later;

static void
free_later (gpointer data, GClosure *closure)
{
  Later *later = data;

  gst_object_unref (later->to);
  g_free (later->from_pad);
  g_free (later->to_pad);
  g_free (later);
}

static void
on_pad_added (GstElement *from, GstPad *pad, Later *later)
{
  if (GST_PAD_DIRECTION (pad) != GST_PAD_SRC
      || (later->from_pad
          && !g_str_equal (GST_OBJECT_NAME (pad), later->from_pad))
      || !g_atomic_int_compare_and_exchange (&later->linked, FALSE, TRUE))
    return;
  if (!gst_element_link_pads (from, GST_OBJECT_NAME (pad), later->to,
          later->to_pad))
    g_atomic_int_set (&later->linked, FALSE);
}

/* Without the link the rest of the pipeline would wait for ever. */
static void
on_no_more_pads (GstElement *from, Later *later)
{
  if (!g_atomic_int_get (&later->linked))
    GST_ELEMENT_ERROR (from, CORE, PAD,
        ("None of the streams in %s fits %s.", GST_OBJECT_NAME (from),
            GST_OBJECT_NAME (later->to)),
        ("no pad of %s could be linked", GST_OBJECT_NAME (from)));
}

static void
link_later (const TlLink *link)
{
  Later *later = g_new0 (Later, 1);

  later->to = gst_object_ref (link->to);
  later->from_pad = g_strdup (link->from_pad);
  later->to_pad = g_strdup (link->to_pad);
  g_signal_connect_data (link->from, "pad-added", G_CALLBACK (on_pad_added),
      later, free_later, 0);
  /* Disconnected with the first one, whose data it uses. */
  g_signal_connect (link->from, "no-more-pads", G_CALLBACK (on_no_more_pads),
      later);
}

TlLinked
tl_linker_link (const TlLink *link, TlDiagnostics *diagnostics)
{
  const GstStaticPadTemplate *later;

  if (gst_element_link_pads (link->from, link->from_pad, link->to,
          link->to_pad))
    return TL_LINKED;
  later = find_template (link->from, GST_PAD_SRC, link->from_pad,
      GST_PAD_SOMETIMES);
  if (later
      && (has_pad (link->to, GST_PAD_SINK, link->to_pad)
          || find_template (link->to, GST_PAD_SINK, link->to_pad, -1))) {
    link_later (link);
    return TL_LINKED_LATER;
  }
  explain (link, diagnostics);
  return TL_NOT_LINKED;
}
