/* SPDX-License-Identifier: BSD-3-Clause */

#include "phantom.h"

#include <math.h>
#include <stdlib.h>

#include "tlrandom.h"

/* The scan before it becomes a sector: beams of the probe, echoes per beam. */
#define LINES 128
#define SAMPLES 384

#define MAX_STREAKS 5
#define N_BRONCHOGRAMS 9
#define N_RIBS 2

/* Speckle moves with the tissue: this much of it stays from frame to frame. */
#define SPECKLE_KEPT 0.85f

#define DYNAMIC_RANGE_DB 48.0f

/* Numbers of the draws; each block may use the 256 from its own on. */
enum
{
  DRAW_PATIENT = 0x0,
  DRAW_STREAKS = 0x100,
  DRAW_BRONCHOGRAMS = 0x200,
  DRAW_BORDER = 0x300,
  DRAW_SPECKLE = 0x400,
};

typedef struct
{
  float line;  /* of LINES */
  float depth; /* of the whole depth, as all depths below */
  float size;
  float strength;
} Spot;

/* Two quadratures: their length is the echo, which gives real speckle. */
typedef struct
{
  float re[LINES][SAMPLES];
  float im[LINES][SAMPLES];
} Field;

struct _Phantom
{
  PhantomFinding finding;
  uint64_t seed;
  uint32_t patient;

  float gain;
  float pleura; /* depth of the pleural line */
  float breath; /* radians per frame */
  Spot ribs[N_RIBS];
  int n_streaks;
  Spot streaks[MAX_STREAKS];
  Spot patch;          /* depth and line: its centre; size: half its width */
  float border[LINES]; /* of the patch; also how uneven reflectors are */
  Spot bronchograms[N_BRONCHOGRAMS];

  Field kept;  /* speckle of the patient */
  Field field; /* the frame being drawn */
};

const char *
phantom_finding_name (PhantomFinding finding)
{
  static const char *const names[] = {"normal", "b-lines", "consolidation"};

  return names[finding];
}

static float
draw_between (const Phantom *p, uint32_t draw, float low, float high)
{
  double u = tl_random_uniform (p->seed, p->finding, p->patient, draw);

  return low + (high - low) * (float) u;
}

static void
fill_speckle (const Phantom *p, uint32_t view, Field *ret)
{
  uint32_t draw = DRAW_SPECKLE + p->finding;

  for (int l = 0; l < LINES; l++) {
    for (int s = 0; s < SAMPLES; s++) {
      uint64_t cell = ((uint64_t) p->patient << 32) + l * SAMPLES + s;

      ret->re[l][s] = (float) tl_random_normal (p->seed, view, cell, draw);
      ret->im[l][s] =
          (float) tl_random_normal (p->seed, view, cell, draw + 0x100);
    }
  }
}

static void
place_streaks (Phantom *p)
{
  p->n_streaks =
      2 + (int) draw_between (p, DRAW_STREAKS, 0, MAX_STREAKS - 1.01f);
  for (int i = 0; i < p->n_streaks; i++) {
    uint32_t draw = DRAW_STREAKS + 8 * (i + 1);
    float room = 0.7f * LINES / p->n_streaks;

    p->streaks[i].line =
        0.15f * LINES + room * (i + draw_between (p, draw, 0.2f, 0.8f));
    p->streaks[i].size = draw_between (p, draw + 1, 1.2f, 3.6f);
    p->streaks[i].strength = draw_between (p, draw + 2, 0.9f, 1.6f);
  }
}

/* A walk with a pull to zero: jagged, but not without bounds. */
static void
draw_border (Phantom *p)
{
  float at = 0;

  for (int l = 0; l < LINES; l++) {
    at = 0.9f * at + draw_between (p, DRAW_BORDER + l, -0.026f, 0.026f);
    p->border[l] = at;
  }
}

