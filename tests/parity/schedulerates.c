/* SPDX-License-Identifier: BSD-3-Clause */

/* The C half of scheduleparity.py: from every line "KIND LR STEP-SIZE GAMMA
 * WARMUP-EPOCHS EPOCHS" of stdin, one line with the rate of every epoch, or
 * "refused" and the reason. */

#include <tlschedule.h>

#include <inttypes.h>
#include <stdio.h>

int
main (void)
{
  TlSchedule schedule;
  unsigned kind;

  while (scanf ("%u %lf %" SCNu32 " %lf %" SCNu32 " %" SCNu32, &kind,
             &schedule.lr, &schedule.step_size, &schedule.gamma,
             &schedule.warmup_epochs, &schedule.epochs)
      == 6) {
    TlError error = TL_ERROR_INIT;

    schedule.kind = kind;
    if (tl_schedule_check (&schedule, &error) != TL_OK) {
      printf ("refused %s\n", error.message);
      continue;
    }
    for (uint32_t epoch = 0; epoch < schedule.epochs; epoch++)
      printf ("%.17g ", tl_schedule_lr (&schedule, epoch));
    printf ("\n");
  }
  return 0;
}
