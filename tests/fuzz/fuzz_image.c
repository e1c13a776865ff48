/* SPDX-License-Identifier: BSD-3-Clause */

/* The core of imagedecode on files of the format named TL_FUZZ_FORMAT. */

#include "tlfuzzformat.h"
#include "tlfuzzrender.h"
#include "tlfuzztarget.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  tl_fuzz_render (data, size);
  return 0;
}

/* Changes the options now and then and the file otherwise, but not how it
 * begins: with another format's beginning it would test that one. Check sums
 * are mostly put right, since a decoder goes no further if they are wrong. */
size_t
LLVMFuzzerCustomMutator (uint8_t *data, size_t size, size_t max_size,
    unsigned seed)
{
  const TlFuzzFormat *format = tl_fuzz_format_find (TL_FUZZ_FORMAT);
  uint8_t *file = data + TL_FUZZ_OPTIONS;

  if (size <= TL_FUZZ_OPTIONS || max_size <= TL_FUZZ_OPTIONS)
    return LLVMFuzzerMutate (data, size, max_size);
  if (seed % 8 == 0) {
    LLVMFuzzerMutate (data, TL_FUZZ_OPTIONS, TL_FUZZ_OPTIONS);
    return size;
  }
  size = LLVMFuzzerMutate (file, size - TL_FUZZ_OPTIONS,
      max_size - TL_FUZZ_OPTIONS);
  tl_fuzz_format_stamp (format, file, size, seed >> 8);
  if (seed / 8 % 8 != 0)
    tl_fuzz_format_repair (format, file, size);
  return size + TL_FUZZ_OPTIONS;
}

/* Sizes, crops and limits that differ from file to file. */
static void
choose_options (uint32_t n, uint8_t options[TL_FUZZ_OPTIONS])
{
  for (uint32_t i = 0; i < TL_FUZZ_OPTIONS; i++)
    options[i] = (uint8_t) ((n + 1) * (i + 3) * 2654435761u >> 23);
  options[0] &= (uint8_t) ~TL_FUZZ_SMALL_LIMIT;
}

void
tl_fuzz_target_each_of_file (const char *name, const uint8_t *file, size_t size,
    TlSeedFunc func, void *user)
{
  uint8_t *input = malloc (TL_FUZZ_OPTIONS + size);

  if (input
      && tl_fuzz_format_of (file, size)
          == tl_fuzz_format_find (TL_FUZZ_FORMAT)) {
    choose_options ((uint32_t) (size + file[size / 2]), input);
    memcpy (input + TL_FUZZ_OPTIONS, file, size);
    func (user, name, input, TL_FUZZ_OPTIONS + size);
  }
  free (input);
}

typedef struct
{
  TlSeedFunc func;
  void *user;
} Receiver;

static void
give_seed (void *user, const char *name, const uint8_t *file, size_t size)
{
  const Receiver *receiver = user;

  tl_fuzz_target_each_of_file (name, file, size, receiver->func,
      receiver->user);
}

void
tl_fuzz_target_each_start (TlSeedFunc func, void *user)
{
  Receiver receiver = {func, user};

  tl_seeds_each (TL_FUZZ_FORMAT, give_seed, &receiver);
}
