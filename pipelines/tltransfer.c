/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltransfer.h"

#include <string.h>

#include <curl/curl.h>

#include <tlbytes.h>
#include <tlfail.h>

#include "tlsignals.h"

#define MAX_REDIRECTS 5
#define POLL_MS 500

/* Bytes per second under which a server counts as silent. */
#define LOW_SPEED 100

typedef struct
{
  TlPartial *partial;
  const TlTransferOptions *options;
  CURL *curl;
  guint64 offset; /* where the request began */
  guint64 total;  /* bytes of the whole file; 0: not said */
  gboolean has_begun;
  TlError *error;
  gboolean is_told; /* the error is filled */
  char curl_text[CURL_ERROR_SIZE];
} Transfer;

static void G_GNUC_PRINTF (2, 3) tell (Transfer *self, const gchar *format, ...)
{
  g_autofree gchar *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  tl_fail (self->error, TL_ERROR_READ, "%.900s", text);
  self->is_told = TRUE;
}

/* ---- The answer ---- */

static glong
get_status (const Transfer *self)
{
  glong status = 0;

  curl_easy_getinfo (self->curl, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/* "bytes 100-199/200", or an asterisk for 200 where the whole is not known: FALSE unless it
 * begins where it was asked to. */
static gboolean
read_content_range (Transfer *self)
{
  struct curl_header *header;
  guint64 first, last, total;
  int n;

  if (curl_easy_header (self->curl, "Content-Range", 0, CURLH_HEADER, -1,
          &header)
      != CURLHE_OK)
    return FALSE;
  n = sscanf (header->value,
      "bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
      &first, &last, &total);
  self->total = n == 3 ? total : 0;
  return n >= 2 && first == self->offset;
}

static gboolean
is_web_page (const Transfer *self, const char *bytes, gsize n)
{
  const char *type = NULL;

  curl_easy_getinfo (self->curl, CURLINFO_CONTENT_TYPE, &type);
  return (type && g_ascii_strncasecmp (type, "text/html", 9) == 0)
      || (get_status (self) == 200 && n > 0 && bytes[0] == '<');
}

/* Looks at what the server is about to give, before any byte of what was there
 * is lost for it. There is no If-Range: the name of a file has its digest, so
 * it never changes, and the whole is verified in the end. */
static gboolean
begin (Transfer *self, const char *bytes, gsize n)
{
  glong status = get_status (self);
  curl_off_t length = -1;

  if (status != 200 && status != 206)
    return FALSE;
  if (is_web_page (self, bytes, n)) {
    tell (self, "the answer is a web page, not the file");
    return FALSE;
  }
  curl_easy_getinfo (self->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (status == 200)
    self->total = length > 0 ? (guint64) length : 0;
  else if (!read_content_range (self)) {
    tell (self, "the server gave another part than the one asked for");
    return FALSE;
  }
  if (self->total > 0
      && !tl_known_weights_has_size (self->options->known, self->total)) {
    tell (self, "the server has a file of %s, but %s has %s%.3f MiB",
        tl_show_bytes (self->total).text, self->options->known->file,
        self->options->known->size > 0 ? "exactly " : "",
        self->options->known->mebibytes);
    return FALSE;
  }
  if (status == 206 || self->partial->size == 0)
    return TRUE;
  /* A server that has no ranges begins anew, and so does the file. */
  self->is_told = tl_partial_restart (self->partial, self->error) != TL_OK;
  return !self->is_told;
}

static size_t
take_bytes (char *bytes, size_t one, size_t n, void *user_data)
{
  Transfer *self = user_data;

  if (!self->has_begun && !begin (self, bytes, n))
    return CURL_WRITEFUNC_ERROR;
  self->has_begun = TRUE;
  if (self->partial->size + n
      > tl_known_weights_max_size (self->options->known)) {
    tell (self, "the server sends more than the %.3f MiB that %s has",
        self->options->known->mebibytes, self->options->known->file);
    return CURL_WRITEFUNC_ERROR;
  }
  self->is_told =
      tl_partial_append (self->partial, bytes, n, self->error) != TL_OK;
  return self->is_told ? CURL_WRITEFUNC_ERROR : n;
}

static int
tell_progress (void *user_data, curl_off_t total, curl_off_t now,
    curl_off_t upload_total, curl_off_t upload_now)
{
  Transfer *self = user_data;

  if (self->has_begun)
    self->options->progress (self->partial->size, self->total,
        self->options->user_data);
  return 0;
}

/* ---- The request ---- */

static gboolean
is_https (const Transfer *self)
{
  return g_ascii_strncasecmp (self->options->url, "https:", 6) == 0;
}

/* As the program curl does; libcurl looks at none of these itself. Networks
 * with a proxy that opens TLS have an authority of their own. */
static void
set_authorities (CURL *curl)
{
  const gchar *bundle = g_getenv ("CURL_CA_BUNDLE");
  const gchar *file = bundle && *bundle ? bundle : g_getenv ("SSL_CERT_FILE");
  const gchar *folder = g_getenv ("SSL_CERT_DIR");

  if (file && *file) {
    curl_easy_setopt (curl, CURLOPT_CAINFO, file);
    curl_easy_setopt (curl, CURLOPT_PROXY_CAINFO, file);
  }
  if (folder && *folder) {
    curl_easy_setopt (curl, CURLOPT_CAPATH, folder);
    curl_easy_setopt (curl, CURLOPT_PROXY_CAPATH, folder);
  }
}

static void
set_options (Transfer *self)
{
  CURL *curl = self->curl;
  g_autofree gchar *range = NULL;

  curl_easy_setopt (curl, CURLOPT_URL, self->options->url);
  curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, self->curl_text);
  curl_easy_setopt (curl, CURLOPT_USERAGENT, "tlpipe/" TL_VERSION);
  /* What began encrypted stays so. */
  curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (curl, CURLOPT_REDIR_PROTOCOLS_STR,
      is_https (self) ? "https" : "http,https");
  set_authorities (curl);
  curl_easy_setopt (curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt (curl, CURLOPT_MAXREDIRS, (glong) MAX_REDIRECTS);
  curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT,
      (glong) self->options->stall_timeout);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_LIMIT, (glong) LOW_SPEED);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_TIME,
      (glong) self->options->stall_timeout);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, self);
  curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, tell_progress);
  curl_easy_setopt (curl, CURLOPT_XFERINFODATA, self);
  if (self->offset > 0) {
    range = g_strdup_printf ("%" G_GUINT64_FORMAT "-", self->offset);
    curl_easy_setopt (curl, CURLOPT_RANGE, range);
  }
}

