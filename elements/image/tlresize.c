/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlresize.h"

#include "tlfail.h"
#include "tlvector.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_BITS 22
#define LANES 16
#define CHANNELS 3
#define BLOCK_COLUMNS 32
/* Taps from which on outputs are done one by one, to bound the tile. */
#define LONG_FILTER 4096

/* The weights of one side: output i takes @taps[i] source pixels from
 * @first[i] on, with the weights at @weights + i * @max_taps. */
typedef struct
{
  uint32_t *first;
  uint32_t *taps;
  int32_t *weights;
  uint32_t max_taps;
} Side;

typedef struct
{
  void *data;
  size_t size;
} Scratch;

struct TlResizer
{
  Scratch columns, rows;     /* the weights of either side */
  Scratch doubles;           /* the weights of one output before rounding */
  Scratch between;           /* result of the horizontal pass */
  Scratch tile_in, tile_out; /* LANES rows side by side, before and after */
  Scratch sums;              /* one output row of the vertical pass */
};

TlResizer *
tl_resizer_new (void)
{
  return calloc (1, sizeof (TlResizer));
}

void
tl_resizer_free (TlResizer *resizer)
{
  if (!resizer)
    return;
  free (resizer->columns.data);
  free (resizer->rows.data);
  free (resizer->doubles.data);
  free (resizer->between.data);
  free (resizer->tile_in.data);
  free (resizer->tile_out.data);
  free (resizer->sums.data);
  free (resizer);
}

/* The old content is not kept. */
static bool
reserve (Scratch *scratch, size_t n, size_t item_size)
{
  size_t size;

  if (__builtin_mul_overflow (n, item_size, &size))
    return false;
  if (size <= scratch->size)
    return true;
  free (scratch->data);
  scratch->size = 0;
  scratch->data = aligned_alloc (64, (size + 63) & ~(size_t) 63);
  if (scratch->data)
    scratch->size = size;
  return scratch->data != NULL;
}

/* Triangle, and the cubic convolution kernel with a = -1/2 (Keys 1981). */
static double
filter_value (TlFilter filter, double x)
{
  x = fabs (x);
  if (filter == TL_FILTER_BILINEAR)
    return x < 1 ? 1 - x : 0;
  if (x < 1)
    return ((-0.5 + 2.0) * x - (-0.5 + 3.0)) * x * x + 1;
  if (x < 2)
    return (((x - 5) * x + 8) * x - 4) * -0.5;
  return 0;
}

/* Reach of the filter to either side of an output's centre, in source pixels.
 * When shrinking the filter widens with the scale: that is the antialiasing. */
static double
filter_reach (TlFilter filter, double scale)
{
  return (filter == TL_FILTER_BILINEAR ? 1.0 : 2.0) * fmax (scale, 1.0);
}

static void
tap_range (uint32_t in_size, double centre, double reach, uint32_t *first,
    uint32_t *n)
{
  double low = centre - reach + 0.5, high = centre + reach + 0.5;
  uint32_t end = high > in_size ? in_size : (uint32_t) high;

  *first = low < 0 ? 0 : (uint32_t) low;
  *n = end - *first;
}

void
tl_resize_span (uint32_t in_size, uint32_t out_size, TlFilter filter,
    uint32_t out_first, uint32_t out_n, uint32_t *first, uint32_t *n)
{
  double scale = (double) in_size / out_size;
  double reach = filter_reach (filter, scale);
  uint32_t last_first, last_n;

  tap_range (in_size, (out_first + 0.5) * scale, reach, first, n);
  tap_range (in_size, (out_first + out_n - 1 + 0.5) * scale, reach, &last_first,
      &last_n);
  *n = last_first + last_n - *first;
}

