/* SPDX-License-Identifier: BSD-3-Clause */

/* tl_transfer_run() of a build without libcurl. */

#include "tltransfer.h"

#include <tlfail.h>

TlTransferEnd
tl_transfer_run (TlPartial *partial, const TlTransferOptions *options,
    TlError *error)
{
  tl_fail (error, TL_ERROR_UNSUPPORTED,
      "this tlpipe was built without libcurl (-Dfetch=enabled)");
  return TL_TRANSFER_FAILED;
}
