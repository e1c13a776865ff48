/* SPDX-License-Identifier: BSD-3-Clause */

/* Lets a script compare tlimage with Pillow: one request per line on standard
 * input, "ok WIDTH HEIGHT" and the packed RGB bytes, or "fail REASON", on
 * standard output.
 *
 *   decode PATH
 *   center RESIZE WIDTH HEIGHT FILTER PATH      FILTER: 0 bilinear, 1 bicubic
 *   crop X Y W H WIDTH HEIGHT FILTER PATH
 *   random SEED VIEW INDEX WIDTH HEIGHT         "ok X Y W H" of the crop
 *
 * Words on the command line: no-pixels leaves the pixels out, orient turns each
 * picture as its EXIF says, truncated keeps what of a damaged file can be (and
 * decodes all of a JPEG), shrink lets a JPEG be decoded at a smaller size. */

#include "tlimage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool with_pixels, may_shrink;
static TlImageOptions options = {.max_pixels = 100000000};

static uint8_t *
read_file (const char *path, size_t *size)
{
  FILE *file = fopen (path, "rb");
  uint8_t *data = NULL;

  if (!file)
    return NULL;
  fseek (file, 0, SEEK_END);
  *size = (size_t) ftell (file);
  rewind (file);
  data = malloc (*size + 1);
  if (data && fread (data, 1, *size, file) != *size) {
    free (data);
    data = NULL;
  }
  fclose (file);
  return data;
}

static void
answer (TlStatus status, const TlError *error, uint32_t width, uint32_t height,
    const uint8_t *pixels)
{
  if (status == TL_OK) {
    printf ("ok %u %u\n", width, height);
    if (with_pixels)
      fwrite (pixels, 1, (size_t) width * height * 3, stdout);
  } else {
    printf ("fail %s\n", error->message);
  }
  fflush (stdout);
}

typedef struct
{
  char request[16];
  unsigned numbers[7];
  const char *path;
} Request;

static TlStatus
render_request (const Request *request, TlImageDecoder *decoder,
    const uint8_t *data, size_t size, uint32_t *width, uint32_t *height,
    uint8_t **pixels, TlError *error)
{
  const unsigned *n = request->numbers;
  bool whole = !strcmp (request->request, "decode");
  TlFilter filter = TL_FILTER_BILINEAR;
  TlStatus status = TL_OK;
  TlImageInfo info;
  TlCropPlan plan;

  status = tl_image_probe (data, size, &options, &info, error);
  if (status != TL_OK)
    return status;
  TlBox all = {0, 0, info.width, info.height};

  if (whole) {
    *width = info.width;
    *height = info.height;
    tl_crop_plan_stretch (&all, *width, *height, &plan);
  } else if (!strcmp (request->request, "center")) {
    *width = n[1];
    *height = n[2];
    filter = (TlFilter) n[3];
    status = tl_crop_plan_center (&all, n[0], n[1], n[2], &plan, error);
  } else {
    TlBox box = {n[0], n[1], n[2], n[3]};

    *width = n[4];
    *height = n[5];
    filter = (TlFilter) n[6];
    tl_crop_plan_stretch (&box, n[4], n[5], &plan);
  }
  if (status != TL_OK)
    return status;
  *pixels = malloc ((size_t) *width * *height * 3);
  return tl_image_render (decoder, data, size, &options, &plan, filter,
      may_shrink, *width, *height, *pixels, (size_t) *width * 3, error);
}

static void
serve (const Request *request, TlImageDecoder *decoder)
{
  TlError error = TL_ERROR_INIT;
  uint32_t width = 0, height = 0;
  uint8_t *pixels = NULL;
  size_t size = 0;
  uint8_t *data = read_file (request->path, &size);
  TlStatus status;

  if (!data) {
    printf ("fail cannot read %s\n", request->path);
    fflush (stdout);
    return;
  }
  status = render_request (request, decoder, data, size, &width, &height,
      &pixels, &error);
  answer (status, &error, width, height, pixels);
  free (pixels);
  free (data);
}

static void
serve_random (const unsigned *n)
{
  const TlCropRange range = {0.08, 1.0, 3.0 / 4, 4.0 / 3};
  TlBox all = {0, 0, n[3], n[4]};
  TlCropPlan plan;

  tl_crop_plan_random (&all, &range, 224, 224, n[0], n[1], n[2], &plan);
  printf ("ok %u %u %u %u\n", plan.source.x, plan.source.y, plan.source.width,
      plan.source.height);
  fflush (stdout);
}

/* Reads the numbers of a request; what follows them is the path. */
static bool
parse_request (char *line, Request *request)
{
  static const struct
  {
    const char *name;
    int n;
  } forms[] = {{"decode", 0}, {"center", 4}, {"crop", 7}, {"random", 5}};
  char *at = strchr (line, ' ');

  line[strcspn (line, "\n")] = '\0';
  for (size_t f = 0; at && f < sizeof forms / sizeof *forms; f++) {
    if (strncmp (line, forms[f].name, (size_t) (at - line)) != 0)
      continue;
    snprintf (request->request, sizeof request->request, "%s", forms[f].name);
    for (int i = 0; i < forms[f].n; i++)
      request->numbers[i] = (unsigned) strtoul (at, &at, 10);
    request->path = *at == ' ' ? at + 1 : at;
    return true;
  }
  return false;
}

int
main (int argc, char **argv)
{
  TlImageDecoder *decoder = tl_image_decoder_new ();
  char line[4096];

  with_pixels = true;
  for (int i = 1; i < argc; i++) {
    with_pixels &= strcmp (argv[i], "no-pixels") != 0;
    may_shrink |= !strcmp (argv[i], "shrink");
    options.auto_orient |= !strcmp (argv[i], "orient");
    options.accept_truncated |= !strcmp (argv[i], "truncated");
  }
  while (decoder && fgets (line, sizeof line, stdin)) {
    Request request = {0};

    if (!parse_request (line, &request))
      return 2;
    if (!strcmp (request.request, "random"))
      serve_random (request.numbers);
    else
      serve (&request, decoder);
  }
  tl_image_decoder_free (decoder);
  return 0;
}
