/* SPDX-License-Identifier: BSD-3-Clause */

/* How fast a checkpoint's bytes are copied, copied and summed, and hashed:
 * gigabytes per second, the best of five. */

#include "tlsha256.h"
#include "tlxxh64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIZE ((size_t) 256 << 20)
#define PIECE ((size_t) 128 << 10)

static uint8_t *source, *target;

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

static void
copy (void)
{
  memcpy (target, source, SIZE);
}

static void
copy_and_sum (void)
{
  TlXxh64 xxh;

  tl_xxh64_init (&xxh);
  for (size_t at = 0; at < SIZE; at += PIECE) {
    memcpy (target + at, source + at, PIECE);
    tl_xxh64_update (&xxh, target + at, PIECE);
  }
  target[0] = (uint8_t) tl_xxh64_value (&xxh);
}

static void
hash (void)
{
  TlSha256 sha;
  uint8_t digest[32];

  tl_sha256_init (&sha);
  tl_sha256_update (&sha, source, SIZE);
  tl_sha256_final (&sha, digest);
  target[0] = digest[0];
}

static const struct
{
  const char *name;
  void (*run) (void);
} rows[] = {{"memcpy", copy}, {"memcpy and XXH64", copy_and_sum},
    {"SHA-256", hash}};

int
main (void)
{
  source = malloc (SIZE);
  target = malloc (SIZE);
  if (!source || !target)
    return EXIT_FAILURE;
  for (size_t i = 0; i < SIZE; i++)
    source[i] = (uint8_t) (i * i >> 8);
  memset (target, 1, SIZE);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    double best = 0;

    for (int k = 0; k < 5; k++) {
      double begin = now (), speed;

      rows[i].run ();
      speed = 1e-9 * (double) SIZE / (now () - begin);
      best = speed > best ? speed : best;
    }
    printf ("%-18s %6.2f GB/s\n", rows[i].name, best);
  }
  free (source);
  free (target);
  return EXIT_SUCCESS;
}
