/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlweightsfetch.h"

#include <string.h>

#include <tlbytes.h>
#include <tlfail.h>
#include <tlfile.h>
#include <tlweightscache.h>

#include "tljsonline.h"
#include "tlpartial.h"
#include "tlprogress.h"
#include "tlsignals.h"
#include "tltransfer.h"
#include "tlverb.h"

#define WAIT_US (200 * 1000)
#define LINE_INTERVAL_US (10 * G_USEC_PER_SEC)
#define BLOCK_SIZE (256 * 1024)
#define MEBIBYTE 1048576.0

typedef struct
{
  TlOutput *output;
  const TlKnownWeights *known;
  gchar *url;       /* to fetch from */
  gchar *shown_url; /* without a password */
  gchar *path;      /* where it goes */
  guint stall_timeout;
  guint64 began_with; /* bytes of earlier attempts */
  gint64 begin_us, line_us;
} Fetch;

/* ---- What is said ---- */

static void
write_done (const Fetch *self, const gchar *path, const gchar *state)
{
  GString *line = tl_json_line_new ("weights-fetch");

  tl_json_line_add_text (line, "name", self->known->name);
  tl_json_line_add_text (line, "state", state);
  tl_json_line_add_text (line, "path", path);
  tl_json_line_add_count (line, "resize", self->known->resize);
  tl_json_line_add_count (line, "crop", self->known->crop);
  tl_output_json (self->output, line);
  tl_output_line (self->output, "%s: %s %s, verified", self->known->name,
      g_str_equal (state, "present") ? "is already at" : "is at", path);
  if (self->known->resize != 256)
    tl_output_line (self->output,
        "%s: its accuracy was measured with imagedecode resize=%u",
        self->known->name, self->known->resize);
}

static TlExit
fail_name (TlOutput *output, const gchar *name, const gchar *text)
{
  GString *line = tl_json_line_new ("error");

  tl_json_line_add_text (line, "name", name);
  tl_json_line_add_text (line, "text", text);
  tl_output_json (output, line);
  tl_output_error (output, "%s: %s", name, text);
  return TL_EXIT_FAILED;
}

static TlExit
fail (const Fetch *self, const gchar *text)
{
  return fail_name (self->output, self->known->name, text);
}

/* After a transfer that did not come to its end. */
static TlExit
fail_transfer (const Fetch *self, const TlPartial *partial, const gchar *reason)
{
  g_autofree gchar *text = NULL;

  if (partial->size > 0)
    text = g_strdup_printf ("%s: %s. %s are kept in %s; the same command goes "
                            "on from there.",
        self->shown_url, reason, tl_show_bytes (partial->size).text,
        partial->part);
  else
    text = g_strdup_printf ("%s: %s. Where there is no way to it from here, "
                            "download it elsewhere and put it at %s.",
        self->shown_url, reason, self->path);
  return fail (self, text);
}

static TlExit
say_interrupted (const Fetch *self, const TlPartial *partial)
{
  tl_output_bar (self->output, NULL);
  if (partial->size > 0)
    tl_output_error (self->output,
        "%s: interrupted; %s are kept in %s, and the same command goes on from "
        "there",
        self->known->name, tl_show_bytes (partial->size).text, partial->part);
  else
    tl_output_error (self->output, "%s: interrupted", self->known->name);
  return TL_EXIT_INTERRUPTED;
}

static void
show_bar (const Fetch *self, guint64 done, guint64 total, gdouble seconds)
{
  gdouble speed = (gdouble) (done - MIN (done, self->began_with)) / seconds;
  g_autofree gchar *left = speed > 0 && total > done
      ? tl_progress_format_time ((gdouble) (total - done) / speed)
      : g_strdup ("-");
  g_autofree gchar *text = g_strdup_printf ("%s  %.1f of %.1f MiB  %.0f %%  "
                                            "%.1f MiB/s  ETA %s",
      self->known->name, (gdouble) done / MEBIBYTE, (gdouble) total / MEBIBYTE,
      100 * (gdouble) done / (gdouble) total, speed / MEBIBYTE, left);
  gsize room = tl_output_columns () - 1;

  if (strlen (text) > room)
    text[room] = '\0';
  tl_output_bar (self->output, text);
}

static void
show_progress (guint64 done, guint64 total, gpointer user_data)
{
  Fetch *self = user_data;
  gint64 now = g_get_monotonic_time ();
  guint64 whole = total > 0 ? total : tl_known_weights_max_size (self->known);

  if (self->output->has_bar)
    show_bar (self, done, whole,
        (gdouble) (now - self->begin_us + 1) / G_USEC_PER_SEC);
  else if (now - self->line_us >= LINE_INTERVAL_US) {
    self->line_us = now;
    tl_output_line (self->output, "%s: %.1f of %.1f MiB", self->known->name,
        (gdouble) done / MEBIBYTE, (gdouble) whole / MEBIBYTE);
  }
}

