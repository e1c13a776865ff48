/* SPDX-License-Identifier: BSD-3-Clause */

/* The libtorch that this process has loaded. */

#ifndef TL_LIBRARY_H
#define TL_LIBRARY_H

#include <string>

namespace tl {

/* The file of libtorch_cpu.so. */
std::string torch_library_path ();

/* "2.13.0", as the loaded library says. */
std::string torch_library_version ();

/* Throws Failure unless it is the release this code was compiled for: the C++
 * interface of another one may crash instead of failing. */
void check_torch_library ();

} // namespace tl

#endif
