/* SPDX-License-Identifier: BSD-3-Clause */

/* The order in which an epoch plays its samples: a pure function of
 * (seed, epoch, n), so that any position of any epoch can be found again
 * without having played what came before it.
 *
 * Knows neither GStreamer nor GLib nor torch. */

#ifndef TL_ORDER_H
#define TL_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills order[0..n) with a permutation of 0..n-1: the sample to play at each
 * position. With @shuffle false it is the identity. @order is *borrowed* and
 * may be NULL only where @n is 0. Thread-safe. */
void tl_order_fill (uint32_t *order, size_t n, uint64_t seed, uint32_t epoch,
    bool shuffle);

#endif
