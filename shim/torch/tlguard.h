/* SPDX-License-Identifier: BSD-3-Clause */

/* The one place where exceptions become statuses. */

#ifndef TL_GUARD_H
#define TL_GUARD_H

#include "tlstatus.h"

#include <exception>
#include <string>
#include <utility>

namespace tl {

/* A failure with a status and a sentence of our own. */
class Failure : public std::exception {
public:
  Failure (TlStatus status, std::string message)
      : status_ (status), message_ (std::move (message))
  {
  }

  TlStatus status () const
  {
    return status_;
  }

  const char *what () const noexcept override
  {
    return message_.c_str ();
  }

private:
  TlStatus status_;
  std::string message_;
};

/* Fills @error (may be NULL) from the exception being handled; @call names the
 * function of the C interface. Call it from a catch block only. */
TlStatus report_exception (TlError *error, const char *call) noexcept;

/* Runs @body; no exception leaves. */
template <typename Body>
TlStatus
guarded (TlError *error, const char *call, Body &&body) noexcept
{
  try {
    body ();
    return TL_OK;
  } catch (...) {
    return report_exception (error, call);
  }
}

} // namespace tl

#endif
