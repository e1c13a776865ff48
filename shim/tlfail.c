/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlfail.h"

#include <stdarg.h>
#include <stdio.h>

TlStatus
tl_fail (TlError *error, TlStatus status, const char *format, ...)
{
  if (error) {
    va_list args;

    va_start (args, format);
    vsnprintf (error->message, sizeof error->message, format, args);
    va_end (args);
    error->detail[0] = '\0';
  }
  return status;
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
