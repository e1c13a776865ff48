/* SPDX-License-Identifier: BSD-3-Clause */

/* What imagedecode takes. */

#ifndef TL_DECODE_CAPS_H
#define TL_DECODE_CAPS_H

#include <gst/gst.h>

#include <tlcaps.h>
#include <tlstatus.h>

G_BEGIN_DECLS

/* GStreamer's names of the file types. */
#define TL_DECODE_CAPS                                                         \
  TL_CAPS_IMAGE                                                                \
  "; image/jpeg; image/png; image/webp; image/bmp; image/tiff; "               \
  "image/x-portable-bitmap; image/x-portable-graymap; "                        \
  "image/x-portable-pixmap; image/x-portable-anymap; "                         \
  "video/x-raw, format=(string){ RGB, GRAY8 }, width=(int)[1,max], "           \
  "height=(int)[1,max]"

/* Answers CAPS, ACCEPT_CAPS and ALLOCATION on @pad, which has a template; FALSE
 * for other queries and for the allocation of files. Raw video of any kind is
 * let come where nothing better is possible, so that tl_decode_caps_check() can
 * say what to do about it; the core would only say "not negotiated". Any
 * thread. */
gboolean tl_decode_caps_query (GstPad *pad, GstQuery *query);

/* Of caps that were accepted. TL_ERROR_UNSUPPORTED for raw video that is not
 * taken, with the element that makes it so. */
TlStatus tl_decode_caps_check (const GstCaps *caps, TlError *error);

G_END_DECLS

#endif
