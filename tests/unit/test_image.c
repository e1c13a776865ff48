/* SPDX-License-Identifier: BSD-3-Clause */

/* Geometry, resizing and decoding by numbers worked out by hand.
 * tests/parity compares them with Pillow at large. */

#include "tlexif.h"
#include "tlfail.h"
#include "tlimage.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static TlError error = TL_ERROR_INIT;

static const TlImageOptions options = {.max_pixels = 1000000};

/* A 2x2 JPEG is too long for here; this is a whole 1x1 grey PNG of 0x80. */
static const uint8_t png_1x1[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n',
    0, 0, 0, 13, 'I', 'H', 'D', 'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0,
    0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, 'I', 'D', 'A', 'T', 0x78, 0x9c, 0x63,
    0x68, 0, 0, 0, 0x82, 0, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0, 0, 0, 0, 'I', 'E',
    'N', 'D', 0xae, 0x42, 0x60, 0x82};

typedef struct
{
  const char *name;
  size_t size;
  const char *bytes;
} Bomb;

#define BOMB(name, bytes)                                                      \
  {                                                                            \
    name, sizeof bytes - 1, bytes                                              \
  }

/* Headers that claim 65500x65500 pixels, and hardly more. */
static const Bomb bombs[] = {
    BOMB ("JPEG",
        "\377\330\377\300\000\013\010\377\334\377\334\001\001\021\000\377"
        "\332\000\010\001\001\000\000\077\000"),
    BOMB ("PNG",
        "\211PNG\015\012\032\012\000\000\000\015IHDR\000\000\377\334\000"
        "\000\377\334\010\002\000\000\000\0345\201L\000\000\000\000IDA"
        "T5\257\006\036"),
    BOMB ("WebP",
        "RIFF\026\000\000\000WEBPVP8X\012\000\000\000\000\000\000\000\333"
        "\377\000\333\377\000"),
    BOMB ("BMP",
        "BM\000\000\000\000\000\000\000\0006\000\000\000(\000\000\000\334"
        "\377\000\000\334\377\000\000\001\000\030\000\000\000\000\000\000"
        "\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000"
        "\000\000\000"),
    BOMB ("TIFF",
        "II*\000\010\000\000\000\006\000\000\001\004\000\001\000\000\000"
        "\334\377\000\000\001\001\004\000\001\000\000\000\334\377\000\000"
        "\002\001\003\000\001\000\000\000\010\000\000\000\006\001\003\000"
        "\001\000\000\000\001\000\000\000\021\001\004\000\001\000\000\000"
        "\010\000\000\000\027\001\004\000\001\000\000\000\012\000\000\000"
        "\000\000\000\000"),
    BOMB ("PNM", "P6\01265500 65500\012255\012"),
};

typedef struct
{
  const char *text;
  TlBox box; /* of a picture of 200x100; width 0: not allowed */
} RegionCase;

static const RegionCase region_cases[] = {
    {"", {0, 0, 200, 100}},
    {"  ", {0, 0, 200, 100}},
    {"10,20,30,40", {10, 20, 30, 40}},
    {" 10 , 20 ,30, 40 ", {10, 20, 30, 40}},
    {"10%,0,80%,100%", {20, 0, 160, 100}},
    {"0,0,100 %,50%", {0, 0, 200, 50}},
    {"33.3%,0,33.4%,100", {67, 0, 66, 100}},
    {"0,0,200,100", {0, 0, 200, 100}},
    {"0,0,201,100", {0}},
    {"60%,0,50%,100%", {0}},
    {"0,0,0,100", {0}},
    {"0,0,0.1,100", {0}},
    {"10,20,30", {0}},
    {"10,20,30,40,50", {0}},
    {"-1,0,10,10", {0}},
    {"0,0,110%,10", {0}},
    {"0x10,0,10,10", {0}},
    {"nan,0,10,10", {0}},
    {"1e3,0,10,10", {0}},
    {"0,0,99999999999999999999,10", {0}},
    {",,,", {0}},
};

