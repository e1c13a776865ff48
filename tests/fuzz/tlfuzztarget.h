/* SPDX-License-Identifier: BSD-3-Clause */

/* What a target is to libFuzzer and to replay.c. */

#ifndef TL_FUZZ_TARGET_H
#define TL_FUZZ_TARGET_H

#include "tlseeds.h"

#include <stddef.h>
#include <stdint.h>

/* One input; returns 0. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Changes @data in place and returns its new size, at most @max_size. */
size_t LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size,
    unsigned seed);

/* libFuzzer's own changes, or replay.c's: the same contract. */
size_t LLVMFuzzerMutate (uint8_t *data, size_t size, size_t max_size);

/* Calls @func for each input that testing starts from. */
void tl_fuzz_target_each_start (TlSeedFunc func, void *user);

/* Calls @func for the inputs made of a picture file; not at all if the target
 * has no use for it. */
void tl_fuzz_target_each_of_file (const char *name, const uint8_t *file,
    size_t size, TlSeedFunc func, void *user);

#endif
