/* SPDX-License-Identifier: BSD-3-Clause */

/* What the model says of one frame: added by resnetinfer, read by overlays and
 * logs. Has no tags, so stock elements keep it. */

#ifndef TL_RESULT_META_H
#define TL_RESULT_META_H

#include "tlcaps.h"

G_BEGIN_DECLS

/* Most classes listed per frame. */
#define TL_RESULT_MAX 16

typedef enum
{
  TL_RESULT_VALID = 0,
  TL_RESULT_ABSTAINED = 1, /* the best class is below abstain-below */
  TL_RESULT_ABSENT = 2,    /* no result; reason says why */
} TlResultState;

typedef struct
{
  guint32 index;       /* of the class */
  GQuark name;         /* of the class */
  gdouble probability; /* [0, 1] */
} TlResultClass;

typedef struct
{
  GstMeta meta;

  GstClockTime pts;            /* of the frame that was classified: this frame
                                  or, in mode=async, an earlier one */
  GstClockTime inference_time; /* ns, preprocessing included */
  GstClockTime age;            /* ns from that frame to this one */
  guint64 serial;              /* of the result, from 1: frames with the same
                                  serial show the same result; 0: none yet */
  guint n_skipped; /* frames before that one that were passed over */
  GQuark model;    /* first 16 hex digits of the file's sha256 */
  TlResultState state;
  GQuark reason; /* why abstained or absent, else 0 */
  guint32 n;     /* of top, best first */
  TlResultClass top[TL_RESULT_MAX];
} TlResultMeta;

TL_API GType tl_result_meta_api_get_type (void);
TL_API const GstMetaInfo *tl_result_meta_get_info (void);

/* "valid", "abstained", "absent"; NULL for another value. */
TL_API const gchar *tl_result_state_nick (TlResultState state);

/* The new meta is absent, without times and serial 0; fill the rest. Borrowed from
 * @buffer, which must be writable. */
TL_API TlResultMeta *tl_buffer_add_result_meta (GstBuffer *buffer);

/* Borrowed from @buffer; NULL if there is none. */
TL_API TlResultMeta *tl_buffer_get_result_meta (GstBuffer *buffer);

G_END_DECLS

#endif