/* ---- What is there ---- */

static gboolean
has_digest (const TlKnownWeights *known, const gchar *hex)
{
  return g_str_has_prefix (hex, known->sha256);
}

/* The digest says all; a file that no reader takes need not be fetched anew. */
static TlStatus
hash_file (const gchar *path, gchar hex[TL_SHA256_HEX_SIZE], TlError *error)
{
  g_autofree guint8 *block = g_malloc (BLOCK_SIZE);
  TlFile file;
  TlSha256 sha;
  TlStatus status = tl_file_open (path, &file, error);

  if (status != TL_OK)
    return status;
  tl_sha256_init (&sha);
  for (gsize at = 0; status == TL_OK && at < file.size; at += BLOCK_SIZE) {
    gsize n = MIN (BLOCK_SIZE, file.size - at);

    status = tl_file_read (&file, at, block, n, error);
    if (status == TL_OK)
      tl_sha256_update (&sha, block, n);
  }
  tl_file_close (&file);
  tl_sha256_final_hex (&sha, hex);
  return status;
}

/* Whether a whole file is in the cache, or in PyTorch's; one that is not whole
 * is warned of. */
static gboolean
is_present (const Fetch *self)
{
  g_autofree gchar *path = tl_weights_cache_find (self->known);
  gchar hex[TL_SHA256_HEX_SIZE];
  TlError error = TL_ERROR_INIT;

  if (!path)
    return FALSE;
  if (hash_file (path, hex, &error) != TL_OK) {
    tl_output_warning (self->output, "%s. It is fetched anew.", error.message);
    return FALSE;
  }
  if (!has_digest (self->known, hex)) {
    tl_output_warning (self->output,
        "%s is truncated or altered: its SHA-256 begins with %.8s, not %.8s. "
        "It is fetched anew.",
        path, hex, self->known->sha256);
    return FALSE;
  }
  write_done (self, path, "present");
  return TRUE;
}

/* ---- Fetching ---- */

/* Waits while another process fetches the same. TL_EXIT_OK: @partial is open. */
static TlExit
open_partial (const Fetch *self, TlPartial *partial)
{
  TlError error = TL_ERROR_INIT;
  gboolean is_busy, is_said = FALSE;

  while (tl_partial_open (partial, self->path, &is_busy, &error) != TL_OK) {
    if (!is_busy)
      return fail (self, error.message);
    if (!is_said)
      tl_output_line (self->output,
          "%s: another tlpipe is fetching it; waiting for that one",
          self->known->name);
    is_said = TRUE;
    if (tl_signals_requested ())
      return TL_EXIT_INTERRUPTED;
    g_usleep (WAIT_US);
  }
  return TL_EXIT_OK;
}

/* Closes @partial. */
static TlExit
finish (const Fetch *self, TlPartial *partial)
{
  gchar hex[TL_SHA256_HEX_SIZE];
  g_autofree gchar *text = NULL;
  TlError error = TL_ERROR_INIT;

  tl_partial_get_sha256 (partial, hex);
  if (has_digest (self->known, hex)) {
    if (tl_partial_finish (partial, &error) != TL_OK)
      return fail (self, error.message);
    write_done (self, self->path, "fetched");
    return TL_EXIT_OK;
  }
  text = g_strdup_printf (
      "%s: what came has %s and a SHA-256 that begins with %.8s, not %.8s: it "
      "is not %s. It was removed; try again, or another place with --from.",
      self->shown_url, tl_show_bytes (partial->size).text, hex,
      self->known->sha256, self->known->file);
  tl_partial_close (partial, TRUE);
  return fail (self, text);
}

/* Closes @partial. */
static TlExit
transfer (Fetch *self, TlPartial *partial)
{
  TlTransferOptions options = {self->url, self->known, self->stall_timeout,
      show_progress, self};
  TlError error = TL_ERROR_INIT;
  TlTransferEnd end;
  TlExit result;

  tl_output_line (self->output, "%s: fetching %s, %.1f MiB", self->known->name,
      self->shown_url, self->known->mebibytes);
  if (partial->size > 0)
    tl_output_line (self->output, "%s: going on after %s", self->known->name,
        tl_show_bytes (partial->size).text);
  self->began_with = partial->size;
  self->begin_us = self->line_us = g_get_monotonic_time ();
  end = tl_transfer_run (partial, &options, &error);
  tl_output_bar (self->output, NULL);
  if (end == TL_TRANSFER_DONE
      && tl_known_weights_has_size (self->known, partial->size))
    return finish (self, partial);
  if (end == TL_TRANSFER_INTERRUPTED)
    result = say_interrupted (self, partial);
  else
    result = fail_transfer (self, partial,
        end == TL_TRANSFER_DONE ? "the answer ended early" : error.message);
  tl_partial_close (partial, FALSE);
  return result;
}