static void
place_patch (Phantom *p)
{
  p->patch.line = draw_between (p, DRAW_PATIENT + 8, 0.35f, 0.65f) * LINES;
  p->patch.size = draw_between (p, DRAW_PATIENT + 9, 0.24f, 0.42f) * LINES;
  p->patch.depth = draw_between (p, DRAW_PATIENT + 10, 0.24f, 0.42f);
  for (int i = 0; i < N_BRONCHOGRAMS; i++) {
    uint32_t draw = DRAW_BRONCHOGRAMS + 8 * i;
    Spot *spot = &p->bronchograms[i];

    spot->line =
        p->patch.line + p->patch.size * draw_between (p, draw, -0.6f, 0.6f);
    spot->depth =
        p->pleura + p->patch.depth * draw_between (p, draw + 1, 0.15f, 0.75f);
    spot->size = draw_between (p, draw + 2, 1.5f, 4.0f);
    spot->strength = draw_between (p, draw + 3, 0.5f, 1.4f);
  }
}

Phantom *
phantom_new (PhantomFinding finding, uint64_t seed, uint32_t patient)
{
  Phantom *p = calloc (1, sizeof *p);

  if (!p)
    abort ();
  p->finding = finding;
  p->seed = seed;
  p->patient = patient;
  p->gain = draw_between (p, DRAW_PATIENT, -5.0f, 5.0f);
  p->pleura = draw_between (p, DRAW_PATIENT + 1, 0.17f, 0.25f);
  p->breath = draw_between (p, DRAW_PATIENT + 2, 0.05f, 0.09f);
  for (int i = 0; i < N_RIBS; i++) {
    p->ribs[i].line = LINES
        * (i
            + draw_between (p, DRAW_PATIENT + 3 + 2 * i, -0.04f, 0.10f)
                * (i ? -1 : 1));
    p->ribs[i].size = draw_between (p, DRAW_PATIENT + 4 + 2 * i, 6, 13);
  }
  draw_border (p);
  place_streaks (p);
  place_patch (p);
  fill_speckle (p, 0, &p->kept);
  return p;
}

void
phantom_free (Phantom *phantom)
{
  free (phantom);
}

/* 1 in the middle of a bump, 0 far away. */
static float
bump (float distance, float size)
{
  float x = distance / size;

  return x > 3 || x < -3 ? 0 : expf (-x * x);
}

/* What scatters (diffuse) and what mirrors (specular) at one place. */
typedef struct
{
  float diffuse;
  float specular;
} Echo;

static Echo
chest_wall (float depth, float pleura, int line)
{
  float at = depth / pleura;
  float wave = 0.03f * sinf (line * 0.07f);
  Echo echo = {0.22f + 0.12f * sinf ((at + wave) * 21), 0};

  if (at < 0.12f)
    echo.diffuse = 0.9f;
  echo.specular = 0.9f * bump (at - 0.42f - wave, 0.02f)
      + 1.1f * bump (at - 0.68f + wave, 0.02f);
  return echo;
}

/* Each echo of the pleural line comes once more from twice the depth. */
static Echo
a_lines (float depth, float pleura)
{
  Echo echo = {0.16f * expf (-4 * (depth - pleura)), 0};
  float strength = 1.3f;

  for (int k = 2; k <= 5; k++) {
    echo.specular += strength * bump (depth - k * pleura, 0.007f);
    strength *= 0.5f;
  }
  return echo;
}

static Echo
b_lines (const Phantom *p, float depth, float pleura, float line)
{
  Echo echo = {0.10f * expf (-3 * (depth - pleura)), 0};

  for (int i = 0; i < p->n_streaks; i++) {
    const Spot *streak = &p->streaks[i];
    float ripple = 0.85f + 0.15f * sinf (depth * 140 + i);

    echo.diffuse += streak->strength * ripple
        * bump (line - streak->line, streak->size * (0.7f + 0.5f * depth));
  }
  return echo;
}

