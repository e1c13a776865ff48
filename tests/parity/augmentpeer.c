/* SPDX-License-Identifier: BSD-3-Clause */

/* Lets a script compare augment's operations with torchvision: one request per
 * line on standard input, followed by the packed RGB bytes of a picture where
 * there is a WIDTH and HEIGHT; the changed bytes on standard output.
 *
 *   brightness|contrast|saturation|hue WIDTH HEIGHT AMOUNT
 *   horizontal|vertical WIDTH HEIGHT 0
 *   nearest|bilinear WIDTH HEIGHT DEGREES
 *   all WIDTH HEIGHT INDEX     draws and does everything, but the hue only for
 *                              odd indices; before the bytes a line: flips,
 *                              filter, degrees, order, amounts, erased, box
 *   box WIDTH HEIGHT INDEX     no bytes: a line "ERASED X Y WIDTH HEIGHT"
 */

#include "tljitter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED 11
#define VIEW 3

static const char *const steps[TL_JITTER_N] = {
    [TL_JITTER_BRIGHTNESS] = "brightness",
    [TL_JITTER_CONTRAST] = "contrast",
    [TL_JITTER_SATURATION] = "saturation",
    [TL_JITTER_HUE] = "hue",
};

static void
plan_one (const char *operation, double amount, TlJitter *jitter)
{
  for (int i = 0; i < TL_JITTER_N; i++) {
    jitter->order[i] = (TlJitterStep) i;
    jitter->enabled[i] = !strcmp (operation, steps[i]);
    jitter->amount[i] = amount;
  }
  jitter->flip_horizontal = !strcmp (operation, "horizontal");
  jitter->flip_vertical = !strcmp (operation, "vertical");
  jitter->rotate_filter =
      !strcmp (operation, "bilinear") ? TL_ROTATE_BILINEAR : TL_ROTATE_NEAREST;
  jitter->rotated =
      !strcmp (operation, "bilinear") || !strcmp (operation, "nearest");
  jitter->degrees = amount;
}

static void
plan_all (uint32_t width, uint32_t height, uint64_t index, TlJitter *jitter)
{
  const TlJitterRange range = {.flip = TL_FLIP_BOTH,
      .flip_probability = 0.5,
      .rotate = 180,
      .rotate_filter = index / 2 % 2 ? TL_ROTATE_BILINEAR : TL_ROTATE_NEAREST,
      .brightness = 0.5,
      .contrast = 0.5,
      .saturation = 0.5,
      .hue = index % 2 ? 0.5 : 0,
      .erase_probability = 0.5};

  tl_jitter_draw (&range, width, height, SEED, VIEW, index, jitter);
  printf ("%d %d %d %.17g", jitter->flip_horizontal, jitter->flip_vertical,
      jitter->rotate_filter, jitter->degrees);
  for (int i = 0; i < TL_JITTER_N; i++)
    printf (" %d", (int) jitter->order[i]);
  for (int i = 0; i < TL_JITTER_N; i++)
    printf (" %.17g", jitter->amount[i]);
  printf (" %d %u %u %u %u\n", jitter->erased, jitter->erase_box.x,
      jitter->erase_box.y, jitter->erase_box.width, jitter->erase_box.height);
}

static void
tell_box (uint32_t width, uint32_t height, uint64_t index)
{
  TlBox box = {0, 0, 0, 0};
  bool erased = tl_erase_draw (1, width, height, SEED, VIEW, index, &box);

  printf ("%d %u %u %u %u\n", erased, box.x, box.y, box.width, box.height);
}

static bool
change_picture (const TlJitter *jitter, uint32_t width, uint32_t height,
    TlRotator *rotator)
{
  TlError error = TL_ERROR_INIT;
  size_t size = (size_t) width * height * 3;
  uint8_t *pixels = malloc (size);
  const TlRaster raster = {pixels, (size_t) width * 3, width, height};
  bool good = pixels && fread (pixels, 1, size, stdin) == size
      && tl_jitter_apply (jitter, &raster, rotator, &error) == TL_OK
      && fwrite (pixels, 1, size, stdout) == size;

  free (pixels);
  return good;
}

int
main (void)
{
  TlRotator *rotator = tl_rotator_new ();
  char line[256], operation[16];
  bool good = rotator != NULL;

  while (good && fgets (line, sizeof line, stdin)) {
    TlJitter jitter = {0};
    uint32_t width, height;
    double amount;

    if (sscanf (line, "%15s %" SCNu32 " %" SCNu32 " %lf", operation, &width,
            &height, &amount)
        != 4)
      return 2;
    if (!strcmp (operation, "box")) {
      tell_box (width, height, (uint64_t) amount);
    } else {
      if (!strcmp (operation, "all"))
        plan_all (width, height, (uint64_t) amount, &jitter);
      else
        plan_one (operation, amount, &jitter);
      good = change_picture (&jitter, width, height, rotator);
    }
    fflush (stdout);
  }
  tl_rotator_free (rotator);
  return good ? 0 : 1;
}
