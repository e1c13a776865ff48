/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlnear.h"

#include <string.h>

/* Longer words are compared with nothing: nobody mistypes one of them. */
#define MAX_LENGTH 60

static guint
min3 (guint a, guint b, guint c)
{
  return MIN (a, MIN (b, c));
}

/* Row i of the table of distances from those of i - 1 and i - 2; its
 * minimum. */
static guint
fill_row (const gchar *a, const gchar *b, guint length, guint i, guint *row,
    const guint *above, const guint *above2)
{
  guint least = row[0] = i;

  for (guint j = 1; j <= length; j++) {
    gchar x = g_ascii_tolower (a[i - 1]), y = g_ascii_tolower (b[j - 1]);

    row[j] = min3 (above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
    if (i > 1 && j > 1 && x == g_ascii_tolower (b[j - 2])
        && g_ascii_tolower (a[i - 2]) == y)
      row[j] = MIN (row[j], above2[j - 2] + 1);
    least = MIN (least, row[j]);
  }
  return least;
}

guint
tl_near_distance (const gchar *a, const gchar *b, guint max)
{
  gsize n = strlen (a), m = strlen (b);
  guint rows[3][MAX_LENGTH + 1];

  if (n > MAX_LENGTH || m > MAX_LENGTH || (n > m ? n - m : m - n) > max)
    return max + 1;
  for (guint j = 0; j <= m; j++)
    rows[0][j] = j;
  for (guint i = 1; i <= n; i++) {
    if (fill_row (a, b, m, i, rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3])
        > max)
      return max + 1;
  }
  return MIN (rows[n % 3][m], max + 1);
}

/* Few steps for short words, so that "lr" is not "qp". */
void
tl_near_init (TlNear *self, const gchar *word)
{
  self->word = word;
  self->found = NULL;
  self->distance = MIN (1 + strlen (word) / 4, 3) + 1;
}

void
tl_near_offer (TlNear *self, const gchar *candidate)
{
  guint distance = tl_near_distance (self->word, candidate, self->distance - 1);

  if (distance < self->distance && distance < strlen (candidate)) {
    self->distance = distance;
    self->found = candidate;
  }
}

void
tl_near_offer_all (TlNear *self, const gchar *const *candidates)
{
  for (guint i = 0; candidates[i]; i++)
    tl_near_offer (self, candidates[i]);
}

gchar *
tl_near_suggest (const TlNear *self)
{
  if (!self->found)
    return g_strdup ("");
  return g_strdup_printf (" - did you mean \"%s\"?", self->found);
}
