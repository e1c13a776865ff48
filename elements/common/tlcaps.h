/* SPDX-License-Identifier: BSD-3-Clause */

/* The media types that flow between tlpipe's elements, and the splits. */

#ifndef TL_CAPS_H
#define TL_CAPS_H

#include <gst/gst.h>

#include "tlapi.h"

G_BEGIN_DECLS

/* One encoded file per buffer, any supported container, told by its magic
 * bytes. No fields: constant for a whole run. */
#define TL_CAPS_IMAGE "application/x-tl-image"

/* n samples of uint8 RGB, NHWC, in one contiguous memory of
 * batch-size * height * width * 3 bytes. A partial batch keeps that size and
 * says so in its TlBatchMeta. OFFSET is the number of the batch in the stream;
 * no PTS, no DURATION. */
#define TL_CAPS_BATCH "application/x-tl-batch"

/* A whole checkpoint file per buffer, as one or more memories in order. */
#define TL_CAPS_CHECKPOINT "application/x-tl-checkpoint"

#define TL_CAPS_BATCH_TEMPLATE                                                 \
  TL_CAPS_BATCH ", format=(string)RGB, width=(int)[1,max], "                   \
                "height=(int)[1,max], batch-size=(int)[1,max]"
#define TL_CAPS_CHECKPOINT_TEMPLATE                                            \
  TL_CAPS_CHECKPOINT ", format=(string)safetensors"

/* Largest side of a sample, in pixels, and most samples in a batch. */
#define TL_MAX_SAMPLE_SIDE 8192
#define TL_MAX_BATCH_SIZE 65536

typedef enum
{
  TL_SPLIT_TRAIN = 0,
  TL_SPLIT_VALID = 1,
  TL_SPLIT_TEST = 2,
} TlSplit;

#define TL_N_SPLITS 3

/* "train", "valid", "test"; NULL for another value. */
TL_API const gchar *tl_split_nick (TlSplit split);

/* Also takes "val". Returns FALSE and leaves @ret alone for anything else. */
TL_API gboolean tl_split_from_nick (const gchar *nick, TlSplit *ret);

typedef struct
{
  gint width; /* pixels, 1 to TL_MAX_SAMPLE_SIDE */
  gint height;
  gint batch_size; /* samples, 1 to TL_MAX_BATCH_SIZE */
} TlBatchInfo;

/* Fixed batch caps; *transferred* to the caller. */
TL_API GstCaps *tl_batch_info_to_caps (const TlBatchInfo *info);

/* FALSE if @caps are not fixed batch caps within the limits. */
TL_API gboolean tl_batch_info_from_caps (TlBatchInfo *info,
    const GstCaps *caps);

/* Bytes of one sample and of a whole batch. */
TL_API gsize tl_batch_info_sample_size (const TlBatchInfo *info);
TL_API gsize tl_batch_info_size (const TlBatchInfo *info);

G_END_DECLS

#endif
