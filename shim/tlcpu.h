/* SPDX-License-Identifier: BSD-3-Clause */

/* What every backend says about the CPU; internal, not installed. */

#ifndef TL_CPU_H
#define TL_CPU_H

#include "tlshim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Number of CPUs in the affinity mask of the calling thread, at least 1. */
uint32_t tl_cpu_count (void);

/* Fills kind, index, id, name (the CPU's model name, or "CPU") and memory
 * (of the machine) of a zeroed @ret. has_bf16 stays 0: that is the backend's
 * knowledge. */
void tl_cpu_describe (TlDeviceInfo *ret);

#ifdef __cplusplus
}
#endif

#endif
