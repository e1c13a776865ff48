/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlcheck.h"
#include "tlfail.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A struct_size above this is not a newer caller but an unset field. */
#define MAX_STRUCT_SIZE 4096u
#define MAX_TENSORS 4096u
#define MAX_ELEMENTS ((int64_t) 1 << 40)
#define MAX_THREADS 1024u
#define MAX_CUDA_DEVICES 128u

#define MIN(a, b) ((a) < (b) ? (a) : (b))

int
tl_check_error (const TlError *error)
{
  /* offset came later. */
  return !error || error->struct_size >= TL_END_OF (TlError, detail);
}

TlStatus
tl_check_pointer (const void *value, const char *name, TlError *error)
{
  if (!value)
    return tl_fail (error, TL_ERROR_ARGUMENT, "%s is NULL", name);
  return TL_OK;
}

static size_t
get_struct_size (const void *value)
{
  uint32_t size;

  memcpy (&size, value, sizeof size);
  return size;
}

static TlStatus
check_struct_size (const void *value, size_t minimum, const char *type,
    TlError *error)
{
  size_t size = get_struct_size (value);

  if (size < minimum || size > MAX_STRUCT_SIZE)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "%s.struct_size is %zu: set it to sizeof (%s), at least %zu", type,
        size, type, minimum);
  return TL_OK;
}

/* Copies the caller's @value of @type over the defaults in @ret. */
static TlStatus
take_struct (const void *value, void *ret, size_t known, size_t minimum,
    const char *type, TlError *error)
{
  const uint8_t *bytes = value;
  size_t size = get_struct_size (value);
  uint32_t known_size = (uint32_t) known;
  TlStatus status = check_struct_size (value, minimum, type, error);

  if (status)
    return status;
  for (size_t i = known; i < size; i++) {
    if (bytes[i])
      return tl_fail (error, TL_ERROR_UNSUPPORTED,
          "%s has %zu bytes and sets a field beyond the %zu that this library "
          "knows: install the library of the program's version",
          type, size, known);
  }
  memcpy (ret, value, MIN (size, known));
  memcpy (ret, &known_size, sizeof known_size);
  return TL_OK;
}

TlStatus
tl_check_return (const void *ret, size_t minimum, const char *type,
    TlError *error)
{
  if (!ret)
    return tl_fail (error, TL_ERROR_ARGUMENT, "the returned %s is NULL", type);
  return check_struct_size (ret, minimum, type, error);
}

void
tl_give_return (void *ret, const void *value, size_t known)
{
  size_t size = get_struct_size (ret);
  uint32_t caller_size = (uint32_t) size;

  memcpy (ret, value, MIN (size, known));
  if (size > known)
    memset ((uint8_t *) ret + known, 0, size - known);
  memcpy (ret, &caller_size, sizeof caller_size);
}

/* ---- Options ------------------------------------------------------------ */

static TlStatus
check_flag (uint32_t value, const char *name, TlError *error)
{
  if (value > 1)
    return tl_fail (error, TL_ERROR_ARGUMENT, "%s is %u: must be 0 or 1", name,
        value);
  return TL_OK;
}

static TlStatus
check_below_one (double value, const char *name, TlError *error)
{
  if (!(value >= 0 && value < 1))
    return tl_fail (error, TL_ERROR_ARGUMENT, "%s is %g: must be in [0, 1)",
        name, value);
  return TL_OK;
}

static TlStatus
check_not_negative (double value, const char *name, TlError *error)
{
  if (!isfinite (value) || value < 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "%s is %g: must be finite and not negative", name, value);
  return TL_OK;
}

/* The N behind the colon of "cuda:N", or -1 if it is not a plain number in
 * range. */
static int32_t
parse_cuda_index (const char *device)
{
  const char *colon = strchr (device, ':');
  size_t length = colon ? strspn (colon + 1, "0123456789") : 0;
  unsigned long index;

  if (length < 1 || length > 3 || colon[1 + length] != '\0')
    return -1;
  index = strtoul (colon + 1, NULL, 10);
  return index < MAX_CUDA_DEVICES ? (int32_t) index : -1;
}

