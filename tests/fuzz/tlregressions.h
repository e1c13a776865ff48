/* SPDX-License-Identifier: BSD-3-Clause */

/* Files by which fuzzing broke something once. */

#ifndef TL_REGRESSIONS_H
#define TL_REGRESSIONS_H

#include "tlseedmaker.h"

/* Those of the format named. */
void tl_regressions_give (const TlSeedSink *sink, const char *format);

#endif
