/* SPDX-License-Identifier: BSD-3-Clause */

/* A fuzzing target without libFuzzer, built by any compiler and run by the
 * tests:
 *
 *   replay                          what testing starts from, with changes
 *   replay INPUT...                 these inputs, as libFuzzer wrote them
 *   replay --write FOLDER FILE...   writes what testing starts from, and these
 *                                   picture files as inputs
 *
 * TL_FUZZ_MUTATIONS: how often each input is changed, 20 unless told. */

#include "tlfuzztarget.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INPUT (1 << 20)

/* AddressSanitizer, where there is one, ends the program at an allocation that
 * no input of a fuzzer's size may lead to. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "max_allocation_size_mb=64";
}

/* xorshift: the same changes in every run. */
static uint32_t state;

static uint32_t
next_random (uint32_t limit)
{
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state % limit;
}

size_t
LLVMFuzzerMutate (uint8_t *data, size_t size, size_t max_size)
{
  static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
  uint32_t at, n;

  if (size == 0)
    return 0;
  at = next_random ((uint32_t) size);
  n = 1 + next_random ((uint32_t) (size - at));
  switch (next_random (5)) {
    case 0:
      data[at] ^= (uint8_t) (1 << next_random (8));
      break;
    case 1:
      data[at] = edges[next_random (sizeof edges)];
      break;
    case 2: /* cut off the end */
      size = at + 1;
      break;
    case 3: /* take out a piece */
      memmove (data + at, data + at + n, size - at - n);
      size -= n < size ? n : 0;
      break;
    default: /* repeat a piece */
      if (size + n <= max_size) {
        memmove (data + at + n, data + at, size - at);
        size += n;
      }
      break;
  }
  return size;
}

typedef struct
{
  unsigned mutations;
  unsigned n_inputs;
} Count;

static void
run_changed (const uint8_t *data, size_t size, unsigned n)
{
  uint8_t *input = malloc (2 * size);

  if (!input)
    exit (2);
  for (unsigned i = 0; i < n; i++) {
    size_t changed = size;

    memcpy (input, data, size);
    for (uint32_t k = 0; k <= next_random (4); k++)
      changed = LLVMFuzzerCustomMutator (input, changed, 2 * size,
          next_random (1u << 16));
    LLVMFuzzerTestOneInput (input, changed);
  }
  free (input);
}

static void
run_start (void *user, const char *name, const uint8_t *data, size_t size)
{
  Count *count = user;

  LLVMFuzzerTestOneInput (data, size);
  run_changed (data, size, count->mutations);
  count->n_inputs += 1 + count->mutations;
}

static int
run_starts (void)
{
  const char *mutations = getenv ("TL_FUZZ_MUTATIONS");
  Count count = {.mutations = mutations ? (unsigned) atoi (mutations) : 20};

  state = 1;
  tl_fuzz_target_each_start (run_start, &count);
  printf ("%u inputs\n", count.n_inputs);
  return count.n_inputs > 0 ? 0 : 1;
}

static uint8_t *
read_file (const char *path, size_t *size)
{
  FILE *file = fopen (path, "rb");
  uint8_t *data = malloc (MAX_INPUT);

  if (!file || !data) {
    fprintf (stderr, "%s: %s\n", path, strerror (errno));
    exit (2);
  }
  *size = fread (data, 1, MAX_INPUT, file);
  fclose (file);
  return data;
}

static void
write_input (void *user, const char *name, const uint8_t *data, size_t size)
{
  const char *folder = user;
  char path[4096];
  FILE *file;

  snprintf (path, sizeof path, "%s/%s", folder, name);
  file = fopen (path, "wb");
  if (!file || fwrite (data, 1, size, file) != size || fclose (file) != 0) {
    fprintf (stderr, "%s: %s\n", path, strerror (errno));
    exit (2);
  }
}

static int
write_inputs (char *folder, char **files, int n)
{
  tl_fuzz_target_each_start (write_input, folder);
  for (int i = 0; i < n; i++) {
    const char *slash = strrchr (files[i], '/');
    size_t size;
    uint8_t *data = read_file (files[i], &size);

    tl_fuzz_target_each_of_file (slash ? slash + 1 : files[i], data, size,
        write_input, folder);
    free (data);
  }
  return 0;
}

int
main (int argc, char **argv)
{
  if (argc == 1)
    return run_starts ();
  if (argc > 2 && !strcmp (argv[1], "--write"))
    return write_inputs (argv[2], argv + 3, argc - 3);
  for (int i = 1; i < argc; i++) {
    size_t size;
    uint8_t *data = read_file (argv[i], &size);

    LLVMFuzzerTestOneInput (data, size);
    free (data);
  }
  return 0;
}