START_TEST (region_means_what_it_says)
{
  const RegionCase *c = &region_cases[_i];
  TlRegion region;
  TlBox box = {0};

  if (tl_region_parse (c->text, &region, &error) == TL_OK)
    tl_region_resolve (&region, 200, 100, &box, &error);
  ck_assert_msg (memcmp (&box, &c->box, sizeof box) == 0,
      "\"%s\" gives %u,%u,%u,%u", c->text, box.x, box.y, box.width, box.height);
}
END_TEST

typedef struct
{
  uint32_t width, height, resize, out_width, out_height;
  TlCropPlan plan; /* source left out */
} CenterCase;

static const CenterCase center_cases[] = {
    {500, 375, 256, 224, 224, {{0}, 341, 256, {58, 16, 224, 224}, 0, 0}},
    {375, 500, 256, 224, 224, {{0}, 256, 341, {16, 58, 224, 224}, 0, 0}},
    {256, 256, 256, 224, 224, {{0}, 256, 256, {16, 16, 224, 224}, 0, 0}},
    /* (227 - 224) / 2 = 1.5 rounds to 2, (225 - 224) / 2 = 0.5 to 0. */
    {227, 225, 225, 224, 224, {{0}, 227, 225, {2, 0, 224, 224}, 0, 0}},
    {100, 100, 31, 33, 34, {{0}, 31, 31, {0, 0, 31, 31}, 1, 1}},
    {400, 100, 31, 33, 33, {{0}, 124, 31, {46, 0, 33, 31}, 0, 1}},
};

START_TEST (center_crop_rounds_as_torchvision)
{
  const CenterCase *c = &center_cases[_i];
  TlBox all = {0, 0, c->width, c->height};
  TlCropPlan plan;

  ck_assert_int_eq (tl_crop_plan_center (&all, c->resize, c->out_width,
                        c->out_height, &plan, &error),
      TL_OK);
  ck_assert (memcmp (&plan.source, &all, sizeof all) == 0);
  plan.source = (TlBox){0};
  ck_assert_msg (memcmp (&plan, &c->plan, sizeof plan) == 0,
      "%ux%u: resized %ux%u window %u,%u,%u,%u at %u,%u", c->width, c->height,
      plan.resized_width, plan.resized_height, plan.window.x, plan.window.y,
      plan.window.width, plan.window.height, plan.left, plan.top);
}
END_TEST

START_TEST (thread_of_a_picture_is_refused)
{
  TlBox thread = {0, 0, 1000000, 1};
  TlCropPlan plan;

  ck_assert_int_eq (tl_crop_plan_center (&thread, 8192, 224, 224, &plan,
                        &error),
      TL_ERROR_LIMIT);
}
END_TEST

START_TEST (random_crop_stays_inside_and_repeats)
{
  const TlCropRange range = {0.08, 1, 3.0 / 4, 4.0 / 3};
  const TlBox region = {10, 20, 1 + (uint32_t) _i * 37, 90};

  for (uint64_t index = 0; index < 500; index++) {
    TlCropPlan plan, again, other_view;
    const TlBox *box = &plan.source;

    tl_crop_plan_random (&region, &range, 224, 224, 1, 2, index, &plan);
    tl_crop_plan_random (&region, &range, 224, 224, 1, 2, index, &again);
    tl_crop_plan_random (&region, &range, 224, 224, 1, 3, index, &other_view);
    ck_assert (memcmp (&plan, &again, sizeof plan) == 0);
    ck_assert_uint_ge (box->x, 10);
    ck_assert_uint_ge (box->y, 20);
    ck_assert_uint_gt (box->width, 0);
    ck_assert_uint_gt (box->height, 0);
    ck_assert_uint_le (box->x + box->width, 10 + region.width);
    ck_assert_uint_le (box->y + box->height, 110);
  }
}
END_TEST

