/* SPDX-License-Identifier: BSD-3-Clause */

/* What NVIDIA's driver says about its GPUs, asked through libcuda.so.1 by
 * name: neither toolkit nor libtorch's CUDA libraries are needed to ask. */

#ifndef TL_DRIVER_H
#define TL_DRIVER_H

#include "tlshim.h"

#include <string>

namespace tl {

/* Empty if the driver is there and has a GPU, else why not and what to do. */
std::string why_no_driver ();

/* Fills name, memory and capability; throws Failure. */
void describe_gpu (int32_t index, TlDeviceInfo *ret);

} // namespace tl

#endif
