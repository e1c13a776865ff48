/* SPDX-License-Identifier: BSD-3-Clause */

/* Numbers as text that repeats byte for byte and reads back exactly, whatever
 * the locale: gst-launch-1.0 sets the user's, and printf follows it. */

#ifndef TL_NUMBER_H
#define TL_NUMBER_H

/* Room for any number of either form, with the terminator. */
#define TL_NUMBER_TEXT 32

typedef struct
{
  char text[TL_NUMBER_TEXT];
} TlNumber;

/* The shortest decimal that reads back as @value: "0.001", "1e-05"; "nan",
 * "inf", "-inf". */
TlNumber tl_number_decimal (double value);

/* A finite @value as a hexadecimal integer and a power of two,
 * "0x1999999999999ap-56": exact, and without a decimal point. */
TlNumber tl_number_hex (double value);

/* Reads what tl_number_hex() wrote, from the start of @text. Returns the first
 * character behind it, or NULL if there is none. */
const char *tl_number_parse_hex (const char *text, double *ret);

#endif