static TlExit
fetch_one (Fetch *self)
{
  TlPartial partial;
  gchar hex[TL_SHA256_HEX_SIZE];
  TlExit end;

  if (is_present (self))
    return TL_EXIT_OK;
  end = open_partial (self, &partial);
  if (end != TL_EXIT_OK)
    return end;
  /* While this one waited, another may have come to the end. */
  if (g_file_test (self->path, G_FILE_TEST_EXISTS) && is_present (self)) {
    tl_partial_close (&partial, FALSE);
    return TL_EXIT_OK;
  }
  tl_partial_get_sha256 (&partial, hex);
  return has_digest (self->known, hex) ? finish (self, &partial)
                                       : transfer (self, &partial);
}

/* ---- From names to files ---- */

static void
fetch_clear (Fetch *self)
{
  g_free (self->url);
  g_free (self->shown_url);
  g_free (self->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fetch, fetch_clear)

/* Passwords of a mirror are nobody's business. *transferred*. */
static gchar *
hide_password (const gchar *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_ENCODED, NULL);

  return g_uri_to_string_partial (uri, G_URI_HIDE_USERINFO);
}

/* The name of a file goes behind it: a question mark or a hash would take the
 * name for something else. */
static gboolean
is_folder_url (const gchar *base)
{
  g_autoptr (GUri) uri = g_uri_parse (base, G_URI_FLAGS_ENCODED, NULL);

  return uri
      && (g_str_equal (g_uri_get_scheme (uri), "https")
          || g_str_equal (g_uri_get_scheme (uri), "http"))
      && g_uri_get_host (uri) && *g_uri_get_host (uri) && !g_uri_get_query (uri)
      && !g_uri_get_fragment (uri);
}

static TlExit
fail_base (const gchar *base, const gchar *said_by)
{
  const gchar *at = strrchr (base, '@');

  return tl_verb_fail (&tl_verb_weights,
      "%s=%s%s: expected a URL of a folder, without \"?\" and \"#\", as in "
      "https://mirror.example/models",
      said_by, at ? "..." : "", at ? at : base);
}

static TlExit
fail_unknown (TlOutput *output, const gchar *name)
{
  g_autofree gchar *suggestion = tl_weights_cache_suggest (name);
  g_autofree gchar *text =
      g_strdup_printf ("no weights have this name%s; "
                       "\"tlpipe weights list\" shows them",
          suggestion);

  return fail_name (output, name, text);
}

static TlExit
fetch_name (TlOutput *output, const gchar *name, const gchar *base,
    guint stall_timeout)
{
  g_autofree gchar *folder = tl_weights_cache_get_folder ();
  const TlKnownWeights *known = tl_known_weights_find (name, NULL);
  g_auto (Fetch) self = {output, .stall_timeout = stall_timeout};

  self.known = known ? known : tl_known_weights_find_file (name);
  if (!self.known)
    return fail_unknown (output, name);
  self.url = g_strconcat (base, g_str_has_suffix (base, "/") ? "" : "/",
      self.known->file, NULL);
  self.shown_url = hide_password (self.url);
  self.path = g_build_filename (folder, self.known->file, NULL);
  return fetch_one (&self);
}

TlExit
tl_weights_fetch (TlOutput *output, const gchar *const *names,
    const TlFetchOptions *options)
{
  const gchar *mirror = g_getenv ("TLPIPE_WEIGHTS_URL");
  const gchar *base = options->base ? options->base
      : mirror && *mirror           ? mirror
                                    : TL_WEIGHTS_URL;
  TlExit worst = TL_EXIT_OK;

  if (!is_folder_url (base))
    return fail_base (base, options->base ? "--from" : "TLPIPE_WEIGHTS_URL");
  for (guint i = 0; names[i] && !output->broken; i++) {
    TlExit end = fetch_name (output, names[i], base, options->stall_timeout);

    if (end == TL_EXIT_INTERRUPTED)
      return end;
    worst = MAX (worst, end);
  }
  return output->broken ? TL_EXIT_FAILED : worst;
}