START_TEST (auto_resize_keeps_the_proportion)
{
  ck_assert_uint_eq (tl_crop_auto_resize (224, 224), 256);
  ck_assert_uint_eq (tl_crop_auto_resize (224, 112), 256);
  ck_assert_uint_eq (tl_crop_auto_resize (448, 448), 512);
  ck_assert_uint_eq (tl_crop_auto_resize (1, 1), 1);
}
END_TEST

/* 4x1 -> 2x1 is the triangle filter of reach 2: weights 3, 3, 1 (of 7). */
START_TEST (shrinking_is_antialiased)
{
  const uint8_t in[12] = {0, 0, 0, 70, 70, 70, 140, 140, 140, 210, 210, 210};
  const TlPixels pixels = {in, 12, 4, 1, 0};
  const TlBox window = {0, 0, 2, 1};
  TlResizer *resizer = tl_resizer_new ();
  uint8_t out[6];

  ck_assert_int_eq (tl_resizer_run (resizer, &pixels, TL_FILTER_BILINEAR, 2, 1,
                        &window, out, 6, &error),
      TL_OK);
  ck_assert_uint_eq (out[0], 50);
  ck_assert_uint_eq (out[3], 160);
  tl_resizer_free (resizer);
}
END_TEST

START_TEST (window_is_a_part_of_the_whole)
{
  enum
  {
    IN_W = 97,
    IN_H = 61,
    OUT_W = 53,
    OUT_H = 40
  };
  static uint8_t in[IN_H * IN_W * 3], whole[OUT_H * OUT_W * 3];
  const TlPixels pixels = {in, IN_W * 3, IN_W, IN_H, 0};
  const TlBox all = {0, 0, OUT_W, OUT_H}, window = {7, 9, 11, 13};
  TlResizer *resizer = tl_resizer_new ();
  uint8_t part[13 * 11 * 3];

  for (size_t i = 0; i < sizeof in; i++)
    in[i] = (uint8_t) (i * i >> 3);
  tl_resizer_run (resizer, &pixels, (TlFilter) _i, OUT_W, OUT_H, &all, whole,
      OUT_W * 3, &error);
  tl_resizer_run (resizer, &pixels, (TlFilter) _i, OUT_W, OUT_H, &window, part,
      11 * 3, &error);
  for (uint32_t y = 0; y < window.height; y++)
    ck_assert (memcmp (part + y * 11 * 3,
                   whole + ((y + window.y) * OUT_W + window.x) * 3, 11 * 3)
        == 0);
  tl_resizer_free (resizer);
}
END_TEST

/* A caller that knows no offset is not written past its end. */
START_TEST (offset_is_left_alone_in_an_older_error)
{
  TlError older = TL_ERROR_INIT;

  older.struct_size = offsetof (TlError, offset);
  older.offset = 77;
  ck_assert_int_eq (tl_fail_at (&older, TL_ERROR_FORMAT, 5, "no"),
      TL_ERROR_FORMAT);
  ck_assert_int_eq (older.offset, 77);
  older.struct_size = sizeof older;
  tl_fail_at (&older, TL_ERROR_FORMAT, 5, "no");
  ck_assert_int_eq (older.offset, 5);
  tl_fail (&older, TL_ERROR_FORMAT, "no");
  ck_assert_int_eq (older.offset, -1);
}
END_TEST

/* 5x3 pixels, each its own; a box of the turned picture comes from the same
 * pixels of the stored one, and an eighth turn brings all of them. */
START_TEST (orientation_keeps_every_pixel)
{
  enum
  {
    W = 5,
    H = 3
  };
  const unsigned orientation = (unsigned) _i;
  bool swaps = tl_orientation_swaps (orientation);
  uint8_t in[W * H * 3], out[W * H * 3];
  uint32_t width = swaps ? H : W, height = swaps ? W : H;

  for (size_t i = 0; i < sizeof in; i++)
    in[i] = (uint8_t) (i / 3);
  tl_orientation_apply (orientation, in, W * 3, W, H, out);
  for (uint32_t y = 0; y < height; y++)
    for (uint32_t x = 0; x < width; x++) {
      const TlBox box = {x, y, 1, 1};
      TlBox stored = tl_orientation_stored_box (orientation, W, H, &box);
      TlBox back = tl_orientation_oriented_box (orientation, W, H, &stored);

      ck_assert_uint_eq (out[(y * width + x) * 3], stored.y * W + stored.x);
      ck_assert (memcmp (&back, &box, sizeof box) == 0);
    }
}
END_TEST

