/* SPDX-License-Identifier: BSD-3-Clause */

/* A file that is being downloaded: PATH.part until it is whole, locked by who
 * writes it, and kept between attempts. One thread; processes exclude each
 * other. */

#ifndef TL_PARTIAL_H
#define TL_PARTIAL_H

#include <glib.h>

#include <tlsha256.h>
#include <tlstatus.h>

G_BEGIN_DECLS

typedef struct
{
  gchar *path; /* where it goes when it is whole */
  gchar *part; /* where it is */
  int fd;      /* -1: not open */
  guint64 size;
  TlSha256 sha; /* of the bytes so far */
} TlPartial;

/* Opens what is there of @path, or begins it in a folder that is made if need
 * be, and locks it. Without TL_OK nothing is open; @is_busy then says whether
 * that is so because another process has the lock. */
TlStatus tl_partial_open (TlPartial *self, const gchar *path, gboolean *is_busy,
    TlError *error);

TlStatus tl_partial_append (TlPartial *self, const void *bytes, gsize n,
    TlError *error);

/* Drops all bytes. */
TlStatus tl_partial_restart (TlPartial *self, TlError *error);

/* SHA-256 of the bytes so far. */
void tl_partial_get_sha256 (const TlPartial *self,
    gchar hex[TL_SHA256_HEX_SIZE]);

/* Brings it to the disk under its name, as a whole; then it is closed. */
TlStatus tl_partial_finish (TlPartial *self, TlError *error);

/* Closes it and keeps what there is, unless that is nothing or @drop. */
void tl_partial_close (TlPartial *self, gboolean drop);

G_END_DECLS

#endif
