/* SPDX-License-Identifier: BSD-3-Clause */

/* What happens to an imagedecode in a harness, in any order: pictures, events,
 * flushes, caps, changes of state and of properties. */

#ifndef TL_DECODE_SCRIPT_H
#define TL_DECODE_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

/* An input: the number of steps, TL_SCRIPT_SETTINGS bytes of settings, the
 * steps, and the one picture that they push. */
#define TL_SCRIPT_SETTINGS 4
#define TL_SCRIPT_MAX_STEPS 32
#define TL_SCRIPT_STEP 4

/* The first byte of a step; the others are its arguments. */
enum
{
  TL_STEP_PICTURE,    /* TL_PICTURE_* flags, then the part: from and to, in
                      256ths; 0 and 0 is the whole */
  TL_STEP_PHASE,      /* split, samples */
  TL_STEP_PHASE_END,  /* split, samples */
  TL_STEP_CAPS,       /* which, width, height */
  TL_STEP_FLUSH,      /* start, stop, segment */
  TL_STEP_FLUSH_HALF, /* even: only the start; odd: only the stop */
  TL_STEP_EOS,
  TL_STEP_STATE,    /* to which; above 127: it is left there */
  TL_STEP_PROPERTY, /* which, value */
  TL_STEP_QUERY,    /* which */
  TL_STEP_EVENT,    /* which other event */
  TL_STEP_PULL,     /* takes what has come out */
  TL_N_STEPS
};

enum
{
  TL_PICTURE_NO_META = 1,
  TL_PICTURE_TRAIN = 2,
  TL_PICTURE_TWO_MEMORIES = 4,
  TL_PICTURE_READ_ONLY = 8,
  TL_PICTURE_FIT_CAPS = 16, /* as many bytes as the caps' frame has */
  TL_PICTURE_EMPTY = 32,
};

/* Registers the element; once per program. */
void tl_decode_script_register (void);

/* Plays the input. Aborts if the element outlives it, or if, undisturbed by
 * flushes and changes of state, a picture is neither decoded nor reported. */
void tl_decode_script_play (const uint8_t *data, size_t size);

#endif