TlStatus
tl_check_device (const char *device, TlDeviceChoice *ret, TlError *error)
{
  TlDeviceChoice choice = {TL_DEVICE_CHOICE_AUTO, -1};
  TlStatus status = tl_check_pointer (device, "device", error);

  if (status)
    return status;
  if (strcmp (device, "cpu") == 0)
    choice.kind = TL_DEVICE_CHOICE_CPU;
  else if (strncmp (device, "cuda", 4) == 0)
    choice.kind = TL_DEVICE_CHOICE_CUDA;
  if (strncmp (device, "cuda:", 5) == 0)
    choice.index = parse_cuda_index (device);

  if (strcmp (device, "auto") != 0 && strcmp (device, "cpu") != 0
      && strcmp (device, "cuda") != 0 && choice.index < 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "device is \"%.32s\": must be auto, cpu, cuda or cuda:N with N in "
        "[0, %u]",
        device, MAX_CUDA_DEVICES - 1);
  *ret = choice;
  return TL_OK;
}

static TlStatus
check_normalisation (const TlModelOptions *options, TlError *error)
{
  for (int i = 0; i < 3; i++) {
    if (!isfinite (options->mean[i]))
      return tl_fail (error, TL_ERROR_ARGUMENT,
          "mean[%d] is %g: must be finite", i, (double) options->mean[i]);
    if (!isfinite (options->std[i]) || options->std[i] <= 0)
      return tl_fail (error, TL_ERROR_ARGUMENT,
          "std[%d] is %g: must be finite and positive", i,
          (double) options->std[i]);
  }
  return TL_OK;
}

static TlStatus
check_model_numbers (const TlModelOptions *options, TlError *error)
{
  TlStatus status;

  if ((unsigned) options->precision > TL_PRECISION_BF16)
    return tl_fail (error, TL_ERROR_ARGUMENT, "precision is %d: no TlPrecision",
        (int) options->precision);
  if ((unsigned) options->freeze > TL_STAGE_FC)
    return tl_fail (error, TL_ERROR_ARGUMENT, "freeze is %d: no TlStage",
        (int) options->freeze);
  if (options->n_threads > MAX_THREADS)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "n_threads is %u: must be in [0, %u]", options->n_threads, MAX_THREADS);
  if ((status = check_flag (options->train_bn, "train_bn", error))
      || (status = check_flag (options->exact, "exact", error)))
    return status;
  return check_normalisation (options, error);
}

TlStatus
tl_check_model_options (const TlModelOptions *options, TlModelOptions *ret,
    TlDeviceChoice *device, TlError *error)
{
  TlModelOptions taken = TL_MODEL_OPTIONS_INIT;
  TlStatus status;

  if ((status = tl_check_pointer (options, "options", error))
      || (status = take_struct (options, &taken, sizeof taken,
              TL_END_OF (TlModelOptions, device), "TlModelOptions", error))
      || (status = tl_check_pointer (taken.arch, "arch", error))
      || (status = tl_check_device (taken.device, device, error))
      || (status = check_model_numbers (&taken, error)))
    return status;
  *ret = taken;
  return TL_OK;
}

static TlStatus
check_sgd (const TlTrainerOptions *options, TlError *error)
{
  TlStatus status = check_below_one (options->momentum, "momentum", error);

  if (!status && options->nesterov && options->momentum == 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "nesterov needs a momentum: momentum is 0");
  return status;
}

static TlStatus
check_adam (const TlTrainerOptions *options, TlError *error)
{
  TlStatus status;

  if (options->nesterov)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "nesterov is 1: only SGD has that, the optimizer is %s",
        options->optimizer == TL_OPTIMIZER_ADAM ? "Adam" : "AdamW");
  if ((status = check_below_one (options->beta1, "beta1", error))
      || (status = check_below_one (options->beta2, "beta2", error)))
    return status;
  if (!isfinite (options->eps) || options->eps <= 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "eps is %g: must be finite and positive", options->eps);
  return TL_OK;
}

