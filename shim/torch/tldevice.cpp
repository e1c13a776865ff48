/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldevice.h"

#include "tlcpu.h"
#include "tldriver.h"
#include "tlguard.h"
#include "tllibrary.h"

#include <ATen/Context.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/headeronly/version.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

namespace tl {

/* autograd counts devices once, at the first backward pass of the process: a
 * GPU that appears later has no backward thread and trips an assertion. */
static std::atomic<bool> backward_has_run{false};

void
note_backward ()
{
  backward_has_run = true;
}

static std::string
cuda_library_path ()
{
  const std::string cpu = torch_library_path ();

  return cpu.substr (0, cpu.rfind ('/') + 1) + "libtorch_cuda.so";
}

/* Empty if libtorch and the driver could serve CUDA, else why not. */
static std::string
why_no_cuda ()
{
  const std::string library = cuda_library_path ();

  if (access (library.c_str (), R_OK) != 0)
    return "this libtorch (" TORCH_VERSION " at " + torch_library_path ()
        + ") is a CPU build; install a CUDA build of torch, or use "
          "device=cpu";
  return why_no_driver ();
}

/* Sums of a CUDA run must not depend on the run; all of these are
 * process-wide and listed in docs/shim.md. */
static void
set_deterministic ()
{
  at::Context &context = at::globalContext ();

  context.setDeterministicCuDNN (true);
  context.setBenchmarkCuDNN (false);
  context.setDeterministicAlgorithms (true, /* warn_only */ true);
  context.setDeterministicFillUninitializedMemory (false);
}

/* Once per process; afterwards libtorch knows the CUDA device type. */
static void
load_cuda ()
{
  static std::mutex mutex;
  static bool loaded = false;
  const std::lock_guard<std::mutex> lock (mutex);

  if (loaded)
    return;
  if (backward_has_run)
    throw Failure (TL_ERROR_DEVICE,
        "a CUDA device must be chosen before the first training step of the "
        "process: start the program again with device=cuda");

  /* cuBLAS reads it when it starts and is deterministic only with it. */
  setenv ("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /* overwrite */ 0);
  if (!dlopen (cuda_library_path ().c_str (), RTLD_NOW | RTLD_GLOBAL)) {
    const char *reason = dlerror ();

    throw Failure (TL_ERROR_DEVICE,
        std::string ("the CUDA part of libtorch does not load: ")
            + (reason ? reason : "no reason given"));
  }
  set_deterministic ();
  loaded = true;
}

static int
count_cuda_devices ()
{
  load_cuda ();
  return c10::impl::VirtualGuardImpl (c10::kCUDA).deviceCount ();
}

static void
describe_cuda (int32_t index, TlDeviceInfo *ret)
{
  ret->kind = TL_DEVICE_CUDA;
  ret->index = index;
  snprintf (ret->id, sizeof ret->id, "cuda:%d", index);
  describe_gpu (index, ret);
  ret->has_bf16 = ret->capability[0] >= 8;
}

static void
open_cuda (int32_t index, TlDeviceInfo *ret)
{
  const std::string reason = why_no_cuda ();

  if (!reason.empty ())
    throw Failure (TL_ERROR_DEVICE, "no CUDA device: " + reason);

  const int n_devices = count_cuda_devices ();

  if (n_devices == 0)
    throw Failure (TL_ERROR_DEVICE,
        "libtorch " TORCH_VERSION " cannot use the GPU: the NVIDIA driver is "
        "too old for it; update the driver, or use device=cpu");
  if (index >= n_devices)
    throw Failure (TL_ERROR_DEVICE,
        "there is no device cuda:" + std::to_string (index) + ": libtorch sees "
            + std::to_string (n_devices) + " CUDA device(s)");
  describe_cuda (index < 0 ? 0 : index, ret);
}

void
open_device (const TlDeviceChoice &choice, TlDeviceInfo *ret)
{
  check_torch_library ();
  if (choice.kind == TL_DEVICE_CHOICE_CUDA)
    open_cuda (choice.index, ret);
  else if (choice.kind == TL_DEVICE_CHOICE_AUTO && why_no_cuda ().empty ()
      && count_cuda_devices () > 0)
    describe_cuda (0, ret);
  else
    tl_cpu_describe (ret);
}

c10::Device
torch_device (const TlDeviceInfo &info)
{
  if (info.kind == TL_DEVICE_CUDA)
    return c10::Device (c10::kCUDA, static_cast<c10::DeviceIndex> (info.index));
  return c10::Device (c10::kCPU);
}

} // namespace tl
