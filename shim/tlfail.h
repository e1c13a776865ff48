/* SPDX-License-Identifier: BSD-3-Clause */

/* Fills a TlError; internal, not installed. */

#ifndef TL_FAIL_H
#define TL_FAIL_H

#include "tlstatus.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the message (printf format) into @error, which may be NULL, empties
 * its detail, leaves the place open, and returns @status, so that
 * `return tl_fail (...)` reads well. */
TlStatus tl_fail (TlError *error, TlStatus status, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));

/* The same for a fault found @offset bytes from the start of what was read. */
TlStatus tl_fail_at (TlError *error, TlStatus status, int64_t offset,
    const char *format, ...) __attribute__ ((format (printf, 4, 5)));

/* Adds @by to the place in @error, if it is known: @by bytes lie before what was
 * read. */
void tl_fail_move (TlError *error, int64_t by);

/* Adds a detail (printf format) to an @error already filled; may be NULL. */
void tl_fail_detail (TlError *error, const char *format, ...)
    __attribute__ ((format (printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif
