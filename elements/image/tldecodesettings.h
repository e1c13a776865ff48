/* SPDX-License-Identifier: BSD-3-Clause */

/* imagedecode's properties as one plain struct: installed and set
 * (tldecodeproperties.c), checked and compared with what a model says
 * (tldecodesettings.c); the element copies it once per run. */

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
  TL_IMAGE_CROP_NONE,
  TL_IMAGE_CROP_PAD
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
  TlImageOptions options;
} TlDecodeSettings;

/* Property ids; the class that installs them adds its own after them. */
typedef enum
{
  TL_DECODE_WIDTH = 1,
  TL_DECODE_HEIGHT,
  TL_DECODE_RESIZE,
  TL_DECODE_CROP,
  TL_DECODE_SCALE_MIN,
  TL_DECODE_SCALE_MAX,
  TL_DECODE_RATIO_MIN,
  TL_DECODE_RATIO_MAX,
  TL_DECODE_INTERPOLATION,
  TL_DECODE_REGION,
  TL_DECODE_DCT_SCALING,
  TL_DECODE_ON_ERROR,
  TL_DECODE_MAX_ERRORS,
  TL_DECODE_MAX_PIXELS,
  TL_DECODE_ACCEPT_TRUNCATED,
  TL_DECODE_AUTO_ORIENT,
  TL_DECODE_SETTINGS_END
} TlDecodeSetting;

void tl_decode_settings_init (TlDecodeSettings *self);
void tl_decode_settings_install (GObjectClass *klass);

/* FALSE if @id is none of these properties. The caller holds the lock that
 * protects @self. */
gboolean tl_decode_settings_set (TlDecodeSettings *self, guint id,
    const GValue *value);
gboolean tl_decode_settings_get (const TlDecodeSettings *self, guint id,
    GValue *value);

/* The name that an enum's @value has in launch lines; static. */
const gchar *tl_decode_settings_nick (TlDecodeSetting id, gint value);

/* FALSE, with @value left alone, for a name that the enum does not have. */
gboolean tl_decode_settings_from_nick (TlDecodeSetting id, const gchar *nick,
    gint *value);

/* Takes @text, not checked; too long a one becomes one that is no region. */
void tl_decode_settings_set_region (TlDecodeSettings *self, const gchar *text);

/* What a single range cannot say. Fills region and the automatic resize. */
TlStatus tl_decode_settings_check (TlDecodeSettings *self, TlError *error);

/* What is done with a picture that is not cropped at random. */
TlCropKind tl_decode_settings_crop_kind (const TlDecodeSettings *self);

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
