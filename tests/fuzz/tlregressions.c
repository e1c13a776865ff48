/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlregressions.h"

#include <string.h>

typedef struct
{
  const char *format, *name;
  const char *bytes;
  size_t size;
} Regression;

#define BYTES(text) (text), sizeof (text) - 1

static const Regression regressions[] = {
    /* 496 MiB were allocated before the text was found to be missing: libpng
     * only warns of a chunk above its limit. */
    {"png", "text-of-496-mib",
        BYTES ("\x89PNG\r\n\x1a\n"
               "\0\0\0\rIHDR\0\0\0\1\0\0\0\1\b\0\0\0\0\x3a\x7e\x9b\x55"
               "\x1f\0\0\0tEXtTitle\0a")},
};

void
tl_regressions_give (const TlSeedSink *sink, const char *format)
{
  for (size_t i = 0; i < sizeof regressions / sizeof *regressions; i++) {
    const Regression *r = &regressions[i];

    if (!strcmp (r->format, format))
      tl_seed_give (sink, r->name, (const uint8_t *) r->bytes, r->size);
  }
}