/* Half away from zero, as the conversion of Pillow rounds. */
static int32_t
fixed_point (double weight)
{
  double scaled = weight * (1 << WEIGHT_BITS);

  return (int32_t) (scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

static void
fill_taps (Side *side, uint32_t i, TlFilter filter, double centre,
    double per_pixel, double *weights)
{
  uint32_t n = side->taps[i];
  int32_t *out = side->weights + (size_t) i * side->max_taps;
  double sum = 0;

  for (uint32_t k = 0; k < n; k++) {
    double x = ((double) k + side->first[i] - centre + 0.5) * per_pixel;

    weights[k] = filter_value (filter, x);
    sum += weights[k];
  }
  for (uint32_t k = 0; k < n; k++)
    out[k] = fixed_point (sum != 0 ? weights[k] / sum : weights[k]);
}

/* Computes the weights of outputs [out_first, out_first + out_n). */
static bool
fill_side (TlResizer *resizer, Scratch *scratch, Side *side, TlFilter filter,
    uint32_t in_size, uint32_t out_size, uint32_t out_first, uint32_t out_n)
{
  double scale = (double) in_size / out_size;
  double reach = filter_reach (filter, scale);

  side->max_taps = (uint32_t) fmin (ceil (reach) * 2 + 1, in_size);
  if (!reserve (scratch, out_n, (size_t) (side->max_taps + 2) * 4)
      || !reserve (&resizer->doubles, side->max_taps, sizeof (double)))
    return false;
  side->first = scratch->data;
  side->taps = side->first + out_n;
  side->weights = (int32_t *) (side->taps + out_n);
  for (uint32_t i = 0; i < out_n; i++) {
    double centre = (out_first + i + 0.5) * scale;

    tap_range (in_size, centre, reach, &side->first[i], &side->taps[i]);
    fill_taps (side, i, filter, centre, 1.0 / fmax (scale, 1.0),
        resizer->doubles.data);
  }
  return true;
}

static inline uint8_t
round_sum (int32_t sum)
{
  int32_t value = sum >> WEIGHT_BITS;

  return (uint8_t) (value < 0 ? 0 : value > 255 ? 255 : value);
}

typedef uint8_t Bytes __attribute__ ((vector_size (LANES)));

#define LOW_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

/* Interleaving row i with row i + 8 four times over transposes 16x16 bytes:
 * each round moves one bit of the column number into the row number. */
static inline void
transpose (Bytes block[LANES])
{
  for (int round = 0; round < 4; round++) {
    Bytes mixed[LANES];

    for (int i = 0; i < LANES / 2; i++) {
      Bytes a = block[i], b = block[i + LANES / 2];

      mixed[2 * i] = __builtin_shufflevector (a, b, LOW_HALVES);
      mixed[2 * i + 1] = __builtin_shufflevector (a, b, HIGH_HALVES);
    }
    memcpy (block, mixed, sizeof mixed);
  }
}

/* Puts up to LANES rows of @n bytes side by side: in[lane][i] becomes
 * out[i][lane]. Missing rows repeat the last one and are not used. */
static void
rows_to_lanes (const uint8_t *in, size_t stride, uint32_t n_rows, size_t n,
    uint8_t *out)
{
  const uint8_t *rows[LANES];
  Bytes block[LANES];
  size_t i = 0;

  for (uint32_t lane = 0; lane < LANES; lane++)
    rows[lane] = in + stride * (lane < n_rows ? lane : n_rows - 1);
  for (; i + LANES <= n; i += LANES) {
    for (uint32_t lane = 0; lane < LANES; lane++)
      memcpy (&block[lane], rows[lane] + i, LANES);
    transpose (block);
    memcpy (out + i * LANES, block, sizeof block);
  }
  for (; i < n; i++) {
    for (uint32_t lane = 0; lane < LANES; lane++)
      out[i * LANES + lane] = rows[lane][i];
  }
}

static void
lanes_to_rows (const uint8_t *in, uint32_t n_rows, size_t n, uint8_t *out,
    size_t stride)
{
  Bytes block[LANES];
  size_t i = 0;

  for (; i + LANES <= n; i += LANES) {
    memcpy (block, in + i * LANES, sizeof block);
    transpose (block);
    for (uint32_t lane = 0; lane < n_rows; lane++)
      memcpy (out + lane * stride + i, &block[lane], LANES);
  }
  for (; i < n; i++) {
    for (uint32_t lane = 0; lane < n_rows; lane++)
      out[lane * stride + i] = in[i * LANES + lane];
  }
}

/* One output pixel of LANES rows: @in is the first tap's red. */
TL_VECTORISED static void
weigh_lanes (const uint8_t *in, const int32_t *weights, uint32_t taps,
    uint8_t *out)
{
  for (int c = 0; c < CHANNELS; c++) {
    int32_t sums[LANES];

    for (int lane = 0; lane < LANES; lane++)
      sums[lane] = 1 << (WEIGHT_BITS - 1);
    for (uint32_t k = 0; k < taps; k++) {
      const uint8_t *tap = in + ((size_t) k * CHANNELS + c) * LANES;

      for (int lane = 0; lane < LANES; lane++)
        sums[lane] += tap[lane] * weights[k];
    }
    for (int lane = 0; lane < LANES; lane++)
      out[c * LANES + lane] = round_sum (sums[lane]);
  }
}

/* Pixels around (@x, @y) of the source, where @data points to. */
typedef struct
{
  const uint8_t *data;
  size_t stride;
  uint32_t x, y;
} View;

/* Up to LANES rows of outputs [x, x + width), few enough for the tile to stay
 * in the first-level cache. */
static bool
pass_block (TlResizer *resizer, const uint8_t *in, size_t in_stride,
    uint32_t in_x, uint32_t n_rows, const Side *side, uint32_t x,
    uint32_t width, uint8_t *out, size_t out_stride)
{
  uint32_t last = x + width - 1, left = side->first[x];
  size_t in_bytes =
      (size_t) (side->first[last] + side->taps[last] - left) * CHANNELS;
  size_t out_bytes = (size_t) width * CHANNELS;
  uint8_t *tile_in, *tile_out;

  if (!reserve (&resizer->tile_in, in_bytes, LANES)
      || !reserve (&resizer->tile_out, out_bytes, LANES))
    return false;
  tile_in = resizer->tile_in.data;
  tile_out = resizer->tile_out.data;
  rows_to_lanes (in + (size_t) (left - in_x) * CHANNELS, in_stride, n_rows,
      in_bytes, tile_in);
  for (uint32_t i = 0; i < width; i++)
    weigh_lanes (tile_in
            + (size_t) (side->first[x + i] - left) * CHANNELS * LANES,
        side->weights + (size_t) (x + i) * side->max_taps, side->taps[x + i],
        tile_out + (size_t) i * CHANNELS * LANES);
  lanes_to_rows (tile_out, n_rows, out_bytes, out, out_stride);
  return true;
}

/* Horizontal pass over @n_rows rows of @in. */
static bool
pass_columns (TlResizer *resizer, const View *in, uint32_t n_rows,
    const Side *side, uint32_t out_width, uint8_t *out, size_t out_stride)
{
  uint32_t step = side->max_taps > LONG_FILTER ? 1 : BLOCK_COLUMNS;
  bool ok = true;

  for (uint32_t row = 0; row < n_rows; row += LANES) {
    uint32_t rows = n_rows - row < LANES ? n_rows - row : LANES;

    for (uint32_t x = 0; ok && x < out_width; x += step)
      ok = pass_block (resizer, in->data + row * in->stride, in->stride, in->x,
          rows, side, x, out_width - x < step ? out_width - x : step,
          out + row * out_stride + (size_t) x * CHANNELS, out_stride);
  }
  return ok;
}

/* One output row: @in is the first tap's row. */
TL_VECTORISED static void
weigh_rows (const uint8_t *in, size_t stride, const int32_t *weights,
    uint32_t taps, int32_t *restrict sums, size_t n, uint8_t *restrict out)
{
  for (size_t i = 0; i < n; i++)
    sums[i] = 1 << (WEIGHT_BITS - 1);
  for (uint32_t k = 0; k < taps; k++) {
    const uint8_t *row = in + k * stride;

    for (size_t i = 0; i < n; i++)
      sums[i] += row[i] * weights[k];
  }
  for (size_t i = 0; i < n; i++)
    out[i] = round_sum (sums[i]);
}

/* Vertical pass over the first @n_bytes of every row of @in. */
static bool
pass_rows (TlResizer *resizer, const View *in, size_t n_bytes, const Side *side,
    uint32_t out_height, uint8_t *out, size_t out_stride)
{
  if (!reserve (&resizer->sums, n_bytes, sizeof (int32_t)))
    return false;
  for (uint32_t y = 0; y < out_height; y++)
    weigh_rows (in->data + (side->first[y] - in->y) * in->stride, in->stride,
        side->weights + (size_t) y * side->max_taps, side->taps[y],
        resizer->sums.data, n_bytes, out + y * out_stride);
  return true;
}

/* Pillow takes the vertical pass first where the height shrinks by more than
 * twice what the width does (since version 13; before that never). It shows in
 * the last bits, since what lies between the passes is rounded. */
static bool
rows_come_first (const TlPixels *source, uint32_t width, uint32_t height)
{
  int64_t fewer_rows = (int64_t) source->height - height;
  int64_t fewer_columns = (int64_t) source->width - width;

  return fewer_rows > 0 && fewer_rows > 2 * fewer_columns;
}

/* The source columns and rows that the weights reach. */
static TlBox
reached_box (const Side *columns, const Side *rows, const TlBox *window)
{
  uint32_t right = window->width - 1, bottom = window->height - 1;

  return (TlBox){
      .x = columns->first[0],
      .y = rows->first[0],
      .width = columns->first[right] + columns->taps[right] - columns->first[0],
      .height = rows->first[bottom] + rows->taps[bottom] - rows->first[0],
  };
}

static bool
run_passes (TlResizer *resizer, const TlPixels *source, bool rows_first,
    const Side *columns, const Side *rows, const TlBox *window,
    uint8_t *destination, size_t stride)
{
  TlBox box = reached_box (columns, rows, window);
  size_t between_stride =
      (size_t) (rows_first ? box.width : window->width) * CHANNELS;
  uint32_t between_rows = rows_first ? window->height : box.height;
  View in = {source->data + (box.y - source->first_row) * source->stride
          + (size_t) (box.x - source->first_column) * CHANNELS,
      source->stride, box.x, box.y};
  View between = {NULL, between_stride, box.x, box.y};
  uint8_t *data;

  if (!reserve (&resizer->between, between_rows, between_stride))
    return false;
  between.data = data = resizer->between.data;
  if (rows_first)
    return pass_rows (resizer, &in, between_stride, rows, window->height, data,
               between_stride)
        && pass_columns (resizer, &between, window->height, columns,
            window->width, destination, stride);
  return pass_columns (resizer, &in, box.height, columns, window->width, data,
             between_stride)
      && pass_rows (resizer, &between, between_stride, rows, window->height,
          destination, stride);
}

TlStatus
tl_resizer_run (TlResizer *resizer, const TlPixels *source, TlFilter filter,
    uint32_t width, uint32_t height, const TlBox *window, uint8_t *destination,
    size_t stride, TlError *error)
{
  Side columns, rows;

  if (!fill_side (resizer, &resizer->columns, &columns, filter, source->width,
          width, window->x, window->width)
      || !fill_side (resizer, &resizer->rows, &rows, filter, source->height,
          height, window->y, window->height)
      || !run_passes (resizer, source, rows_come_first (source, width, height),
          &columns, &rows, window, destination, stride))
    return tl_fail (error, TL_ERROR_MEMORY,
        "There is not enough memory to resize a picture of %ux%u pixels.",
        source->width, source->height);
  return TL_OK;
}
