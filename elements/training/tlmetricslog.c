/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlmetricslog.h"
#include "tlnumber.h"

#include <tlfail.h>
#include <tlfile.h>

#include <math.h>
#include <string.h>

#define LINE_START "{\"epoch\":"

/* A year of one epoch per minute has 200 MB. */
#define MAX_SIZE ((gsize) 256 << 20)

static gboolean
is_name (const gchar *text, gsize n)
{
  return n > 0 && strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789-") >= n;
}

/* Numbers and truth values; anything else is not for this file. */
static void
append_value (GString *line, const gchar *name, gsize n, const gchar *text)
{
  gchar *end;
  gdouble value = g_ascii_strtod (text, &end);
  gboolean is_number = end != text && *end == '\0' && isfinite (value);

  if (!is_number && strcmp (text, "true") != 0 && strcmp (text, "false") != 0)
    return;
  if (line->str[line->len - 1] != '{')
    g_string_append_c (line, ',');
  g_string_append_printf (line, "\"%.*s\":%s", (int) n, name,
      is_number ? tl_number_decimal (value).text : text);
}

static void
append_metrics (GString *line, const gchar *split, const gchar *metrics)
{
  g_auto (GStrv) words = NULL;

  if (!metrics)
    return;
  words = g_strsplit (metrics, " ", -1);
  g_string_append_printf (line, ",\"%s\":{", split);
  for (guint i = 0; words[i]; i++) {
    gsize n = strcspn (words[i], "=");

    /* It has a place of its own. */
    if (g_str_has_prefix (words[i], "lr="))
      continue;
    if (words[i][n] == '=' && is_name (words[i], n))
      append_value (line, words[i], n, words[i] + n + 1);
  }
  g_string_append_c (line, '}');
}

gchar *
tl_metrics_log_format (const TlCheckpointInfo *info)
{
  GString *line = g_string_new (NULL);
  gdouble lr;

  g_string_append_printf (line,
      LINE_START "%" G_GUINT32_FORMAT ",\"step\":%" G_GUINT64_FORMAT,
      info->epoch, info->step);
  if (tl_metrics_lookup (info->train, "lr", &lr))
    g_string_append_printf (line, ",\"lr\":%s", tl_number_decimal (lr).text);
  append_metrics (line, "train", info->train);
  append_metrics (line, "valid", info->valid);
  g_string_append (line, "}\n");
  return g_string_free (line, FALSE);
}

/* Of whole lines only: a part is what a foreign program left. */
static gboolean
is_earlier_line (const gchar *line, gsize n, guint32 epoch)
{
  const gchar *number = line + strlen (LINE_START);
  gchar *end;

  if (n < 2 || line[n - 1] != '\n' || line[n - 2] != '}'
      || !g_str_has_prefix (line, LINE_START))
    return FALSE;
  return g_ascii_strtoull (number, &end, 10) < epoch && end != number
      && *end == ',';
}

static TlStatus
read_text (const gchar *path, gchar **ret, TlError *error)
{
  TlFile file;
  TlStatus status;

  *ret = NULL;
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return TL_OK;
  status = tl_file_open (path, &file, error);
  if (status != TL_OK)
    return status;
  if (file.size <= MAX_SIZE) {
    *ret = g_malloc0 (file.size + 1);
    status = tl_file_read (&file, 0, *ret, file.size, error);
  } else {
    status = tl_fail (error, TL_ERROR_LIMIT,
        "%.600s: larger than 256 MiB, which metrics never are: remove it.",
        path);
  }
  tl_file_close (&file);
  return status;
}

TlStatus
tl_metrics_log_append (const gchar *path, const TlCheckpointInfo *info,
    gboolean fresh, TlError *error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree gchar *line = tl_metrics_log_format (info);
  g_autofree gchar *old = NULL;
  TlChunk chunk;

  if (!fresh) {
    TlStatus status = read_text (path, &old, error);

    if (status != TL_OK)
      return status;
  }
  for (const gchar *p = old; p && *p;) {
    gsize n = strcspn (p, "\n");

    n += p[n] == '\n';
    if (is_earlier_line (p, n, info->epoch))
      g_string_append_len (text, p, (gssize) n);
    p += n;
  }
  g_string_append (text, line);
  chunk = (TlChunk){text->str, text->len};
  return tl_file_replace (path, &chunk, 1, error);
}