static TlStatus
check_regularisation (const TlTrainerOptions *options, TlError *error)
{
  TlStatus status;

  if ((status =
              check_not_negative (options->weight_decay, "weight_decay", error))
      || (status = check_below_one (options->label_smoothing, "label_smoothing",
              error)))
    return status;
  return check_not_negative (options->clip_grad_norm, "clip_grad_norm", error);
}

TlStatus
tl_check_trainer_options (const TlTrainerOptions *options,
    TlTrainerOptions *ret, TlError *error)
{
  TlTrainerOptions taken = TL_TRAINER_OPTIONS_INIT;
  TlStatus status;

  if ((status = tl_check_pointer (options, "options", error))
      || (status = take_struct (options, &taken, sizeof taken,
              TL_END_OF (TlTrainerOptions, optimizer), "TlTrainerOptions",
              error)))
    return status;
  if ((unsigned) taken.optimizer > TL_OPTIMIZER_ADAMW)
    return tl_fail (error, TL_ERROR_ARGUMENT, "optimizer is %d: no TlOptimizer",
        (int) taken.optimizer);
  if ((status = check_flag (taken.nesterov, "nesterov", error))
      || (status = check_regularisation (&taken, error)))
    return status;
  status = taken.optimizer == TL_OPTIMIZER_SGD ? check_sgd (&taken, error)
                                               : check_adam (&taken, error);
  if (!status)
    *ret = taken;
  return status;
}

TlStatus
tl_check_learning_rate (double lr, TlError *error)
{
  return check_not_negative (lr, "lr", error);
}

/* ---- Data --------------------------------------------------------------- */

/* Replaces strides of 0 and refuses those that overlap or overflow. */
static TlStatus
settle_strides (TlBatch *batch, TlError *error)
{
  size_t row = 3 * (size_t) batch->width;
  size_t sample, total;

  if (batch->row_stride == 0)
    batch->row_stride = row;
  if (batch->row_stride < row)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "row_stride is %zu: a row of %u pixels has %zu bytes",
        batch->row_stride, batch->width, row);
  if (__builtin_mul_overflow (batch->row_stride, batch->height, &sample))
    return tl_fail (error, TL_ERROR_ARGUMENT, "row_stride is %zu: too large",
        batch->row_stride);
  if (batch->sample_stride == 0)
    batch->sample_stride = sample;

  /* The padding of the last row need not be there. */
  sample -= batch->row_stride - row;
  if (batch->sample_stride < sample)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "sample_stride is %zu: a picture has %zu bytes", batch->sample_stride,
        sample);
  if (__builtin_mul_overflow (batch->sample_stride, batch->n, &total)
      || total > PTRDIFF_MAX)
    return tl_fail (error, TL_ERROR_ARGUMENT, "sample_stride is %zu: too large",
        batch->sample_stride);
  return TL_OK;
}

static TlStatus
check_count (uint32_t n, TlError *error)
{
  if (n < 1 || n > TL_MAX_BATCH)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "the batch has %u samples: must be in [1, %u]", n, TL_MAX_BATCH);
  return TL_OK;
}

TlStatus
tl_check_batch (const TlBatch *batch, TlBatch *ret, TlError *error)
{
  TlBatch taken = {0};
  TlStatus status;

  if ((status = tl_check_pointer (batch, "batch", error))
      || (status = take_struct (batch, &taken, sizeof taken,
              TL_END_OF (TlBatch, pixels), "TlBatch", error))
      || (status = tl_check_pointer (taken.pixels, "pixels", error))
      || (status = check_count (taken.n, error)))
    return status;
  if (taken.width < TL_MIN_SIDE || taken.width > TL_MAX_SIDE
      || taken.height < TL_MIN_SIDE || taken.height > TL_MAX_SIDE)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "the pictures are %u x %u pixels: both sides must be in [%u, %u]",
        taken.width, taken.height, TL_MIN_SIDE, TL_MAX_SIDE);
  status = settle_strides (&taken, error);
  if (!status)
    *ret = taken;
  return status;
}

