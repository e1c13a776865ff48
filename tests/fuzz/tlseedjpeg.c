/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlseedmaker.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#define MAX_WIDTH 64

typedef struct
{
  const char *name;
  uint16_t width, height;
  J_COLOR_SPACE in, stored;
  uint8_t h, v; /* sampling of the first component */
  bool progressive, arithmetic;
  uint8_t restart; /* MCUs between restart markers */
  uint8_t orientation;
} Variant;

static const Variant variants[] = {
    {"grey", 17, 9, JCS_GRAYSCALE, JCS_GRAYSCALE, 1, 1},
    {"one-pixel", 1, 1, JCS_GRAYSCALE, JCS_GRAYSCALE, 1, 1},
    {"tall", 1, 40, JCS_RGB, JCS_YCbCr, 2, 2},
    {"wide", 60, 1, JCS_RGB, JCS_YCbCr, 2, 1},
    {"444", 24, 18, JCS_RGB, JCS_YCbCr, 1, 1},
    {"422", 33, 18, JCS_RGB, JCS_YCbCr, 2, 1},
    {"440", 24, 35, JCS_RGB, JCS_YCbCr, 1, 2},
    {"420", 47, 33, JCS_RGB, JCS_YCbCr, 2, 2},
    {"411", 40, 24, JCS_RGB, JCS_YCbCr, 4, 1},
    {"rgb", 24, 18, JCS_RGB, JCS_RGB, 1, 1},
    {"cmyk", 24, 18, JCS_CMYK, JCS_CMYK, 1, 1},
    {"ycck", 24, 18, JCS_CMYK, JCS_YCCK, 2, 2},
    {"progressive", 40, 30, JCS_RGB, JCS_YCbCr, 2, 2, true},
    {"progressive-grey", 16, 16, JCS_GRAYSCALE, JCS_GRAYSCALE, 1, 1, true},
    {"arithmetic", 24, 18, JCS_RGB, JCS_YCbCr, 2, 2, false, true},
    {"arithmetic-progressive", 24, 18, JCS_RGB, JCS_YCbCr, 1, 1, true, true},
    {"restart", 40, 30, JCS_RGB, JCS_YCbCr, 2, 2, false, false, 2},
    {"restart-progressive", 40, 30, JCS_RGB, JCS_YCbCr, 1, 1, true, false, 3},
    {"exif-2", 24, 18, JCS_RGB, JCS_YCbCr, 2, 2, .orientation = 2},
    {"exif-5", 24, 18, JCS_RGB, JCS_YCbCr, 2, 1, .orientation = 5},
    {"exif-6", 19, 30, JCS_GRAYSCALE, JCS_GRAYSCALE, 1, 1, .orientation = 6},
    {"exif-8", 24, 18, JCS_RGB, JCS_YCbCr, 2, 2, true, .orientation = 8},
    {"exif-99", 24, 18, JCS_RGB, JCS_YCbCr, 2, 2, .orientation = 99},
};

static void
configure (struct jpeg_compress_struct *cinfo, const Variant *v)
{
  cinfo->image_width = v->width;
  cinfo->image_height = v->height;
  cinfo->in_color_space = v->in;
  cinfo->input_components = v->in == JCS_GRAYSCALE ? 1
      : v->in == JCS_CMYK                          ? 4
                                                   : 3;
  jpeg_set_defaults (cinfo);
  jpeg_set_colorspace (cinfo, v->stored);
  jpeg_set_quality (cinfo, 60, TRUE);
  cinfo->comp_info[0].h_samp_factor = v->h;
  cinfo->comp_info[0].v_samp_factor = v->v;
  cinfo->arith_code = v->arithmetic;
  cinfo->restart_interval = v->restart;
  if (v->progressive)
    jpeg_simple_progression (cinfo);
}

static void
write_exif (struct jpeg_compress_struct *cinfo, uint8_t orientation)
{
  uint8_t marker[6 + TL_SEED_EXIF_SIZE] = "Exif\0";

  tl_seed_exif (orientation, marker + 6);
  jpeg_write_marker (cinfo, JPEG_APP0 + 1, marker, sizeof marker);
}

static void
write_rows (struct jpeg_compress_struct *cinfo)
{
  JSAMPLE row[MAX_WIDTH * 4], *rows[] = {row};
  uint32_t n = (uint32_t) cinfo->input_components;

  while (cinfo->next_scanline < cinfo->image_height) {
    for (uint32_t i = 0; i < cinfo->image_width * n; i++)
      row[i] = tl_seed_sample (i / n, cinfo->next_scanline, i % n);
    jpeg_write_scanlines (cinfo, rows, 1);
  }
}

static void
make (const TlSeedSink *sink, const Variant *v)
{
  struct jpeg_compress_struct cinfo;
  struct jpeg_error_mgr errors;
  unsigned char *data = NULL;
  unsigned long size = 0;

  cinfo.err = jpeg_std_error (&errors);
  jpeg_create_compress (&cinfo);
  jpeg_mem_dest (&cinfo, &data, &size);
  configure (&cinfo, v);
  jpeg_start_compress (&cinfo, TRUE);
  if (v->orientation)
    write_exif (&cinfo, v->orientation);
  write_rows (&cinfo);
  jpeg_finish_compress (&cinfo);
  jpeg_destroy_compress (&cinfo);
  tl_seed_give (sink, v->name, data, size);
  free (data);
}

void
tl_seed_make_jpeg (const TlSeedSink *sink)
{
  for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
    make (sink, &variants[i]);
}
