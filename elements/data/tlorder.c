/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlorder.h"

#include "tlrandom.h"

/* Fisher-Yates (Knuth, The Art of Computer Programming, 3.4.2, algorithm P):
 * every permutation is equally likely. The draw for slot i is keyed by i. */
void
tl_order_fill (uint32_t *order, size_t n, uint64_t seed, uint32_t epoch,
    bool shuffle)
{
  for (size_t i = 0; i < n; i++)
    order[i] = (uint32_t) i;
  if (!shuffle)
    return;
  for (size_t i = n; i > 1; i--) {
    size_t j = tl_random_below (seed, epoch, i - 1, TL_DRAW_ORDER, i);
    uint32_t swapped = order[i - 1];

    order[i - 1] = order[j];
    order[j] = swapped;
  }
}
