/* SPDX-License-Identifier: BSD-3-Clause */

/* Argument checks of the public functions; internal, not installed.
 *
 * tl_check_<struct> copies a caller's struct, as far as its struct_size covers,
 * over the defaults, and checks every field. A caller built against a newer
 * header may set fields that are unknown here only to 0, which means "as
 * before"; anything else is TL_ERROR_UNSUPPORTED, as it would be ignored. */

#ifndef TL_CHECK_H
#define TL_CHECK_H

#include "tlbackend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The largest picture side and batch that the library takes. */
#define TL_MAX_SIDE 8192u
#define TL_MIN_SIDE 32u
#define TL_MAX_BATCH 65536u

/* The smallest struct_size that covers @field of @type. */
#define TL_END_OF(type, field)                                                 \
  (offsetof (type, field) + sizeof (((type *) NULL)->field))

/* Whether @error is NULL or of a size that can take a text. */
int tl_check_error (const TlError *error);

/* @value is the argument called @name. */
TlStatus tl_check_pointer (const void *value, const char *name, TlError *error);

/* Parses "auto", "cpu", "cuda" or "cuda:N". */
TlStatus tl_check_device (const char *device, TlDeviceChoice *ret,
    TlError *error);

TlStatus tl_check_model_options (const TlModelOptions *options,
    TlModelOptions *ret, TlDeviceChoice *device, TlError *error);

TlStatus tl_check_trainer_options (const TlTrainerOptions *options,
    TlTrainerOptions *ret, TlError *error);

/* Fills in strides that are 0. */
TlStatus tl_check_batch (const TlBatch *batch, TlBatch *ret, TlError *error);

TlStatus tl_check_labels (const int32_t *labels, uint32_t n, uint32_t n_classes,
    TlError *error);

TlStatus tl_check_learning_rate (double lr, TlError *error);

/* The form of tensor views; which names and shapes fit is another question. */
TlStatus tl_check_tensors (const TlTensor *tensors, size_t n_tensors,
    TlError *error);

/* Checks the struct_size of the returned struct @ret of type @type, which must
 * cover @minimum bytes. */
TlStatus tl_check_return (const void *ret, size_t minimum, const char *type,
    TlError *error);

/* Copies @known bytes of @value into @ret as far as its struct_size covers,
 * zeroes what is unknown here and keeps struct_size. */
void tl_give_return (void *ret, const void *value, size_t known);

#ifdef __cplusplus
}
#endif

#endif