typedef struct
{
  const char *name;
  unsigned orientation;
  size_t size;
  const char *bytes;
} ExifCase;

#define EXIF(name, orientation, bytes)                                         \
  {                                                                            \
    name, orientation, sizeof bytes - 1, bytes                                 \
  }

#define II "II*\0\x08\0\0\0"
#define MM "MM\0*\0\0\0\x08"

static const ExifCase exif_cases[] = {
    EXIF ("little", 6, II "\1\0\x12\1\3\0\1\0\0\0\6\0\0\0"),
    EXIF ("big", 8, MM "\0\1\1\x12\0\3\0\0\0\1\0\x08\0\0"),
    EXIF ("prefix", 3, "Exif\0\0" II "\1\0\x12\1\3\0\1\0\0\0\3\0\0\0"),
    EXIF ("long", 5, MM "\0\1\1\x12\0\4\0\0\0\1\0\0\0\5"),
    EXIF ("last of two", 2,
        II "\2\0\x12\1\3\0\1\0\0\0\6\0\0\0"
           "\x12\1\3\0\1\0\0\0\2\0\0\0"),
    EXIF ("other tag", 0, II "\1\0\x13\1\3\0\1\0\0\0\6\0\0\0"),
    EXIF ("value 9", 0, II "\1\0\x12\1\3\0\1\0\0\0\x09\0\0\0"),
    EXIF ("value 0", 0, II "\1\0\x12\1\3\0\1\0\0\0\0\0\0\0"),
    EXIF ("text", 0, II "\1\0\x12\1\2\0\1\0\0\0\6\0\0\0"),
    EXIF ("count 2^32 - 1", 0, II "\1\0\x12\1\3\0\xff\xff\xff\xff\6\0\0\0"),
    EXIF ("cut short", 0, II "\1\0\x12\1\3\0\1\0\0\0\6\0\0"),
    EXIF ("more entries than bytes", 6,
        II "\xff\xff\x12\1\3\0\1\0\0\0\6\0\0\0"),
    EXIF ("directory far away", 0, "II*\0\xff\xff\xff\xff\1\0"),
    EXIF ("directory at the end", 0, "II*\0\x08\0\0\0\1"),
    EXIF ("no byte order", 0, "IM*\0\x08\0\0\0\1\0"),
    EXIF ("empty", 0, ""),
};

START_TEST (exif_is_read_or_counts_as_absent)
{
  const ExifCase *c = &exif_cases[_i];
  uint8_t *copy = malloc (c->size + 1); /* its end is guarded by ASan */
  unsigned found;

  memcpy (copy + 1, c->bytes, c->size);
  found = tl_exif_orientation (copy + 1, c->size);
  ck_assert_msg (found == c->orientation, "%s: %u", c->name, found);
  free (copy);
}
END_TEST

START_TEST (xmp_orientation_is_found)
{
  static const ExifCase cases[] = {
      EXIF ("attribute", 6, "<a tiff:Orientation=\"6\"/>"),
      EXIF ("shortest", 7, "tiff:Orientation>7"),
      EXIF ("element", 8, "<tiff:Orientation>8</tiff:Orientation>"),
      EXIF ("second", 3, "tiff:Orientation tiff:Orientation=\"3\""),
      EXIF ("at the end", 0, "tiff:Orientation=\""),
      EXIF ("zero", 0, "tiff:Orientation=\"0\""),
      EXIF ("none", 0, "tiff:Orient"),
      EXIF ("empty", 0, ""),
  };

  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_msg (tl_xmp_orientation ((const uint8_t *) cases[i].bytes,
                       cases[i].size)
            == cases[i].orientation,
        "%s", cases[i].name);
}
END_TEST