static Echo
consolidation (const Phantom *p, float depth, float pleura, int line)
{
  float across = (line - p->patch.line) / p->patch.size;
  float bottom =
      pleura + p->patch.depth * (1 - across * across) + p->border[line];
  Echo echo = {0.26f, 0};

  if (bottom < pleura)
    return a_lines (depth, pleura);
  if (depth > bottom) {
    /* The shredded border and what rings below it. */
    echo.diffuse = 0.55f * expf (-7 * (depth - bottom))
        * (1 + 8 * fabsf (p->border[line]));
    echo.specular = 1.6f * bump (depth - bottom, 0.012f);
    return echo;
  }
  for (int i = 0; i < N_BRONCHOGRAMS; i++) {
    const Spot *spot = &p->bronchograms[i];
    float tilt = 0.008f * (i % 3 - 1) * (line - spot->line);

    echo.specular += spot->strength * bump (line - spot->line, spot->size)
        * bump (depth - spot->depth - tilt, 0.004f * spot->size);
  }
  return echo;
}

static Echo
below_pleura (const Phantom *p, float depth, float pleura, float line,
    int fixed_line)
{
  switch (p->finding) {
    case PHANTOM_B_LINES:
      return b_lines (p, depth, pleura, line);
    case PHANTOM_CONSOLIDATION:
      return consolidation (p, depth, pleura, fixed_line);
    default:
      return a_lines (depth, pleura);
  }
}

/* Bone gives one bright arc and leaves a shadow. */
static void
add_ribs (const Phantom *p, float depth, int line, Echo *echo)
{
  for (int i = 0; i < N_RIBS; i++) {
    float across = (line - p->ribs[i].line) / p->ribs[i].size;
    float surface = p->pleura * (0.62f + 0.18f * across * across);

    if (across < -1 || across > 1)
      continue;
    if (depth > surface) {
      echo->diffuse *= 0.06f + 0.3f * across * across;
      echo->specular *= 0.1f * across * across;
    }
    echo->specular += 2.5f * bump (depth - surface, 0.012f);
  }
}

/* The lung slides under the chest wall, streaks slide along. */
static Echo
echo_at (const Phantom *p, float breath, int line, int sample)
{
  float depth = (sample + 0.5f) / SAMPLES;
  float pleura = p->pleura + 0.006f * breath + 0.004f * sinf (line * 0.09f);
  Echo echo;

  if (depth < pleura)
    echo = chest_wall (depth, pleura, line);
  else
    echo = below_pleura (p, depth, pleura, line - 4 * breath, line);
  echo.specular += 3.5f * bump (depth - pleura, 0.008f);
  /* No reflector is equally smooth everywhere. */
  echo.specular *= expf (14 * p->border[line]);
  add_ribs (p, depth, line, &echo);
  return echo;
}

static void
fill_field (Phantom *p, uint32_t frame)
{
  float fresh = sqrtf (1 - SPECKLE_KEPT * SPECKLE_KEPT);
  float breath = sinf (frame * p->breath);
  Field *field = &p->field;

  fill_speckle (p, frame + 1, field);
  for (int l = 0; l < LINES; l++) {
    for (int s = 0; s < SAMPLES; s++) {
      Echo echo = echo_at (p, breath, l, s);

      field->re[l][s] = echo.specular
          + echo.diffuse
              * (SPECKLE_KEPT * p->kept.re[l][s] + fresh * field->re[l][s]);
      field->im[l][s] = echo.diffuse
          * (SPECKLE_KEPT * p->kept.im[l][s] + fresh * field->im[l][s]);
    }
  }
}

