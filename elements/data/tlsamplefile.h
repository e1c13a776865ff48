/* SPDX-License-Identifier: BSD-3-Clause */

/* The bytes of one picture file, not decoded. */

#ifndef TL_SAMPLE_FILE_H
#define TL_SAMPLE_FILE_H

#include <glib.h>

G_BEGIN_DECLS

/* Most bytes of a file. */
#define TL_SAMPLE_FILE_MAX_SIZE (512 * 1024 * 1024)

/* Reads the whole file into memory (never mapped: a file that is truncated
 * while it is read must not end the process). A file that is missing, empty,
 * no regular file, too large or unreadable gives NULL, and the reason in
 * @error in TL_DATASET_ERROR, as half a sentence: "the file is empty".
 * *transferred*, free with g_free. Thread-safe. */
guint8 *tl_sample_file_read (const gchar *path, gsize *size, GError **error);

/* The media type by the first bytes, as GStreamer's decoders call it
 * ("image/jpeg"); NULL for a file of another kind. Static. */
const gchar *tl_sample_file_media_type (const guint8 *bytes, gsize size);

/* Caps of all of them, for a pad template. */
#define TL_SAMPLE_FILE_CAPS                                                    \
  "image/jpeg; image/png; image/bmp; image/webp; image/tiff; "                 \
  "image/x-portable-pixmap; image/x-portable-graymap; "                        \
  "image/x-portable-bitmap"

G_END_DECLS

#endif