START_TEST (kind_is_told_by_the_bytes)
{
  TlImageInfo info;

  ck_assert_int_eq (tl_image_probe (png_1x1, sizeof png_1x1, &options, &info,
                        &error),
      TL_OK);
  ck_assert_int_eq (info.kind, TL_IMAGE_PNG);
  ck_assert_uint_eq (info.width, 1);
  ck_assert_int_eq (tl_image_probe (png_1x1, 0, &options, &info, &error),
      TL_ERROR_FORMAT);
  ck_assert_int_eq (tl_image_probe ((const uint8_t *) "GIF89a", 6, &options,
                        &info, &error),
      TL_ERROR_UNSUPPORTED);
}
END_TEST

/* The whole picture as it is; @out has room for its pixels. */
static TlStatus
decode (const uint8_t *data, size_t size, const TlImageOptions *how,
    uint8_t *out)
{
  TlImageDecoder *decoder = tl_image_decoder_new ();
  TlCropPlan plan;
  TlImageInfo info;
  TlStatus status = tl_image_probe (data, size, how, &info, &error);

  if (status == TL_OK) {
    const TlBox all = {0, 0, info.width, info.height};

    tl_crop_plan_stretch (&all, info.width, info.height, &plan);
    status = tl_image_render (decoder, data, size, how, &plan,
        TL_FILTER_BILINEAR, false, info.width, info.height, out,
        (size_t) info.width * 3, &error);
  }
  tl_image_decoder_free (decoder);
  return status;
}

START_TEST (every_truncation_of_a_png_fails)
{
  uint8_t pixel[3];

  /* The last chunk, IEND, carries no pixels. */
  for (size_t size = 0; size < sizeof png_1x1 - 12; size++) {
    ck_assert_int_eq (decode (png_1x1, size, &options, pixel), TL_ERROR_FORMAT);
    ck_assert_int_ge (error.offset, 0);
    ck_assert_int_le (error.offset, (int64_t) size);
  }
  ck_assert_int_eq (decode (png_1x1, sizeof png_1x1, &options, pixel), TL_OK);
  ck_assert_uint_eq (pixel[0], 0x80);
  ck_assert_uint_eq (pixel[2], 0x80);
}
END_TEST

START_TEST (pixel_bomb_is_refused_by_its_header)
{
  const Bomb *bomb = &bombs[_i];
  const uint8_t *data = (const uint8_t *) bomb->bytes;
  const TlCropPlan plan = {{0, 0, 1, 1}, 1, 1, {0, 0, 1, 1}, 0, 0};
  TlImageDecoder *decoder = tl_image_decoder_new ();
  TlImageInfo info;
  uint8_t pixel[3];

  ck_assert_int_eq (tl_image_probe (data, bomb->size, &options, &info, &error),
      TL_ERROR_LIMIT);
  ck_assert_msg (strstr (error.message, "65500x65500") != NULL, "%s: %s",
      bomb->name, error.message);
  ck_assert_int_eq (tl_image_render (decoder, data, bomb->size, &options, &plan,
                        TL_FILTER_BILINEAR, false, 1, 1, pixel, 3, &error),
      TL_ERROR_LIMIT);
  tl_image_decoder_free (decoder);
}
END_TEST

typedef struct
{
  const char *bytes;
  TlStatus status;
  const char *said;
} ForeignCase;

