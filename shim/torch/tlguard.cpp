/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlguard.h"

#include "tlfail.h"

#include <c10/util/Exception.h>

#include <new>

namespace tl {

/* libtorch appends backtraces and pages of advice: the first line says it. */
static std::string
first_line (const char *text)
{
  std::string line (text);

  return line.substr (0, line.find ('\n'));
}

static bool
contains (const std::string &text, const char *part)
{
  return text.find (part) != std::string::npos;
}

static TlStatus
report_torch_error (TlError *error, const char *call, const c10::Error &e)
{
  const std::string line = first_line (e.what_without_backtrace ());
  TlStatus status = TL_ERROR_BACKEND;

  if (contains (line, "out of memory")
      || contains (line, "can't allocate memory"))
    status = TL_ERROR_MEMORY;
  else if (contains (line, "CUDA error") || contains (line, "CUDA driver"))
    status = TL_ERROR_DEVICE;

  if (status == TL_ERROR_MEMORY)
    tl_fail (error, status,
        "out of memory: use a smaller batch or smaller pictures (%s)",
        line.c_str ());
  else
    tl_fail (error, status, "libtorch failed: %s", line.c_str ());
  tl_fail_detail (error, "%s: %s", call, line.c_str ());
  return status;
}

TlStatus
report_exception (TlError *error, const char *call) noexcept
{
  try {
    throw;
  } catch (const Failure &e) {
    tl_fail (error, e.status (), "%s", e.what ());
    tl_fail_detail (error, "%s", call);
    return e.status ();
  } catch (const c10::Error &e) {
    return report_torch_error (error, call, e);
  } catch (const std::bad_alloc &) {
    tl_fail (error, TL_ERROR_MEMORY, "out of memory");
    tl_fail_detail (error, "%s: bad_alloc", call);
    return TL_ERROR_MEMORY;
  } catch (const std::exception &e) {
    tl_fail (error, TL_ERROR_BACKEND, "libtorch failed: %s",
        first_line (e.what ()).c_str ());
    tl_fail_detail (error, "%s: %s", call, first_line (e.what ()).c_str ());
    return TL_ERROR_BACKEND;
  } catch (...) {
    tl_fail (error, TL_ERROR_BACKEND, "libtorch failed without a reason");
    tl_fail_detail (error, "%s: unknown exception", call);
    return TL_ERROR_BACKEND;
  }
}

} // namespace tl
