/* SPDX-License-Identifier: BSD-3-Clause */

/* Draws lung-ultrasound-like frames of a patient who does not exist: speckle
 * and reflectors in lines and depth, then a convex sector as a scanner shows
 * it. A drawing to try software with: it looks like, but is not, a simulation
 * of acoustics, and says nothing about real patients. */

#ifndef PHANTOM_H
#define PHANTOM_H

#include <stddef.h>
#include <stdint.h>

/* What the frame shows below the pleural line. */
typedef enum
{
  PHANTOM_NORMAL = 0,        /* A-lines: echoes of the pleural line */
  PHANTOM_B_LINES = 1,       /* bright streaks from the pleura to the bottom */
  PHANTOM_CONSOLIDATION = 2, /* tissue-like patch with a shredded border */
} PhantomFinding;

#define PHANTOM_N_FINDINGS 3

#define PHANTOM_WIDTH 320
#define PHANTOM_HEIGHT 240

typedef struct _Phantom Phantom;

/* "normal", "b-lines", "consolidation"; folder names. */
const char *phantom_finding_name (PhantomFinding finding);

/* One patient, a pure function of the arguments; *transferred*. */
Phantom *phantom_new (PhantomFinding finding, uint64_t seed, uint32_t patient);
void phantom_free (Phantom *phantom);

/* Draws the frame with number @frame (30 a second) of this patient into
 * @pixels: PHANTOM_HEIGHT rows of PHANTOM_WIDTH grey bytes. */
void phantom_draw (Phantom *phantom, uint32_t frame, uint8_t *pixels,
    size_t stride);

#endif