static const ForeignCase foreign_cases[] = {
    {"GIF89a", TL_ERROR_UNSUPPORTED, "GIF"},
    {"\1\1\1\x18"
     "ftypheic",
        TL_ERROR_UNSUPPORTED, "HEIC"},
    {"\1\1\1\x18"
     "ftypavif",
        TL_ERROR_UNSUPPORTED, "AVIF"},
    {"\1\1\1\x18"
     "ftypisom",
        TL_ERROR_FORMAT, "video"},
    {"%PDF-1.4", TL_ERROR_FORMAT, "PDF"},
    {"\r\n<!DOCTYPE html>", TL_ERROR_FORMAT, "web page"},
    {"<HTML><body>404", TL_ERROR_FORMAT, "web page"},
    {"version https://git-lfs.github.com/spec/v1", TL_ERROR_FORMAT, "Git LFS"},
    {"P7\nWIDTH 1", TL_ERROR_UNSUPPORTED, "PAM"},
    {"hello", TL_ERROR_FORMAT, "JPEG, PNG, WebP, BMP, TIFF and PNM are taken"},
    {"RIFF....WAVE", TL_ERROR_FORMAT, "no picture"},
    {"B", TL_ERROR_FORMAT, "no picture"},
};

START_TEST (foreign_files_are_called_by_their_name)
{
  const ForeignCase *c = &foreign_cases[_i];
  TlImageInfo info;

  ck_assert_int_eq (tl_image_probe ((const uint8_t *) c->bytes,
                        strlen (c->bytes), &options, &info, &error),
      c->status);
  ck_assert_msg (strstr (error.message, c->said) != NULL, "%s", error.message);
  ck_assert_int_eq (error.offset, 0);
}
END_TEST

/* The name of a DICOM file stands after a preamble that may be anything. */
START_TEST (dicom_and_unwritten_files_are_recognised)
{
  uint8_t file[200] = {0};
  TlImageInfo info;

  tl_image_probe (file, sizeof file, &options, &info, &error);
  ck_assert_msg (strstr (error.message, "200 zero bytes") != NULL, "%s",
      error.message);
  memcpy (file + 128, "DICM", 4);
  ck_assert_int_eq (tl_image_probe (file, sizeof file, &options, &info, &error),
      TL_ERROR_UNSUPPORTED);
  ck_assert_msg (strstr (error.message, "DICOM") != NULL, "%s", error.message);
}
END_TEST

static Suite *
image_suite (void)
{
  Suite *suite = suite_create ("image");
  TCase *crop = tcase_create ("crop"), *pixels = tcase_create ("pixels");
  TCase *files = tcase_create ("files");

  tcase_add_loop_test (crop, region_means_what_it_says, 0,
      sizeof region_cases / sizeof *region_cases);
  tcase_add_loop_test (crop, center_crop_rounds_as_torchvision, 0,
      sizeof center_cases / sizeof *center_cases);
  tcase_add_test (crop, thread_of_a_picture_is_refused);
  tcase_add_loop_test (crop, random_crop_stays_inside_and_repeats, 0, 6);
  tcase_add_test (crop, auto_resize_keeps_the_proportion);
  tcase_add_test (pixels, shrinking_is_antialiased);
  tcase_add_loop_test (pixels, window_is_a_part_of_the_whole, 0, 2);
  tcase_add_test (files, offset_is_left_alone_in_an_older_error);
  tcase_add_loop_test (files, orientation_keeps_every_pixel, 1, 9);
  tcase_add_loop_test (files, exif_is_read_or_counts_as_absent, 0,
      sizeof exif_cases / sizeof *exif_cases);
  tcase_add_test (files, xmp_orientation_is_found);
  tcase_add_test (files, kind_is_told_by_the_bytes);
  tcase_add_test (files, every_truncation_of_a_png_fails);
  tcase_add_loop_test (files, pixel_bomb_is_refused_by_its_header, 0,
      sizeof bombs / sizeof *bombs);
  tcase_add_loop_test (files, foreign_files_are_called_by_their_name, 0,
      sizeof foreign_cases / sizeof *foreign_cases);
  tcase_add_test (files, dicom_and_unwritten_files_are_recognised);
  suite_add_tcase (suite, crop);
  suite_add_tcase (suite, pixels);
  suite_add_tcase (suite, files);
  return suite;
}

int
main (void)
{
  SRunner *runner = srunner_create (image_suite ());
  int n_failed;

  srunner_run_all (runner, CK_ENV);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
