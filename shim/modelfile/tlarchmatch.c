/* SPDX-License-Identifier: BSD-3-Clause */

/* Compares a set of tensors with an architecture's state dict. */

#include "tlarch.h"
#include "tlfail.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A message lists this many names of each sort, then says how many more. */
#define MAX_LISTED 4

/* One sort of difference: how often it was found, and the first names. */
typedef struct
{
  size_t n;
  char text[256];
} Finding;

/* The set, sorted by name, and which of it were asked for. */
typedef struct
{
  const TlTensor **sorted;
  uint8_t *used;
  size_t n;
} TensorIndex;

typedef struct
{
  Finding missing, unexpected, mismatched;
  size_t n_matched; /* backbone entries that are there and fit */
} Comparison;

static int
compare_names (const void *a, const void *b)
{
  const TlTensor *const *x = a;
  const TlTensor *const *y = b;

  return strcmp ((*x)->name, (*y)->name);
}

static void
clear_index (TensorIndex *index)
{
  free (index->sorted);
  free (index->used);
}

static int
init_index (TensorIndex *index, const TlTensor *tensors, size_t n)
{
  index->n = n;
  index->sorted = calloc (n + 1, sizeof *index->sorted);
  index->used = calloc (n + 1, 1);
  if (!index->sorted || !index->used) {
    clear_index (index);
    return 0;
  }
  for (size_t i = 0; i < n; i++)
    index->sorted[i] = &tensors[i];
  qsort (index->sorted, n, sizeof *index->sorted, compare_names);
  return 1;
}

/* Finds a tensor by name and marks it as asked for. */
static const TlTensor *
take_tensor (TensorIndex *index, const char *name)
{
  const TlTensor key = {.name = name};
  const TlTensor *wanted = &key;
  const TlTensor **found = bsearch (&wanted, index->sorted, index->n,
      sizeof *index->sorted, compare_names);

  if (!found)
    return NULL;
  index->used[found - index->sorted] = 1;
  return *found;
}

/* Keeps what of a text fits. */
static void __attribute__ ((format (printf, 3, 4)))
append (char *text, size_t size, const char *format, ...)
{
  size_t length = strlen (text);
  va_list args;

  va_start (args, format);
  vsnprintf (text + length, size - length, format, args);
  va_end (args);
}

static void
append_shape (char *text, size_t size, uint32_t n_dims, const int64_t *shape)
{
  append (text, size, "[");
  for (uint32_t i = 0; i < n_dims; i++)
    append (text, size, "%s%" PRId64, i ? ", " : "", shape[i]);
  append (text, size, "]");
}

/* Names come from files: what is not plain ASCII is shown as '?'. */
static void
note_name (Finding *finding, const char *name)
{
  char shown[48];
  size_t i;

  if (finding->n++ >= MAX_LISTED)
    return;
  for (i = 0; name[i] && i < sizeof shown - 1; i++)
    shown[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
  shown[i] = '\0';
  append (finding->text, sizeof finding->text, "%s%s",
      finding->n > 1 ? ", " : "", shown);
}

static void
note_mismatch (Finding *finding, const TlTensor *tensor,
    const TlArchEntry *entry)
{
  char *text = finding->text;
  size_t size = sizeof finding->text;

  note_name (finding, entry->name);
  if (finding->n > MAX_LISTED)
    return;
  append (text, size, " (%s ", tl_dtype_name (tensor->dtype));
  append_shape (text, size, tensor->n_dims, tensor->shape);
  append (text, size, " instead of %s ", tl_dtype_name (entry->dtype));
  append_shape (text, size, entry->n_dims, entry->shape);
  append (text, size, ")");
}

static int
dtype_fits (TlDtype dtype, TlDtype wanted)
{
  int is_float = dtype == TL_DTYPE_F32 || dtype == TL_DTYPE_F64
      || dtype == TL_DTYPE_F16 || dtype == TL_DTYPE_BF16;
  int is_integer = dtype == TL_DTYPE_I64 || dtype == TL_DTYPE_I32;

  return wanted == TL_DTYPE_F32 ? is_float : is_integer;
}

static int
tensor_fits (const TlTensor *tensor, const TlArchEntry *entry)
{
  if (!dtype_fits (tensor->dtype, entry->dtype)
      || tensor->n_dims != entry->n_dims)
    return 0;
  for (uint32_t i = 0; i < entry->n_dims; i++)
    if (tensor->shape[i] != entry->shape[i])
      return 0;
  return 1;
}

static void
compare_backbone (TensorIndex *index, const TlArchEntry *entries,
    size_t n_entries, Comparison *c)
{
  for (size_t i = 0; i < n_entries; i++) {
    const TlArchEntry *entry = &entries[i];
    const TlTensor *tensor = take_tensor (index, entry->name);

    if (entry->stage == TL_STAGE_FC)
      continue;
    if (!tensor) {
      if (entry->kind != TL_ENTRY_BN_COUNT)
        note_name (&c->missing, entry->name);
    } else if (tensor_fits (tensor, entry)) {
      c->n_matched++;
    } else {
      note_mismatch (&c->mismatched, tensor, entry);
    }
  }
  for (size_t i = 0; i < index->n; i++)
    if (!index->used[i])
      note_name (&c->unexpected, index->sorted[i]->name);
}

/* The number of classes of a head that fits @n_features inputs, else 0. */
static uint32_t
count_classes (const TlTensor *weight, const TlTensor *bias,
    uint32_t n_features)
{
  if (!weight || !bias || weight->n_dims != 2 || bias->n_dims != 1
      || !dtype_fits (weight->dtype, TL_DTYPE_F32)
      || !dtype_fits (bias->dtype, TL_DTYPE_F32)
      || weight->shape[0] != bias->shape[0] || weight->shape[1] != n_features
      || bias->shape[0] < 1 || bias->shape[0] > INT32_MAX)
    return 0;
  return (uint32_t) bias->shape[0];
}

static TlArchMatch
compare_head (TensorIndex *index, const TlArch *arch, uint32_t n_classes)
{
  const TlTensor *weight = take_tensor (index, "fc.weight");
  const TlTensor *bias = take_tensor (index, "fc.bias");
  TlArchMatch match = {TL_HEAD_OTHER,
      count_classes (weight, bias, arch->n_features)};

  if (!weight && !bias)
    match.head = TL_HEAD_MISSING;
  else if (match.n_classes > 0 && match.n_classes == n_classes)
    match.head = TL_HEAD_FITS;
  return match;
}

static void
append_finding (char *text, size_t size, const char *what,
    const Finding *finding)
{
  if (finding->n == 0)
    return;
  append (text, size, "; %zu %s: %s", finding->n, what, finding->text);
  if (finding->n > MAX_LISTED)
    append (text, size, " and %zu more", finding->n - MAX_LISTED);
}

static TlStatus
report (const TlArch *arch, const Comparison *c, const char *prefix,
    TlError *error)
{
  char text[900] = "";

  if (c->missing.n + c->unexpected.n + c->mismatched.n == 0)
    return TL_OK;
  append_finding (text, sizeof text, "missing", &c->missing);
  append_finding (text, sizeof text, "unexpected", &c->unexpected);
  append_finding (text, sizeof text, "of another shape or type",
      &c->mismatched);
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "%sthe tensors are not the state dict of %s%s", prefix, arch->name, text);
}

