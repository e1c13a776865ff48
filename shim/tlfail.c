/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfail.h"

#include <stdarg.h>
#include <stdio.h>

static void
fill (TlError *error, int64_t offset, const char *format, va_list args)
{
  if (!error)
    return;
  vsnprintf (error->message, sizeof error->message, format, args);
  error->detail[0] = '\0';
  if (error->struct_size >= sizeof *error)
    error->offset = offset;
}

TlStatus
tl_fail (TlError *error, TlStatus status, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  fill (error, -1, format, args);
  va_end (args);
  return status;
}

TlStatus
tl_fail_at (TlError *error, TlStatus status, int64_t offset, const char *format,
    ...)
{
  va_list args;

  va_start (args, format);
  fill (error, offset, format, args);
  va_end (args);
  return status;
}

void
tl_fail_move (TlError *error, int64_t by)
{
  if (error && error->struct_size >= sizeof *error && error->offset >= 0)
    error->offset += by;
}

void
tl_fail_detail (TlError *error, const char *format, ...)
{
  if (error) {
    va_list args;

    va_start (args, format);
    vsnprintf (error->detail, sizeof error->detail, format, args);
    va_end (args);
  }
}
