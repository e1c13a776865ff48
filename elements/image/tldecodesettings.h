/* SPDX-License-Identifier: BSD-3-Clause */

/* imagedecode's properties as one plain struct: installed, set, checked and
 * described here; the element copies it once per run. */

#ifndef TL_DECODE_SETTINGS_H
#define TL_DECODE_SETTINGS_H

#include <gst/gst.h>

#include <tlpreprocess.h>

#include "tlcrop.h"
#include "tlimage.h"

G_BEGIN_DECLS

typedef enum
{
  TL_IMAGE_CROP_AUTO, /* random in the train split, else centre */
  TL_IMAGE_CROP_CENTER,
  TL_IMAGE_CROP_RANDOM,
  TL_IMAGE_CROP_NONE
} TlImageCrop;

typedef enum
{
  TL_DCT_SCALING_OFF,
  TL_DCT_SCALING_AUTO
} TlDctScaling;

typedef enum
{
  TL_ON_ERROR_SKIP,
  TL_ON_ERROR_FAIL
} TlOnError;

typedef struct
{
  guint width, height; /* of the output, pixels */
  guint resize;        /* short side before the centre crop; 0: auto */
  TlImageCrop crop;
  TlCropRange range;
  TlFilter interpolation;
  gchar region_text[TL_PREPROCESS_TEXT];
  guint demanded;  /* bit n: property n was set, to more than "automatic" */
  TlRegion region; /* of region_text, after the check */
  TlDctScaling dct_scaling;
  TlOnError on_error;
  guint64 max_errors; /* 0: no limit */
  TlImageLimits limits;
} TlDecodeSettings;

/* Property ids 1 to TL_DECODE_SETTINGS_N are used; @klass installs its own
 * after them. */
#define TL_DECODE_SETTINGS_N 15

void tl_decode_settings_init (TlDecodeSettings *self);
void tl_decode_settings_install (GObjectClass *klass);

/* FALSE if @id is none of these properties. The caller holds the lock that
 * protects @self. */
gboolean tl_decode_settings_set (TlDecodeSettings *self, guint id,
    const GValue *value);
gboolean tl_decode_settings_get (const TlDecodeSettings *self, guint id,
    GValue *value);

/* What a single range cannot say. Fills region and the automatic resize. */
TlStatus tl_decode_settings_check (TlDecodeSettings *self, TlError *error);

/* What happens to pictures when nothing is random; mean and std are left as
 * tl_preprocess_init() makes them. @self has been checked. */
void tl_decode_settings_to_preprocess (const TlDecodeSettings *self,
    TlPreprocess *preprocess);

/* Makes @self, checked, what @model says. TL_ERROR_ARGUMENT if a property that
 * was set contradicts it, TL_ERROR_UNSUPPORTED if it asks for something that is
 * not done here. */
TlStatus tl_decode_settings_adopt (TlDecodeSettings *self,
    const TlPreprocess *model, TlError *error);

/* One canonical line, the decoder's versions included; *transferred*. */
gchar *tl_decode_settings_describe (const TlDecodeSettings *self);

G_END_DECLS

#endif
