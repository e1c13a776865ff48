/* SPDX-License-Identifier: BSD-3-Clause */

/* An element that lacks all that the inspection asks for. */

#ifndef TL_NEGLIGENT_H
#define TL_NEGLIGENT_H

/* Registers it as "negligent". */
void tl_negligent_register (void);

#endif