/* FALSE: a signal came first. */
static gboolean
perform (CURLM *multi, CURLcode *ret)
{
  int n_running = 1, n_left;
  CURLMsg *message;

  while (n_running > 0) {
    struct curl_waitfd signals = {.fd = tl_signals_fd (),
        .events = CURL_WAIT_POLLIN};

    if (curl_multi_perform (multi, &n_running) != CURLM_OK)
      break;
    if (n_running > 0)
      curl_multi_poll (multi, &signals, 1, POLL_MS, NULL);
    if (tl_signals_requested ())
      return FALSE;
  }
  *ret = CURLE_FAILED_INIT;
  while ((message = curl_multi_info_read (multi, &n_left)))
    *ret = message->data.result;
  return TRUE;
}

static void
explain (Transfer *self, CURLcode code)
{
  const gchar *text =
      *self->curl_text ? self->curl_text : curl_easy_strerror (code);

  if (code == CURLE_OPERATION_TIMEDOUT)
    tell (self, "nothing has come for %u s", self->options->stall_timeout);
  else if (code == CURLE_PARTIAL_FILE)
    tell (self, "the connection ended early");
  else if (code == CURLE_TOO_MANY_REDIRECTS)
    tell (self, "it redirects more than %d times", MAX_REDIRECTS);
  else if (code == CURLE_UNSUPPORTED_PROTOCOL)
    tell (self, "it redirects to a place that is not %s",
        is_https (self) ? "https" : "http or https");
  else if (code == CURLE_PEER_FAILED_VERIFICATION)
    tell (self,
        "%s (a certificate authority of your own is named by SSL_CERT_FILE)",
        text);
  else
    tell (self, "%s", text);
}

/* What @code and the status say; an error that a callback met is there
 * already. */
static TlTransferEnd
judge (Transfer *self, CURLcode code)
{
  glong status = get_status (self);

  if (self->is_told)
    return TL_TRANSFER_FAILED;
  if ((code == CURLE_OK || code == CURLE_WRITE_ERROR) && status != 200
      && status != 206) {
    tell (self, "the server answers with status %ld%s", status,
        status == 404       ? " (not found)"
            : status == 403 ? " (forbidden)"
                            : "");
    return TL_TRANSFER_FAILED;
  }
  if (code == CURLE_OK && self->has_begun)
    return TL_TRANSFER_DONE;
  if (code == CURLE_OK)
    tell (self, "the answer is empty");
  else
    explain (self, code);
  return TL_TRANSFER_FAILED;
}

static TlTransferEnd
request (Transfer *self)
{
  CURLM *multi = curl_multi_init ();
  TlTransferEnd end = TL_TRANSFER_INTERRUPTED;
  CURLcode code;

  self->curl = curl_easy_init ();
  self->offset = self->partial->size;
  self->has_begun = FALSE;
  if (!multi || !self->curl)
    g_error ("out of memory");
  set_options (self);
  curl_multi_add_handle (multi, self->curl);
  if (perform (multi, &code))
    end = judge (self, code);
  if (end == TL_TRANSFER_FAILED && get_status (self) == 416
      && self->offset > 0) {
    /* It ends before the place where this was to go on. */
    self->is_told = tl_partial_restart (self->partial, self->error) != TL_OK;
  }
  curl_multi_remove_handle (multi, self->curl);
  curl_easy_cleanup (self->curl);
  curl_multi_cleanup (multi);
  return end;
}

TlTransferEnd
tl_transfer_run (TlPartial *partial, const TlTransferOptions *options,
    TlError *error)
{
  Transfer self = {.partial = partial, .options = options, .error = error};
  TlTransferEnd end;

  curl_global_init (CURL_GLOBAL_DEFAULT);
  end = request (&self);
  /* Told nothing: what was there was of no use, and is gone. */
  if (end == TL_TRANSFER_FAILED && !self.is_told)
    end = request (&self);
  curl_global_cleanup ();
  return end;
}
