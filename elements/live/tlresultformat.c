/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresultformat.h"

#include <string.h>

#include "tlnumber.h"

#define NS_PER_MS 1000000

/* ---- Parts ---- */

static void
append_clock (GString *text, guint64 time, const gchar *hours)
{
  guint64 ms = time / NS_PER_MS;

  g_string_append_printf (text, hours, ms / 3600000);
  g_string_append_printf (text, ":%02u:%02u.%03u", (guint) (ms / 60000 % 60),
      (guint) (ms / 1000 % 60), (guint) (ms % 1000));
}

static const gchar *
get_state_name (TlResultEntryState state)
{
  static const gchar *const names[] = {"valid", "abstained", "absent"};

  return names[MIN (state, TL_RESULT_ENTRY_ABSENT)];
}

/* ---- JSON ---- */

static void
append_json_string (GString *text, const gchar *value)
{
  g_autofree gchar *valid = NULL;

  if (!value) {
    g_string_append (text, "null");
    return;
  }
  valid = g_utf8_make_valid (value, -1);
  g_string_append_c (text, '"');
  for (const gchar *at = valid; *at; at++) {
    if (*at == '"' || *at == '\\')
      g_string_append_printf (text, "\\%c", *at);
    else if ((guchar) *at < 0x20 || *at == 0x7f)
      g_string_append_printf (text, "\\u%04x", (guint) *at);
    else
      g_string_append_c (text, *at);
  }
  g_string_append_c (text, '"');
}

static void
append_json_time (GString *text, const gchar *key, guint64 time)
{
  if (time == TL_RESULT_NO_TIME)
    g_string_append_printf (text, "\"%s\":null,", key);
  else
    g_string_append_printf (text, "\"%s\":%" G_GUINT64_FORMAT ",", key, time);
}

/* JSON knows no NaN and no infinity. */
static void
append_json_probability (GString *text, gdouble value)
{
  TlNumber number = tl_number_decimal (value);

  g_string_append (text, value - value == 0 ? number.text : "null");
}

static void
append_json (GString *text, guint top_k, const TlResultEntry *entry)
{
  g_string_append (text, "{\"time\":");
  if (entry->time == TL_RESULT_NO_TIME) {
    g_string_append (text, "null,");
  } else {
    g_string_append_c (text, '"');
    append_clock (text, entry->time, "%" G_GUINT64_FORMAT);
    g_string_append (text, "\",");
  }
  append_json_time (text, "ns", entry->time);
  append_json_time (text, "frame", entry->frame);
  append_json_time (text, "serial", entry->serial);
  g_string_append_printf (text,
      "\"state\":\"%s\",\"reason\":", get_state_name (entry->state));
  append_json_string (text, entry->reason);
  g_string_append (text, ",\"model\":");
  append_json_string (text, entry->model);
  g_string_append_c (text, ',');
  append_json_time (text, "age_ns", entry->age);
  append_json_time (text, "inference_ns", entry->inference);
  g_string_append_printf (text, "\"skipped\":%u,\"top\":[", entry->n_skipped);
  for (guint i = 0; i < MIN (entry->n, top_k); i++) {
    g_string_append_printf (text, "%s{\"index\":%u,\"class\":", i ? "," : "",
        entry->top[i].index);
    append_json_string (text, entry->top[i].name);
    g_string_append (text, ",\"probability\":");
    append_json_probability (text, entry->top[i].probability);
    g_string_append_c (text, '}');
  }
  g_string_append (text, "]}\n");
}

/* ---- CSV: RFC 4180, but lines end as on this system ---- */

static void
append_csv_string (GString *text, const gchar *value)
{
  g_autofree gchar *valid = NULL;
  gsize length;

  if (!value || !*value)
    return;
  valid = g_utf8_make_valid (value, -1);
  length = strlen (valid);
  if (!strpbrk (valid, ",\"\r\n") && *valid != ' '
      && valid[length - 1] != ' ') {
    g_string_append (text, valid);
    return;
  }
  g_string_append_c (text, '"');
  for (const gchar *at = valid; *at; at++) {
    if (*at == '"')
      g_string_append_c (text, '"');
    g_string_append_c (text, *at);
  }
  g_string_append_c (text, '"');
}

static void
append_csv_number (GString *text, guint64 value)
{
  if (value != TL_RESULT_NO_TIME)
    g_string_append_printf (text, "%" G_GUINT64_FORMAT, value);
  g_string_append_c (text, ',');
}

