/* SPDX-License-Identifier: BSD-3-Clause */

/* 10,000 changes to valid pictures of each format, with and without
 * accept_truncated: each is decoded or refused with a sentence, in bounded time
 * and memory. The same in every run. TL_MUTATIONS: another number. */

#include "tlfuzzformat.h"
#include "tlseeds.h"

#include <tlimage.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MAX_SEEDS 64
#define DEFAULT_MUTATIONS 10000
#define VALGRIND_MUTATIONS 200
#define MAX_PIXELS 16384
/* libtiff may take 32 MiB; the rest is the program. */
#define MAX_MEMORY_KIB (128 * 1024)
#define MAX_SECONDS 2.0
#define SIDE 32

#if defined __SANITIZE_ADDRESS__
#define COUNTS_MEMORY false
#else
#define COUNTS_MEMORY true
#endif

typedef struct
{
  uint8_t *data;
  size_t size;
} Bytes;

typedef struct
{
  const char *format;
  Bytes seeds[MAX_SEEDS];
  size_t n;
  TlImageDecoder *decoder;
  unsigned n_decoded, n_refused;
  double slowest; /* seconds for one picture */
} Suite;

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift
 * generators, scrambled" (2016). */
static uint64_t state = 1;

static uint64_t
draw (uint64_t limit)
{
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (state * UINT64_C (0x2545f4914f6cdd1d) >> 16) % limit;
}

static void
fail (const Suite *suite, const char *what, const char *which)
{
  fprintf (stderr, "%s: %s: %s\n", suite->format, what, which);
  exit (1);
}

static TlStatus
render (Suite *suite, const Bytes *file, const TlImageOptions *options,
    bool may_shrink, TlError *error)
{
  uint8_t out[SIDE * SIDE * 3];
  TlImageInfo info = {0};
  TlCropPlan plan;
  TlStatus status =
      tl_image_probe (file->data, file->size, options, &info, error);

  if (status == TL_OK) {
    TlBox all = {0, 0, info.width, info.height};

    status = tl_crop_plan_fixed (TL_CROP_CENTER, &all, SIDE + 4, SIDE, SIDE,
        &plan, error);
  }
  if (status != TL_OK)
    return status;
  return tl_image_render (suite->decoder, file->data, file->size, options,
      &plan, TL_FILTER_BILINEAR, may_shrink, SIDE, SIDE, out, SIDE * 3, error);
}

static void
keep_seed (void *user, const char *name, const uint8_t *data, size_t size)
{
  const TlImageOptions options = {.max_pixels = MAX_PIXELS};
  Suite *suite = user;
  Bytes *seed = &suite->seeds[suite->n];
  TlError error = TL_ERROR_INIT;

  if (suite->n == MAX_SEEDS)
    fail (suite, name, "too many seeds");
  *seed = (Bytes){malloc (size), size};
  memcpy (seed->data, data, size);
  /* What once broke something is given too, and need not be valid. */
  if (render (suite, seed, &options, false, &error) == TL_OK)
    suite->n++;
  else
    free (seed->data);
}

/* A length, a count, an offset: one that is at an edge, or any. */
static void
edit_number (Bytes *file)
{
  static const uint32_t edges[] = {0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 65500,
      0x10000, 0x7fffffff, 0x80000000, 0xffffffff};
  size_t reach = file->size < 64 || draw (2) ? file->size : 64;
  size_t at = draw (reach), n = (size_t) 1 << draw (3);
  uint32_t value = draw (2) ? edges[draw (sizeof edges / sizeof *edges)]
                            : (uint32_t) draw (UINT32_MAX);
  bool big = draw (2);

  for (size_t i = 0; i < n && at + i < file->size; i++)
    file->data[at + i] = (uint8_t) (value >> 8 * (big ? n - 1 - i : i));
}

/* A piece of another picture, over or into this one. */
static void
splice (Suite *suite, Bytes *file)
{
  const Bytes *other = &suite->seeds[draw (suite->n)];
  size_t from = draw (other->size), n = 1 + draw (other->size - from);
  size_t at = draw (file->size);

  if (n > file->size - at)
    n = file->size - at;
  memcpy (file->data + at, other->data + from, n);
}

