/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlseeds.h"

#include "tlregressions.h"
#include "tlseedmaker.h"

#include <string.h>

static void (*const makers[]) (const TlSeedSink *sink) = {
    tl_seed_make_jpeg,
    tl_seed_make_png,
    tl_seed_make_webp,
    tl_seed_make_bmp,
    tl_seed_make_tiff,
    tl_seed_make_pnm,
};

const char *const tl_seed_formats[] = {"jpeg", "png", "webp", "bmp", "tiff",
    "pnm", NULL};

void
tl_seeds_each (const char *format, TlSeedFunc func, void *user)
{
  const TlSeedSink sink = {func, user};

  for (size_t i = 0; tl_seed_formats[i]; i++) {
    if (!strcmp (tl_seed_formats[i], format))
      makers[i](&sink);
  }
  tl_regressions_give (&sink, format);
}

void
tl_seed_give (const TlSeedSink *sink, const char *name, const uint8_t *data,
    size_t size)
{
  sink->func (sink->user, name, data, size);
}

uint8_t
tl_seed_sample (uint32_t x, uint32_t y, uint32_t c)
{
  uint32_t noise = (x * 2654435761u ^ y * 2246822519u ^ c * 3266489917u) >> 27;

  return (uint8_t) (x * (5 + c) + y * (7 - c) + noise);
}

void
tl_seed_exif (uint8_t orientation, uint8_t exif[TL_SEED_EXIF_SIZE])
{
  /* Header, one entry (0x0112, SHORT, one value), no further directory. */
  static const uint8_t model[TL_SEED_EXIF_SIZE] = {'I', 'I', 42, 0, 8, 0, 0, 0,
      1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0};

  memcpy (exif, model, sizeof model);
  exif[18] = orientation;
}
