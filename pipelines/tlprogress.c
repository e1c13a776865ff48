/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlprogress.h"

#include <math.h>

#define MIN_BAR 6
#define MAX_BAR 40

/* Longer than any run: 99 days. */
#define MAX_SECONDS (99.0 * 24 * 3600)

#define N_PARTS 6

void
tl_progress_init (TlProgress *self)
{
  *self = (TlProgress){.fraction = -1,
      .loss = -1,
      .accuracy = -1,
      .images_per_second = -1,
      .seconds = -1,
      .seconds_left = -1};
}

gchar *
tl_progress_format_time (gdouble seconds)
{
  guint n = (guint) CLAMP (round (seconds), 0, MAX_SECONDS);

  if (n < 60)
    return g_strdup_printf ("%u s", n);
  if (n < 3600)
    return g_strdup_printf ("%u:%02u", n / 60, n % 60);
  return g_strdup_printf ("%u:%02u:%02u", n / 3600, n / 60 % 60, n % 60);
}

static gchar *
format_epoch (const TlProgress *self)
{
  if (self->epoch == 0)
    return NULL;
  if (self->epochs == 0)
    return g_strdup_printf ("epoch %u", self->epoch);
  return g_strdup_printf ("epoch %u/%u", self->epoch, self->epochs);
}

static gchar *
format_time (const gchar *word, gdouble seconds)
{
  g_autofree gchar *time = NULL;

  if (seconds < 0)
    return NULL;
  time = tl_progress_format_time (seconds);
  return g_strdup_printf ("%s%s", word, time);
}

static gchar *
format_number (const gchar *format, gdouble value)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE + 16];

  if (!(value >= 0))
    return NULL;
  return g_strdup (g_ascii_formatd (text, sizeof text, format, value));
}

/* In the order of the line; NULL where there is nothing to say. */
static void
format_parts (const TlProgress *self, gchar *parts[N_PARTS])
{
  gdouble percent = 100 * CLAMP (self->fraction, -1, 1);

  parts[0] = format_epoch (self);
  /* Rounded down: 100 % is when it is done. */
  parts[1] = format_number ("%.0f", floor (percent));
  parts[2] = format_number ("%.3f", self->loss);
  parts[3] = format_number ("%.1f", 100 * self->accuracy);
  parts[4] = format_number ("%.0f", self->images_per_second);
  parts[5] = self->seconds_left >= 0 ? format_time ("ETA ", self->seconds_left)
                                     : format_time ("", self->seconds);
}

static const struct
{
  const gchar *before, *after;
} words[N_PARTS] = {{"", ""}, {"", " %"}, {"loss ", ""}, {"acc ", " %"},
    {"", " images/s"}, {"", ""}};

/* Which part is left out first where there is no room. */
static const guint least_first[N_PARTS] = {4, 3, 2, 5, 0, 1};

static void
append_parts (GString *line, gchar *const parts[N_PARTS], guint begin,
    guint end)
{
  for (guint i = begin; i < end; i++) {
    if (parts[i])
      g_string_append_printf (line, "%s%s%s%s", line->len ? "  " : "",
          words[i].before, parts[i], words[i].after);
  }
}

static void
append_bar (GString *line, gdouble fraction, guint width)
{
  guint filled = (guint) (CLAMP (fraction, 0, 1) * (width - 2));

  g_string_append (line, line->len ? "  [" : "[");
  for (guint i = 0; i < width - 2; i++)
    g_string_append_c (line, i < filled ? '=' : i == filled ? '>' : ' ');
  g_string_append_c (line, ']');
}

static guint
measure (gchar *const parts[N_PARTS])
{
  g_autoptr (GString) line = g_string_new (NULL);

  append_parts (line, parts, 0, N_PARTS);
  return (guint) line->len;
}

gchar *
tl_progress_format (const TlProgress *self, guint columns)
{
  GString *line = g_string_new (NULL);
  gchar *parts[N_PARTS];
  guint room;

  format_parts (self, parts);
  for (guint i = 0; i < N_PARTS && measure (parts) > columns; i++)
    g_clear_pointer (&parts[least_first[i]], g_free);
  room = columns - measure (parts);
  append_parts (line, parts, 0, 1);
  if (parts[1] && room >= MIN_BAR + 2)
    append_bar (line, self->fraction, MIN (room - 2, MAX_BAR));
  append_parts (line, parts, 1, N_PARTS);
  for (guint i = 0; i < N_PARTS; i++)
    g_free (parts[i]);
  return g_string_free (line, FALSE);
}
