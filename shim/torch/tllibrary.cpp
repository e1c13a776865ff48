/* SPDX-License-Identifier: BSD-3-Clause */

#include "tllibrary.h"

#include "tlguard.h"

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/headeronly/version.h>

#include <dlfcn.h>

namespace tl {

std::string
torch_library_path ()
{
  Dl_info info;

  /* Any function of libtorch_cpu does. */
  if (dladdr (reinterpret_cast<void *> (&aoti_torch_abi_version), &info) == 0
      || !info.dli_fname)
    return "";
  return info.dli_fname;
}

/* One byte each for major, minor and patch, from the top. */
std::string
torch_library_version ()
{
  const uint64_t version = aoti_torch_abi_version ();

  return std::to_string (version >> 56) + "."
      + std::to_string (version >> 48 & 0xff) + "."
      + std::to_string (version >> 40 & 0xff);
}

void
check_torch_library ()
{
  const std::string loaded = torch_library_version ();

  if (loaded != TORCH_VERSION)
    throw Failure (TL_ERROR_UNSUPPORTED,
        "tlpipe was built for libtorch " TORCH_VERSION ", but "
            + torch_library_path () + " is " + loaded
            + "; install torch " TORCH_VERSION " or build tlpipe again");
}

} // namespace tl
