/* SPDX-License-Identifier: BSD-3-Clause */

/* Little-endian numbers, and bytes of a file made fit to be shown. */

#ifndef TL_BYTES_H
#define TL_BYTES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

static inline uint16_t
tl_get_u16 (const uint8_t *p)
{
  return (uint16_t) (p[0] | p[1] << 8);
}

static inline uint32_t
tl_get_u32 (const uint8_t *p)
{
  return tl_get_u16 (p) | (uint32_t) tl_get_u16 (p + 2) << 16;
}

static inline uint64_t
tl_get_u64 (const uint8_t *p)
{
  return tl_get_u32 (p) | (uint64_t) tl_get_u32 (p + 4) << 32;
}

static inline void
tl_put_u64 (uint8_t *p, uint64_t value)
{
  for (int i = 0; i < 8; i++)
    p[i] = (uint8_t) (value >> (8 * i));
}

/* Text from a file for a message: at most @size - 1 characters, '?' for what
 * is not printable ASCII, "..." at the end of what was cut. */
typedef struct
{
  char text[80];
} TlShown;

TlShown tl_show_text (const void *bytes, size_t n);

/* A number with thousands separators: "46,254,670". */
TlShown tl_show_number (uint64_t number);

/* "1 byte", "46,254,670 bytes". */
TlShown tl_show_bytes (uint64_t n);

/* Whether the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms)
 * without NUL. */
int tl_is_utf8 (const void *bytes, size_t n);

#ifdef __cplusplus
}
#endif

#endif
