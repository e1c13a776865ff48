/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlnumber.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whole numbers below it are exact and are written out. */
#define MAX_WHOLE 1e15

/* Digits that any double needs at most, IEEE 754. */
#define MAX_DIGITS 17
#define MANTISSA_BITS 53

/* Puts a '.' where printf put the locale's decimal point, which may be several
 * bytes long. */
static void
normalize_point (char *text)
{
  size_t n_before = strspn (text, "+-0123456789");
  char *point = text + n_before;
  size_t n_point = strcspn (point, "e0123456789");

  if (n_point == 0)
    return;
  *point = '.';
  memmove (point + 1, point + n_point, strlen (point + n_point) + 1);
}

TlNumber
tl_number_decimal (double value)
{
  TlNumber number;

  if (fabs (value) < MAX_WHOLE && value == floor (value)) {
    snprintf (number.text, sizeof number.text, "%.0f", value);
    return number;
  }
  for (int digits = 1; digits <= MAX_DIGITS; digits++) {
    snprintf (number.text, sizeof number.text, "%.*g", digits, value);
    if (strtod (number.text, NULL) == value)
      break;
  }
  if (isfinite (value))
    normalize_point (number.text);
  return number;
}

TlNumber
tl_number_hex (double value)
{
  TlNumber number;
  int exponent;
  double fraction = frexp (fabs (value), &exponent);
  long long mantissa = (long long) ldexp (fraction, MANTISSA_BITS);

  snprintf (number.text, sizeof number.text, "%s0x%llxp%d",
      signbit (value) ? "-" : "", mantissa, exponent - MANTISSA_BITS);
  return number;
}

const char *
tl_number_parse_hex (const char *text, double *ret)
{
  const char *digits = text[0] == '-' ? text + 1 : text;
  char *end;
  double value;

  if (strncmp (digits, "0x", 2) != 0)
    return NULL;
  value = strtod (text, &end);
  if (end <= digits + 2 || !isfinite (value))
    return NULL;
  *ret = value;
  return end;
}
