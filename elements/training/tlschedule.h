/* SPDX-License-Identifier: BSD-3-Clause */

/* The learning rate of an epoch, as a pure function of the epoch: nothing to
 * store, nothing to restore. Knows neither GStreamer nor GLib nor torch. */

#ifndef TL_SCHEDULE_H
#define TL_SCHEDULE_H

#include <tlstatus.h>

typedef enum
{
  TL_SCHEDULE_CONSTANT = 0,
  TL_SCHEDULE_STEP = 1,   /* torch.optim.lr_scheduler.StepLR */
  TL_SCHEDULE_COSINE = 2, /* CosineAnnealingLR down to 0 */
} TlScheduleKind;

/* The first warm-up epoch runs at this share of lr, as in torchvision's
 * training reference (--lr-warmup-decay). */
#define TL_SCHEDULE_WARMUP_START 0.01

typedef struct
{
  TlScheduleKind kind;
  double lr;              /* base rate, > 0 */
  uint32_t step_size;     /* STEP: epochs between two drops, >= 1 */
  double gamma;           /* STEP: factor of a drop, > 0 and <= 1 */
  uint32_t warmup_epochs; /* 0: none; fewer than epochs */
  uint32_t epochs;        /* of the whole run; 0: endless */
} TlSchedule;

/* Room for tl_schedule_to_text() of any schedule. */
#define TL_SCHEDULE_TEXT 160

/* TL_ERROR_ARGUMENT, with a sentence for the user, where a value is out of its
 * range or the schedule needs a number of epochs that is not known. */
TlStatus tl_schedule_check (const TlSchedule *self, TlError *error);

/* The rate of every step of @epoch (from 0), for a schedule that passed
 * tl_schedule_check().
 *
 * Rates change between epochs only, as in torchvision's training reference:
 * SequentialLR of LinearLR (start_factor 0.01, total_iters = warmup_epochs)
 * and then the schedule, which counts its epochs, and for cosine its T_max,
 * from the end of the warm-up. With e = epoch - warmup_epochs:
 *
 *   warm-up   lr * (0.01 + 0.99 * epoch / warmup_epochs)
 *   constant  lr
 *   step      lr * gamma ^ floor (e / step_size)
 *   cosine    lr * (1 + cos (pi * e / (epochs - warmup_epochs))) / 2 */
double tl_schedule_lr (const TlSchedule *self, uint32_t epoch);

/* One line that two schedules share only if they give the same rates, "step
 * lr=0.001 step-size=7 gamma=0.1 warmup-epochs=0". epochs is in it for cosine
 * alone: a longer run of the others begins with the same epochs. */
void tl_schedule_to_text (const TlSchedule *self, char text[TL_SCHEDULE_TEXT]);

#endif
