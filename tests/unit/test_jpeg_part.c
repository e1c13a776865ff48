/* SPDX-License-Identifier: BSD-3-Clause */

/* Of a JPEG only the blocks that a crop needs are decoded: the same pixels as
 * those of the whole picture, whatever the sampling, and damage is still found
 * wherever it is. */

#include "tlimage.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#define MAX_SIDE 160
#define N_CROPS 60

static TlError error = TL_ERROR_INIT;
static const TlImageOptions options = {.max_pixels = 1000000};

typedef struct
{
  const char *name;
  uint32_t width, height;
  int components; /* 1, 3, or 4 for CMYK */
  int h, v;       /* sampling of the first component */
  bool progressive;
  int restart;   /* blocks between restart markers */
  bool is_begun; /* progressive, but no more than its first scan */
} Variant;

static const Variant variants[] = {
    {"4:4:4", 131, 77, 3, 1, 1},
    {"4:2:2", 131, 77, 3, 2, 1},
    {"4:2:0", 131, 77, 3, 2, 2},
    {"4:4:0", 131, 77, 3, 1, 2},
    {"4:1:1", 150, 77, 3, 4, 1},
    {"grey", 131, 77, 1, 1, 1},
    {"CMYK", 131, 77, 4, 1, 1},
    {"4:2:0 progressive", 131, 77, 3, 2, 2, true},
    {"4:4:0 progressive", 77, 131, 3, 1, 2, true},
    {"4:2:0, first scan only", 131, 77, 3, 2, 2, true, 0, true},
    {"4:2:0 with restarts", 129, 97, 3, 2, 2, false, 3},
    {"whole blocks", 128, 96, 3, 2, 2},
    {"one column more", 129, 97, 3, 2, 2},
    {"one column less", 127, 95, 3, 2, 2},
    {"column of pixels", 1, 100, 3, 2, 2},
    {"row of pixels", 100, 1, 3, 2, 2},
};

typedef struct
{
  unsigned char *data;
  unsigned long size;
  TlImageDecoder *decoder;
  uint8_t whole[MAX_SIDE * MAX_SIDE * 3];
} Picture;

static uint8_t
sample (uint32_t x, uint32_t y, int c)
{
  uint32_t noise = (x * 2654435761u ^ y * 2246822519u) >> 27;

  return (uint8_t) ((x * (3 + (uint32_t) c) ^ y * 5) + noise);
}

static void
encode (const Variant *v, Picture *picture)
{
  struct jpeg_compress_struct cinfo;
  struct jpeg_error_mgr errors;
  JSAMPLE bytes[MAX_SIDE * 4];
  JSAMPROW row = bytes;

  cinfo.err = jpeg_std_error (&errors);
  jpeg_create_compress (&cinfo);
  jpeg_mem_dest (&cinfo, &picture->data, &picture->size);
  cinfo.image_width = v->width;
  cinfo.image_height = v->height;
  cinfo.input_components = v->components;
  cinfo.in_color_space = v->components == 1 ? JCS_GRAYSCALE
      : v->components == 3                  ? JCS_RGB
                                            : JCS_CMYK;
  jpeg_set_defaults (&cinfo);
  cinfo.comp_info[0].h_samp_factor = v->h;
  cinfo.comp_info[0].v_samp_factor = v->v;
  cinfo.restart_interval = (unsigned) v->restart;
  if (v->progressive)
    jpeg_simple_progression (&cinfo);
  if (v->is_begun)
    cinfo.num_scans = 1;
  jpeg_start_compress (&cinfo, TRUE);
  for (uint32_t y = 0; y < v->height; y++) {
    for (uint32_t x = 0; x < v->width; x++)
      for (int c = 0; c < v->components; c++)
        bytes[x * (uint32_t) v->components + (uint32_t) c] = sample (x, y, c);
    jpeg_write_scanlines (&cinfo, &row, 1);
  }
  jpeg_finish_compress (&cinfo);
  jpeg_destroy_compress (&cinfo);
}

/* @box as it is. */
static TlStatus
render (Picture *picture, const TlBox *box, uint8_t *out)
{
  TlCropPlan plan;

  tl_crop_plan_stretch (box, box->width, box->height, &plan);
  return tl_image_render (picture->decoder, picture->data, picture->size,
      &options, &plan, TL_FILTER_BILINEAR, false, box->width, box->height, out,
      (size_t) box->width * 3, &error);
}

static void
begin (const Variant *v, Picture *picture)
{
  const TlBox all = {0, 0, v->width, v->height};

  memset (picture, 0, sizeof *picture);
  picture->decoder = tl_image_decoder_new ();
  encode (v, picture);
  ck_assert_int_eq (render (picture, &all, picture->whole), TL_OK);
}

static void
end (Picture *picture)
{
  tl_image_decoder_free (picture->decoder);
  free (picture->data);
}

static TlBox
draw_box (const Variant *v, uint32_t i)
{
  uint32_t x = i * 2654435761u >> 8, y = i * 2246822519u >> 8;
  TlBox box = {x % v->width, y % v->height, 0, 0};

  box.width = 1 + (x >> 8) % (v->width - box.x);
  box.height = 1 + (y >> 8) % (v->height - box.y);
  return box;
}

START_TEST (part_is_as_in_the_whole)
{
  static uint8_t part[MAX_SIDE * MAX_SIDE * 3];
  const Variant *v = &variants[_i];
  static Picture picture;

  begin (v, &picture);
  for (uint32_t i = 1; i <= N_CROPS; i++) {
    TlBox box = draw_box (v, i);

    ck_assert_int_eq (render (&picture, &box, part), TL_OK);
    for (uint32_t y = 0; y < box.height; y++)
      ck_assert_msg (memcmp (part + y * box.width * 3,
                         picture.whole + ((box.y + y) * v->width + box.x) * 3,
                         box.width * 3)
              == 0,
          "%s: row %u of %u,%u,%u,%u", v->name, y, box.x, box.y, box.width,
          box.height);
  }
  end (&picture);
}
END_TEST

/* The first rows are asked for, the last bytes are damaged or missing. */
START_TEST (damage_outside_the_part_is_found)
{
  static uint8_t part[MAX_SIDE * MAX_SIDE * 3];
  const Variant *v = &variants[_i];
  const TlBox box = {0, 0, v->width / 4 + 1, v->height / 4 + 1};
  static Picture picture;

  begin (v, &picture);
  picture.size -= 12;
  ck_assert_msg (render (&picture, &box, part) == TL_ERROR_FORMAT, "%s: cut",
      v->name);
  picture.size += 12;
  memset (picture.data + picture.size - 14, 0xff, 10);
  picture.data[picture.size - 13] = 0xd9;
  ck_assert_msg (render (&picture, &box, part) == TL_ERROR_FORMAT, "%s: end",
      v->name);
  end (&picture);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("jpeg_part");
  TCase *parts = tcase_create ("parts");
  SRunner *runner = srunner_create (suite);
  int n_failed;

  tcase_add_loop_test (parts, part_is_as_in_the_whole, 0,
      sizeof variants / sizeof *variants);
  tcase_add_loop_test (parts, damage_outside_the_part_is_found, 0,
      sizeof variants / sizeof *variants);
  suite_add_tcase (suite, parts);
  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
