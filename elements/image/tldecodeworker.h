/* SPDX-License-Identifier: BSD-3-Clause */

/* One picture after the other on one thread of imagedecode: a file or a raw
 * frame in, RGB of one size out. Knows buffers, but no pads. */

#ifndef TL_DECODE_WORKER_H
#define TL_DECODE_WORKER_H

#include "tldecodesettings.h"
#include "tlorderedelement.h"

#include <tlsamplemeta.h>

G_BEGIN_DECLS

typedef struct TlDecodeWorker TlDecodeWorker;

/* NULL without memory. */
TlDecodeWorker *tl_decode_worker_new (void);
void tl_decode_worker_free (TlDecodeWorker *self);

/* Of the train split; a picture without a sample is not. */
gboolean tl_decode_is_training (const TlSampleMeta *sample);

/* Makes job->output, a picture of @out, from job->input, or sets job->status.
 * @run has been checked. */
void tl_decode_worker_run (TlDecodeWorker *self, const TlDecodeSettings *run,
    const GstVideoInfo *out, TlOrderedJob *job);

G_END_DECLS

#endif
