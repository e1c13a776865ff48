/* SPDX-License-Identifier: BSD-3-Clause */

/* The devices libtorch can use here, without any CUDA header: its CUDA
 * libraries are loaded by name when somebody asks for them. */

#ifndef TL_DEVICE_H
#define TL_DEVICE_H

#include "tlbackend.h"

#include <c10/core/Device.h>

namespace tl {

/* Fills @ret as tl_device_open; throws Failure. */
void open_device (const TlDeviceChoice &choice, TlDeviceInfo *ret);

c10::Device torch_device (const TlDeviceInfo &info);

/* To be called before each backward pass: from the first on, CUDA libraries
 * must not be loaded any more. */
void note_backward ();

} // namespace tl

#endif
