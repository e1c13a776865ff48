/* SPDX-License-Identifier: BSD-3-Clause */

/* What reading a model file costs beside mapping it (docs/decisions/0005):
 *   modelfilespeed FILE...
 * Each way touches every cache line; the best of five, page cache warm. */

#include "tlmodelfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RUNS 5
#define LINE 64

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static unsigned
touch (const unsigned char *bytes, size_t n)
{
  unsigned sum = 0;

  for (size_t i = 0; i < n; i += LINE)
    sum += bytes[i];
  return sum;
}

static unsigned
map_file (const char *path, size_t size)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  void *bytes = mmap (NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  unsigned sum;

  close (fd);
  if (bytes == MAP_FAILED)
    exit (1);
  sum = touch (bytes, size);
  munmap (bytes, size);
  return sum;
}

static unsigned
read_file (const char *path, size_t size)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  unsigned char *bytes = malloc (size);
  unsigned sum;
  size_t got = 0;

  while (bytes && got < size) {
    ssize_t n = read (fd, bytes + got, size - got);

    if (n <= 0)
      exit (1);
    got += (size_t) n;
  }
  close (fd);
  sum = touch (bytes, size);
  free (bytes);
  return sum;
}

/* All of it: reading, SHA-256, checksums, the tensors. */
static unsigned
open_file (const char *path, size_t size)
{
  TlError error = TL_ERROR_INIT;
  TlModelFile *file = NULL;
  size_t n = 0;

  (void) size;
  if (tl_model_file_open (path, &file, &error) != TL_OK) {
    fprintf (stderr, "%s\n", error.message);
    exit (1);
  }
  tl_model_file_tensors (file, &n);
  tl_model_file_free (file);
  return (unsigned) n;
}

static double
measure (unsigned (*way) (const char *path, size_t size), const char *path,
    size_t size)
{
  static volatile unsigned sum;
  double best = 1e9;

  for (int i = 0; i < RUNS; i++) {
    double start = now (), seconds;

    sum += way (path, size);
    seconds = now () - start;
    best = seconds < best ? seconds : best;
  }
  return 1e3 * best;
}

int
main (int argc, char **argv)
{
  for (int i = 1; i < argc; i++) {
    struct stat st;
    size_t size;

    if (stat (argv[i], &st) < 0)
      return 1;
    size = (size_t) st.st_size;
    printf ("%s: %.1f MB, mapped %.1f ms, read %.1f ms, opened %.1f ms\n",
        argv[i], (double) size / 1e6, measure (map_file, argv[i], size),
        measure (read_file, argv[i], size), measure (open_file, argv[i], size));
  }
  return argc > 1 ? 0 : 2;
}