static void
append_csv (GString *text, guint top_k, const TlResultEntry *entry)
{
  if (entry->time != TL_RESULT_NO_TIME)
    append_clock (text, entry->time, "%" G_GUINT64_FORMAT);
  g_string_append_c (text, ',');
  append_csv_number (text, entry->time);
  append_csv_number (text, entry->frame);
  append_csv_number (text, entry->serial);
  g_string_append_printf (text, "%s,", get_state_name (entry->state));
  append_csv_string (text, entry->reason);
  g_string_append_c (text, ',');
  append_csv_string (text, entry->model);
  g_string_append_c (text, ',');
  append_csv_number (text, entry->age);
  append_csv_number (text, entry->inference);
  g_string_append_printf (text, "%u", entry->n_skipped);
  for (guint i = 0; i < top_k; i++) {
    g_string_append_c (text, ',');
    if (i < entry->n)
      append_csv_string (text, entry->top[i].name);
    g_string_append_c (text, ',');
    if (i < entry->n)
      g_string_append (text,
          tl_number_decimal (entry->top[i].probability).text);
  }
  g_string_append_c (text, '\n');
}

/* ---- WebVTT ---- */

void
tl_result_format_cue_time (GString *text, guint64 time)
{
  append_clock (text, time, "%02" G_GUINT64_FORMAT);
}

void
tl_result_format_cue (GString *text, guint64 start, guint64 end,
    const gchar *label)
{
  tl_result_format_cue_time (text, start);
  g_string_append (text, " --> ");
  tl_result_format_cue_time (text, end);
  g_string_append_c (text, '\n');
  for (const gchar *at = label; *at; at++) {
    if (*at == '&')
      g_string_append (text, "&amp;");
    else if (*at == '<')
      g_string_append (text, "&lt;");
    else if (*at == '>')
      g_string_append (text, "&gt;");
    else
      g_string_append_c (text, *at);
  }
  g_string_append (text, "\n\n");
}

/* A line break or a control character would end the line. */
static void
append_one_line (GString *text, const gchar *value)
{
  g_autofree gchar *valid = g_utf8_make_valid (value, -1);

  for (const gchar *at = valid; *at; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029)
      c = ' ';
    g_string_append_unichar (text, c);
  }
}

/* A model is never certain. */
static void
append_percent (GString *text, gdouble probability)
{
  gint percent =
      probability > 0 ? (gint) (100 * MIN (probability, 1) + 0.5) : 0;

  if (percent <= 0)
    g_string_append (text, " <1 %");
  else if (percent >= 100)
    g_string_append (text, " >99 %");
  else
    g_string_append_printf (text, " %d %%", percent);
}

void
tl_result_format_label (GString *text, const TlResultEntry *entry,
    gboolean percent)
{
  const gchar *name;

  if (entry->state == TL_RESULT_ENTRY_ABSTAINED) {
    g_string_append (text, "Uncertain");
    return;
  }
  if (entry->state != TL_RESULT_ENTRY_VALID || entry->n == 0)
    return;
  name = entry->top[0].name;
  append_one_line (text, name && *name ? name : "?");
  if (percent)
    append_percent (text, entry->top[0].probability);
}

/* ---- Lines ---- */

void
tl_result_format_header (GString *text, TlResultFormat format, guint top_k)
{
  if (format == TL_RESULT_VTT)
    g_string_append (text, "WEBVTT\n\n");
  if (format != TL_RESULT_CSV)
    return;
  g_string_append (text,
      "time,ns,frame,serial,state,reason,model,age_ns,"
      "inference_ns,skipped");
  for (guint i = 1; i <= top_k; i++)
    g_string_append_printf (text, ",class_%u,probability_%u", i, i);
  g_string_append_c (text, '\n');
}

void
tl_result_format_line (GString *text, TlResultFormat format, guint top_k,
    const TlResultEntry *entry)
{
  g_return_if_fail (format != TL_RESULT_VTT);

  if (format == TL_RESULT_JSONL)
    append_json (text, top_k, entry);
  else
    append_csv (text, top_k, entry);
}

void
tl_result_format_lost (GString *text, TlResultFormat format, guint top_k,
    guint64 n)
{
  g_autofree gchar *reason =
      g_strdup_printf ("%" G_GUINT64_FORMAT " entries are missing here", n);

  if (format == TL_RESULT_VTT) {
    g_string_append_printf (text, "NOTE %s\n\n", reason);
  } else if (format == TL_RESULT_JSONL) {
    g_string_append_printf (text,
        "{\"state\":\"lost\",\"lost\":%" G_GUINT64_FORMAT
        ",\"reason\":\"%s\"}\n",
        n, reason);
  } else {
    g_string_append_printf (text, ",,,,lost,%s,,,,", reason);
    for (guint i = 0; i < 2 * top_k; i++)
      g_string_append_c (text, ',');
    g_string_append_c (text, '\n');
  }
}
