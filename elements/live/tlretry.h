/* SPDX-License-Identifier: BSD-3-Clause */

/* When to try again after a fault, and when to speak of it. Pure C: knows no
 * GStreamer. */

#ifndef TL_RETRY_H
#define TL_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Microseconds: the first pause, which doubles with each further fault; the
 * longest; and the shortest from one warning of a kind to the next. */
#define TL_RETRY_FIRST 100000
#define TL_RETRY_LONGEST 5000000
#define TL_RETRY_QUIET 10000000

typedef struct
{
  int64_t pause;      /* µs; 0: all is well */
  int64_t not_before; /* time of the next try */
  int64_t warned_at;
  int warned_of; /* kind of the last fault that was spoken of; 0: none yet */
  bool is_open;  /* a fault was spoken of, its end was not */
} TlRetry;

/* {0} is the begin. @now: µs of a clock that never goes back; @kind: not 0. */

bool tl_retry_is_due (const TlRetry *self, int64_t now);

/* A try has failed. Returns whether to warn: of each kind once, and again when
 * it comes back after a while. */
bool tl_retry_fail (TlRetry *self, int kind, int64_t now);

/* A try went well. Returns whether to say that the fault is over. */
bool tl_retry_succeed (TlRetry *self);

#ifdef __cplusplus
}
#endif

#endif