static void
mutate (Suite *suite, Bytes *file)
{
  const TlFuzzFormat *format = tl_fuzz_format_find (suite->format);

  for (uint64_t n = 1 + draw (4); n > 0; n--) {
    switch (draw (8)) {
      case 0:
        file->size = 1 + draw (file->size);
        break;
      case 1:
        splice (suite, file);
        break;
      case 2:
      case 3:
      case 4:
        edit_number (file);
        break;
      default:
        file->data[draw (file->size)] ^= (uint8_t) (1 << draw (8));
        break;
    }
  }
  if (draw (4) > 0)
    tl_fuzz_format_repair (format, file->data, file->size);
}

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static void
check_file (Suite *suite, const Bytes *file, bool accept_truncated)
{
  const TlImageOptions options = {.max_pixels = MAX_PIXELS,
      .accept_truncated = accept_truncated,
      .auto_orient = draw (2)};
  TlError error = TL_ERROR_INIT;
  double start = now (), seconds;

  if (render (suite, file, &options, draw (4) == 0, &error) == TL_OK) {
    suite->n_decoded++;
  } else {
    suite->n_refused++;
    if (error.message[0] == '\0')
      fail (suite, "refused", "without a sentence");
    if (error.offset < -1 || error.offset > (int64_t) file->size)
      fail (suite, "the fault lies outside the file", error.message);
  }
  seconds = now () - start;
  if (seconds > suite->slowest)
    suite->slowest = seconds;
}

/* A block of its own, so that reading past its end is seen. */
static void
check_mutation (Suite *suite)
{
  const Bytes *seed = &suite->seeds[draw (suite->n)];
  Bytes changed = {malloc (seed->size), seed->size};
  Bytes file;

  memcpy (changed.data, seed->data, seed->size);
  mutate (suite, &changed);
  file = (Bytes){malloc (changed.size), changed.size};
  memcpy (file.data, changed.data, changed.size);
  free (changed.data);
  check_file (suite, &file, false);
  check_file (suite, &file, true);
  free (file.data);
}

/* Valgrind is told by what it loads before the program. */
static unsigned
count_mutations (void)
{
  const char *wanted = getenv ("TL_MUTATIONS");
  const char *preload = getenv ("LD_PRELOAD");

  if (wanted)
    return (unsigned) atoi (wanted);
  return preload && strstr (preload, "vgpreload") ? VALGRIND_MUTATIONS
                                                  : DEFAULT_MUTATIONS;
}

static void
check_format (const char *format, unsigned n)
{
  Suite suite = {.format = format, .decoder = tl_image_decoder_new ()};
  struct rusage usage;

  tl_seeds_each (format, keep_seed, &suite);
  if (suite.n < 5)
    fail (&suite, "seeds", "hardly any is valid");
  for (unsigned i = 0; i < n; i++)
    check_mutation (&suite);
  getrusage (RUSAGE_SELF, &usage);
  printf ("%s: %zu pictures, %u decoded, %u refused, slowest %.1f ms, "
          "%ld MiB so far\n",
      format, suite.n, suite.n_decoded, suite.n_refused, 1e3 * suite.slowest,
      usage.ru_maxrss / 1024);
  if (suite.n_decoded == 0 || suite.n_refused == 0)
    fail (&suite, "mutations", "all ended alike");
  if (n == DEFAULT_MUTATIONS && suite.slowest > MAX_SECONDS)
    fail (&suite, "mutations", "one took too long");
  if (n == DEFAULT_MUTATIONS && COUNTS_MEMORY
      && usage.ru_maxrss > MAX_MEMORY_KIB)
    fail (&suite, "mutations", "one took too much memory");
  while (suite.n > 0)
    free (suite.seeds[--suite.n].data);
  tl_image_decoder_free (suite.decoder);
}

int
main (void)
{
  unsigned n = count_mutations ();

  for (size_t i = 0; tl_seed_formats[i]; i++)
    check_format (tl_seed_formats[i], n);
  return 0;
}