TlStatus
tl_check_labels (const int32_t *labels, uint32_t n, uint32_t n_classes,
    TlError *error)
{
  TlStatus status;

  if ((status = tl_check_pointer (labels, "labels", error))
      || (status = check_count (n, error)))
    return status;
  for (uint32_t i = 0; i < n; i++) {
    if (labels[i] < 0 || (uint32_t) labels[i] >= n_classes)
      return tl_fail (error, TL_ERROR_ARGUMENT,
          "label %u of the batch is %d: the model has the classes 0 to %u", i,
          labels[i], n_classes - 1);
  }
  return TL_OK;
}

static int
is_in_range (int64_t value)
{
  return value >= 0 && value <= MAX_ELEMENTS;
}

/* Whether the number of elements and the span they lie in are small enough for
 * no product of them to overflow. */
static int
is_tensor_bounded (const TlTensor *tensor)
{
  int64_t numel = 1, span = 1, extent;

  for (uint32_t i = 0; i < tensor->n_dims; i++) {
    if (!is_in_range (tensor->shape[i]) || !is_in_range (tensor->stride[i]))
      return 0;
    if (__builtin_mul_overflow (numel, tensor->shape[i], &numel)
        || numel > MAX_ELEMENTS)
      return 0;
    if (tensor->shape[i] == 0)
      continue;
    if (__builtin_mul_overflow (tensor->shape[i] - 1, tensor->stride[i],
            &extent)
        || extent > MAX_ELEMENTS - span)
      return 0;
    span += extent;
  }
  return 1;
}

static TlStatus
check_tensor (const TlTensor *tensor, size_t index, TlError *error)
{
  const char *name = tensor->name;

  if (!name || !*name)
    return tl_fail (error, TL_ERROR_ARGUMENT, "tensor %zu has no name", index);
  if (tl_dtype_size (tensor->dtype) == 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "tensor \"%.128s\" has the dtype %d: no TlDtype", name,
        (int) tensor->dtype);
  if (tensor->n_dims > TL_TENSOR_MAX_DIMS)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "tensor \"%.128s\" has %u dimensions: at most %d are possible", name,
        tensor->n_dims, TL_TENSOR_MAX_DIMS);
  if (!is_tensor_bounded (tensor))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "tensor \"%.128s\" has a negative or a too large size or stride", name);
  if (!tensor->data && tl_tensor_numel (tensor) > 0)
    return tl_fail (error, TL_ERROR_ARGUMENT, "tensor \"%.128s\" has no data",
        name);
  return TL_OK;
}

static int
compare_names (const void *a, const void *b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static TlStatus
check_unique (const TlTensor *tensors, size_t n_tensors, TlError *error)
{
  const char **names = calloc (n_tensors, sizeof *names);
  TlStatus status = TL_OK;

  if (!names)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory for %zu names",
        n_tensors);
  for (size_t i = 0; i < n_tensors; i++)
    names[i] = tensors[i].name;
  qsort (names, n_tensors, sizeof *names, compare_names);
  for (size_t i = 1; i < n_tensors && !status; i++) {
    if (strcmp (names[i - 1], names[i]) == 0)
      status = tl_fail (error, TL_ERROR_ARGUMENT,
          "tensor \"%.128s\" is there twice", names[i]);
  }
  free (names);
  return status;
}

TlStatus
tl_check_tensors (const TlTensor *tensors, size_t n_tensors, TlError *error)
{
  TlStatus status;

  if (n_tensors == 0)
    return TL_OK;
  if ((status = tl_check_pointer (tensors, "tensors", error)))
    return status;
  if (n_tensors > MAX_TENSORS)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "there are %zu tensors: at most %u are taken", n_tensors, MAX_TENSORS);
  for (size_t i = 0; i < n_tensors; i++) {
    if ((status = check_tensor (&tensors[i], i, error)))
      return status;
  }
  return check_unique (tensors, n_tensors, error);
}
