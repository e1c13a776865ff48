/* SPDX-License-Identifier: BSD-3-Clause */

/* Status and error text of every call that can fail and is not GLib's.
 *
 * A failing function returns a status other than TL_OK, fills the caller's
 * TlError once, and leaves its other out-parameters as they were. */

#ifndef TL_STATUS_H
#define TL_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum
{
  TL_OK = 0,
  TL_ERROR_ARGUMENT = 1,    /* a value the caller passed is not usable */
  TL_ERROR_NOT_FOUND = 2,   /* no such file, library or device */
  TL_ERROR_READ = 3,        /* the file is there but reading it failed */
  TL_ERROR_WRITE = 4,       /* writing failed, errno is in the text */
  TL_ERROR_FORMAT = 5,      /* the bytes are not what they claim to be */
  TL_ERROR_LIMIT = 6,       /* valid perhaps, but over a stated limit */
  TL_ERROR_MEMORY = 7,      /* an allocation failed */
  TL_ERROR_DEVICE = 8,      /* the device is missing or failed */
  TL_ERROR_UNSUPPORTED = 9, /* valid, but this build does not do it */
  TL_ERROR_BACKEND = 10     /* the backend (libtorch) failed */
} TlStatus;

/* Caller-owned; set struct_size to sizeof (TlError), or use TL_ERROR_INIT.
 * message: one sentence a user can act on, UTF-8, NUL-terminated.
 * detail: the call and its result, for a debug log; may be empty.
 * offset: bytes from the start of the file or buffer to where the fault was
 * found, -1 where that is not known; not written if struct_size leaves it out. */
typedef struct
{
  uint32_t struct_size;
  char message[1024];
  char detail[512];
  int64_t offset;
} TlError;

#define TL_ERROR_INIT                                                          \
  {                                                                            \
    sizeof (TlError), "", "", -1                                               \
  }

#ifdef __cplusplus
}
#endif

#endif
