/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldriver.h"

#include "tlguard.h"

#include <dlfcn.h>

namespace tl {

namespace {

/* The few functions of the driver interface that are used; each returns 0 for
 * success. Names and attribute numbers are part of its stable ABI. */
struct Driver
{
  void *library = nullptr;
  int (*init) (unsigned flags) = nullptr;
  int (*count) (int *n) = nullptr;
  int (*get) (int *device, int ordinal) = nullptr;
  int (*get_name) (char *name, int size, int device) = nullptr;
  int (*total_memory) (size_t *bytes, int device) = nullptr;
  int (*attribute) (int *value, int attribute, int device) = nullptr;
};

constexpr int attribute_capability_major = 75;
constexpr int attribute_capability_minor = 76;

} // namespace

template <typename Function>
static bool
load (void *library, const char *name, Function *function)
{
  *function = reinterpret_cast<Function> (dlsym (library, name));
  return *function != nullptr;
}

/* Never closed: the driver does not like that. */
static const Driver &
driver ()
{
  static const Driver loaded = [] {
    Driver d;

    d.library = dlopen ("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (d.library
        && !(load (d.library, "cuInit", &d.init)
            && load (d.library, "cuDeviceGetCount", &d.count)
            && load (d.library, "cuDeviceGet", &d.get)
            && load (d.library, "cuDeviceGetName", &d.get_name)
            && load (d.library, "cuDeviceTotalMem_v2", &d.total_memory)
            && load (d.library, "cuDeviceGetAttribute", &d.attribute)))
      d.library = nullptr;
    return d;
  }();

  return loaded;
}

std::string
why_no_driver ()
{
  const Driver &d = driver ();
  int n = 0;

  if (!d.library)
    return "the NVIDIA driver (libcuda.so.1) is not installed; install it, "
           "or use device=cpu";

  const int status = d.init (0);

  if (status != 0)
    return "the NVIDIA driver does not start (cuInit returned "
        + std::to_string (status) + "); check nvidia-smi, or use device=cpu";
  if (d.count (&n) != 0 || n == 0)
    return "the NVIDIA driver sees no GPU; check nvidia-smi and "
           "CUDA_VISIBLE_DEVICES, or use device=cpu";
  return "";
}

void
describe_gpu (int32_t index, TlDeviceInfo *ret)
{
  const Driver &d = driver ();
  size_t memory = 0;
  int device = 0;

  if (d.get (&device, index) != 0
      || d.get_name (ret->name, sizeof ret->name, device) != 0
      || d.total_memory (&memory, device) != 0
      || d.attribute (&ret->capability[0], attribute_capability_major, device)
          != 0
      || d.attribute (&ret->capability[1], attribute_capability_minor, device)
          != 0)
    throw Failure (TL_ERROR_DEVICE,
        "the NVIDIA driver does not describe device cuda:"
            + std::to_string (index));
  ret->memory = memory;
}

} // namespace tl