static TlStatus
compare_set (const TlArch *arch, uint32_t n_classes, TensorIndex *index,
    TlArchMatch *match, Comparison *c, TlError *error)
{
  TlArchEntry *entries = tl_arch_list_entries (arch, n_classes);

  if (!entries)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  memset (c, 0, sizeof *c);
  memset (index->used, 0, index->n);
  compare_backbone (index, entries, tl_arch_n_entries (arch), c);
  *match = compare_head (index, arch, n_classes);
  free (entries);
  return TL_OK;
}

TlStatus
tl_arch_compare (const TlArch *arch, uint32_t n_classes,
    const TlTensor *tensors, size_t n_tensors, TlArchMatch *ret, TlError *error)
{
  TensorIndex index;
  TlArchMatch match;
  Comparison c;
  TlStatus status;

  if (!init_index (&index, tensors, n_tensors))
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  status = compare_set (arch, n_classes, &index, &match, &c, error);
  clear_index (&index);
  if (status == TL_OK)
    status = report (arch, &c, "", error);
  if (status == TL_OK)
    *ret = match;
  return status;
}

TlStatus
tl_arch_check (const TlArch *arch, const TlTensor *tensors, size_t n_tensors,
    uint32_t *n_classes, TlError *error)
{
  TlArchMatch match;
  TlStatus status =
      tl_arch_compare (arch, 1, tensors, n_tensors, &match, error);

  if (status != TL_OK)
    return status;
  if (match.n_classes == 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "the tensors have no usable head: %s needs fc.weight [classes, %u] and "
        "fc.bias [classes]",
        arch->name, arch->n_features);
  if (n_classes)
    *n_classes = match.n_classes;
  return TL_OK;
}

/* Compares with every architecture; the nearest has the most tensors in
 * common, and among those the fewest missing. */
static TlStatus
find_nearest (TensorIndex *index, const TlArch **nearest, TlArchMatch *match,
    Comparison *best, TlError *error)
{
  const TlArch *arch;

  *nearest = NULL;
  for (size_t i = 0; (arch = tl_arch_nth (i)); i++) {
    TlArchMatch m;
    Comparison c;
    TlStatus status = compare_set (arch, 1, index, &m, &c, error);

    if (status != TL_OK)
      return status;
    if (c.n_matched > 0
        && (!*nearest || c.n_matched > best->n_matched
            || (c.n_matched == best->n_matched
                && c.missing.n < best->missing.n))) {
      *nearest = arch;
      *match = m;
      *best = c;
    }
  }
  return TL_OK;
}

TlStatus
tl_arch_recognise (const TlTensor *tensors, size_t n_tensors,
    const TlArch **ret, uint32_t *n_classes, TlError *error)
{
  TensorIndex index;
  const TlArch *nearest = NULL;
  TlArchMatch match;
  Comparison c;
  TlStatus status;

  if (!init_index (&index, tensors, n_tensors))
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  status = find_nearest (&index, &nearest, &match, &c, error);
  clear_index (&index);
  if (status != TL_OK)
    return status;
  if (!nearest)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "none of the %zu tensors belongs to a ResNet: expected torchvision's "
        "names, such as conv1.weight and layer1.0.conv1.weight",
        n_tensors);
  status = report (nearest, &c, "not a known architecture; nearest: ", error);
  if (status != TL_OK)
    return status;
  *ret = nearest;
  if (n_classes)
    *n_classes = match.n_classes;
  return TL_OK;
}
