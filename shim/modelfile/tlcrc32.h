/* SPDX-License-Identifier: BSD-3-Clause */

/* CRC-32 as zip has it (ISO 3309: the reflected polynomial 0xedb88320). */

#ifndef TL_CRC32_H
#define TL_CRC32_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of @n bytes. Takes some microseconds however short they are: its tables are
 * made anew, so that there is no state that threads would share. */
uint32_t tl_crc32 (const void *bytes, size_t n);

#ifdef __cplusplus
}
#endif

#endif