/* The pulse is short along the beam, the beam is wide and widens with depth. */
static void
blur_along (float field[LINES][SAMPLES])
{
  static const float taps[] = {0.09f, 0.24f, 0.34f, 0.24f, 0.09f};
  float row[SAMPLES];

  for (int l = 0; l < LINES; l++) {
    for (int s = 0; s < SAMPLES; s++) {
      row[s] = 0;
      for (int k = -2; k <= 2; k++)
        if (s + k >= 0 && s + k < SAMPLES)
          row[s] += taps[k + 2] * field[l][s + k];
    }
    for (int s = 0; s < SAMPLES; s++)
      field[l][s] = row[s];
  }
}

static void
blur_across (float field[LINES][SAMPLES], int from)
{
  for (int s = from; s < SAMPLES; s++) {
    float before = field[0][s];

    for (int l = 1; l < LINES - 1; l++) {
      float here = field[l][s];

      field[l][s] = 0.25f * before + 0.5f * here + 0.25f * field[l + 1][s];
      before = here;
    }
  }
}

static void
focus (float field[LINES][SAMPLES])
{
  blur_along (field);
  blur_across (field, 0);
  blur_across (field, SAMPLES / 3);
  blur_across (field, SAMPLES * 2 / 3);
}

/* Log compression, as a scanner does it: grey level per decibel. */
static float
grey (const Phantom *p, int line, int sample)
{
  float re = p->field.re[line][sample];
  float im = p->field.im[line][sample];
  float db = 10 * log10f (re * re + im * im + 1e-9f) + p->gain;
  float level = (db + DYNAMIC_RANGE_DB - 6) / DYNAMIC_RANGE_DB;

  return 255 * fminf (fmaxf (level, 0), 1);
}

static uint8_t
interpolate (const Phantom *p, float line, float sample)
{
  int l = (int) line;
  int s = (int) sample;
  float a = line - l;
  float b = sample - s;
  float near = (1 - a) * grey (p, l, s) + a * grey (p, l + 1, s);
  float far = (1 - a) * grey (p, l, s + 1) + a * grey (p, l + 1, s + 1);

  return (uint8_t) lrintf ((1 - b) * near + b * far);
}

#define HALF_ANGLE 0.55f
#define PROBE_RADIUS 84.0f
#define TOP 16.0f
#define DEPTH_PIXELS (PHANTOM_HEIGHT - TOP - 6)

static uint8_t
sector_pixel (const Phantom *p, int x, int y)
{
  float dx = x + 0.5f - PHANTOM_WIDTH / 2.0f;
  float dy = y + 0.5f - TOP + PROBE_RADIUS;
  float angle = atan2f (dx, dy);
  float depth = (hypotf (dx, dy) - PROBE_RADIUS) / DEPTH_PIXELS;

  if (angle <= -HALF_ANGLE || angle >= HALF_ANGLE || depth < 0 || depth >= 1)
    return 0;
  return interpolate (p, (angle / HALF_ANGLE + 1) / 2 * (LINES - 1.001f),
      depth * (SAMPLES - 1.001f));
}

/* Depth marks at the right, the probe's mark at the top left. */
static void
draw_marks (uint8_t *pixels, size_t stride)
{
  for (int i = 0; i <= 10; i++) {
    uint8_t *row = pixels + (size_t) (TOP + i * DEPTH_PIXELS / 10) * stride;

    for (int x = i % 5 ? 3 : 6; x > 0; x--)
      row[PHANTOM_WIDTH - 2 - x] = 170;
  }
  for (int y = -4; y <= 4; y++)
    for (int x = -4; x <= 4; x++)
      if (x * x + y * y <= 16)
        pixels[(size_t) (14 + y) * stride + 14 + x] = 200;
}

void
phantom_draw (Phantom *phantom, uint32_t frame, uint8_t *pixels, size_t stride)
{
  fill_field (phantom, frame);
  focus (phantom->field.re);
  focus (phantom->field.im);
  for (int y = 0; y < PHANTOM_HEIGHT; y++)
    for (int x = 0; x < PHANTOM_WIDTH; x++)
      pixels[(size_t) y * stride + x] = sector_pixel (phantom, x, y);
  draw_marks (pixels, stride);
}
