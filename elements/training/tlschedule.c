/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlschedule.h"
#include "tlnumber.h"

#include <tlfail.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *const nicks[] = {"constant", "step", "cosine"};

static TlStatus
check_step (const TlSchedule *self, TlError *error)
{
  if (self->step_size == 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "lr-step-size=0 is out of range: expected at least 1 epoch.");
  if (!(self->gamma > 0 && self->gamma <= 1))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "lr-gamma=%s is out of range: expected more than 0 to 1.",
        tl_number_decimal (self->gamma).text);
  return TL_OK;
}

static TlStatus
check_warmup (const TlSchedule *self, TlError *error)
{
  if (self->warmup_epochs == 0 || self->epochs == 0
      || self->warmup_epochs < self->epochs)
    return TL_OK;
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "warmup-epochs=%" PRIu32 " leaves nothing of the %" PRIu32
      " epochs of the run: set fewer warm-up epochs or more epochs.",
      self->warmup_epochs, self->epochs);
}

TlStatus
tl_schedule_check (const TlSchedule *self, TlError *error)
{
  TlStatus status = TL_OK;

  if (!(self->lr > 0) || !isfinite (self->lr))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "lr=%s is out of range: expected a number above 0.",
        tl_number_decimal (self->lr).text);
  if (self->kind == TL_SCHEDULE_STEP)
    status = check_step (self, error);
  if (self->kind == TL_SCHEDULE_COSINE && self->epochs == 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "lr-scheduler=cosine needs to know where the run ends: set epochs on "
        "datasetsrc to more than 0, or choose constant or step.");
  return status == TL_OK ? check_warmup (self, error) : status;
}

static double
cosine_factor (uint32_t epoch, uint32_t epochs)
{
  if (epoch >= epochs)
    return 0;
  return (1 + cos (M_PI * epoch / epochs)) / 2;
}

double
tl_schedule_lr (const TlSchedule *self, uint32_t epoch)
{
  uint32_t after = epoch - self->warmup_epochs;

  if (epoch < self->warmup_epochs)
    return self->lr
        * (TL_SCHEDULE_WARMUP_START
            + (1 - TL_SCHEDULE_WARMUP_START) * epoch / self->warmup_epochs);
  switch (self->kind) {
    case TL_SCHEDULE_STEP:
      return self->lr * pow (self->gamma, after / self->step_size);
    case TL_SCHEDULE_COSINE:
      return self->lr
          * cosine_factor (after, self->epochs - self->warmup_epochs);
    case TL_SCHEDULE_CONSTANT:
      break;
  }
  return self->lr;
}

void
tl_schedule_to_text (const TlSchedule *self, char text[TL_SCHEDULE_TEXT])
{
  TlNumber lr = tl_number_decimal (self->lr);
  char own[64] = "";

  if (self->kind == TL_SCHEDULE_STEP)
    snprintf (own, sizeof own, " step-size=%" PRIu32 " gamma=%s",
        self->step_size, tl_number_decimal (self->gamma).text);
  else if (self->kind == TL_SCHEDULE_COSINE)
    snprintf (own, sizeof own, " epochs=%" PRIu32, self->epochs);
  snprintf (text, TL_SCHEDULE_TEXT, "%s lr=%s%s warmup-epochs=%" PRIu32,
      nicks[self->kind], lr.text, own, self->warmup_epochs);
}
