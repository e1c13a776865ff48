/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlgroup.h"

#include <string.h>

/* ---- the group in a file's name ---- */

static gboolean
is_separator (gchar c)
{
  return c && strchr (" _-.#+()[]{}", c) != NULL;
}

static gsize
trim_separators (const gchar *text, gsize n)
{
  while (n > 0 && is_separator (text[n - 1]))
    n--;
  return n;
}

/* Cuts a word for "frame" that stands alone at the end: "v12_frame" -> "v12_",
 * but "keyframe" stays. */
static gsize
trim_frame_word (const gchar *text, gsize n)
{
  static const gchar *const words[] = {"frame", "frm", "fr", "f", "image",
      "img", "im", "slice"};

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    gsize length = strlen (words[i]);

    if (n < length || g_ascii_strncasecmp (text + n - length, words[i], length))
      continue;
    if (n == length || !g_ascii_isalpha (text[n - length - 1]))
      return n - length;
  }
  return n;
}

/* Finds the last run of digits in text[0..n); FALSE if there is none. */
static gboolean
find_digits (const gchar *text, gsize n, gsize *start, gsize *end)
{
  gsize e = n, s;

  while (e > 0 && !g_ascii_isdigit (text[e - 1]))
    e--;
  if (e == 0)
    return FALSE;
  for (s = e; s > 0 && g_ascii_isdigit (text[s - 1]); s--)
    ;
  *start = s;
  *end = e;
  return TRUE;
}

gchar *
tl_group_from_path (const gchar *path)
{
  const gchar *slash = strrchr (path, '/');
  const gchar *name = slash ? slash + 1 : path;
  const gchar *dot = strrchr (name, '.');
  gsize stem = dot ? (gsize) (dot - name) : strlen (name);
  gsize start, end, n;

  if (!find_digits (name, stem, &start, &end))
    return NULL;
  n = trim_separators (name, start);
  n = trim_separators (name, trim_frame_word (name, n));
  if (n > 0)
    return g_strndup (path, name - path + n);
  /* Nothing in front of the number: with something behind it the number is
   * the name (10_left, 10_right); alone it counts the frames of the folder. */
  if (start == 0 && end < stem)
    return g_strndup (path, name - path + end);
  return g_strndup (path, slash ? slash - path : 0);
}

/* ---- the draw ---- */

typedef struct
{
  guint64 hash;
  const gchar *name;
  guint64 n_samples;
  guint32 stratum;
  guint index;
  gboolean drawn;
} Candidate;

static guint64
hash_name (const gchar *name)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize n = sizeof digest;
  guint64 hash = 0;

  g_checksum_update (checksum, (const guchar *) name, -1);
  g_checksum_get_digest (checksum, digest, &n);
  for (guint i = 0; i < sizeof hash; i++)
    hash = hash << 8 | digest[i];
  return hash;
}

static gint
compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *x = a, *y = b;

  if (x->stratum != y->stratum)
    return x->stratum < y->stratum ? -1 : 1;
  if (x->hash != y->hash)
    return x->hash < y->hash ? -1 : 1;
  return strcmp (x->name, y->name);
}

/* Of those with drawn == @drawn, the one with the fewest samples. */
static Candidate *
find_smallest (Candidate *candidates, guint n, gboolean drawn)
{
  Candidate *smallest = NULL;

  for (guint i = 0; i < n; i++) {
    if (candidates[i].drawn != drawn)
      continue;
    if (!smallest || candidates[i].n_samples < smallest->n_samples)
      smallest = &candidates[i];
  }
  return smallest;
}

/* One stratum: takes each group, in order of its hash, that brings the sum
 * nearer to the target, which is where half of the group fits below it. */
static void
draw_stratum (Candidate *candidates, guint n, gdouble fraction)
{
  guint64 total = 0, sum = 0;
  guint n_drawn = 0;

  for (guint i = 0; i < n; i++)
    total += candidates[i].n_samples;
  for (guint i = 0; i < n; i++) {
    Candidate *c = &candidates[i];

    if (sum + c->n_samples / 2.0 >= fraction * total)
      continue;
    c->drawn = TRUE;
    sum += c->n_samples;
    n_drawn++;
  }
  if (n < 2 || (n_drawn > 0 && n_drawn < n)) {
    if (n == 1)
      candidates[0].drawn = FALSE;
    return;
  }
  find_smallest (candidates, n, n_drawn > 0)->drawn = n_drawn == 0;
}

void
tl_group_draw (gchar **names, const guint64 *n_samples, const guint32 *stratum,
    guint n_groups, guint n_strata, gdouble fraction, gboolean *drawn)
{
  g_autofree Candidate *candidates = NULL;
  guint first = 0;

  for (guint i = 0; i < n_groups; i++)
    drawn[i] = fraction >= 1;
  if (fraction <= 0 || fraction >= 1)
    return;

  candidates = g_new0 (Candidate, n_groups);
  for (guint i = 0; i < n_groups; i++)
    candidates[i] = (Candidate){hash_name (names[i]), names[i], n_samples[i],
        stratum[i], i, FALSE};
  qsort (candidates, n_groups, sizeof *candidates, compare_candidates);
  for (guint s = 0; s < n_strata; s++) {
    guint n = 0;

    while (first + n < n_groups && candidates[first + n].stratum == s)
      n++;
    draw_stratum (candidates + first, n, fraction);
    first += n;
  }
  for (guint i = 0; i < n_groups; i++)
    drawn[candidates[i].index] = candidates[i].drawn;
}
