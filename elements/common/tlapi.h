/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TL_API_H
#define TL_API_H

/* Marks what libtlpipe-1.0 exports; everything else is hidden. */
#define TL_API __attribute__ ((visibility ("default")))

#endif
