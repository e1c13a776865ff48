/* SPDX-License-Identifier: BSD-3-Clause */

/* One JSON object in one line. Text is made valid UTF-8; a number that is not
 * finite and a text that is NULL are left out, for JSON has neither. Numbers
 * are the shortest that read back as the same double. */

#ifndef TL_JSON_LINE_H
#define TL_JSON_LINE_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* '{"type":"@type"': add to it, then give it to
 * tl_output_json (), which ends it. *transferred*. */
GString *tl_json_line_new (const gchar *type);

void tl_json_line_add_text (GString *line, const gchar *key,
    const gchar *value);
void tl_json_line_add_number (GString *line, const gchar *key, gdouble value);
void tl_json_line_add_count (GString *line, const gchar *key, guint64 value);
void tl_json_line_add_truth (GString *line, const gchar *key, gboolean value);

/* Every field of @structure. Arrays and lists become arrays, structures
 * objects, enums their nicks; types that JSON has no word for become text as
 * gst_value_serialize() writes it. */
void tl_json_line_add_structure (GString *line, const GstStructure *structure);

G_END_DECLS

#endif
