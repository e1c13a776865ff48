/* SPDX-License-Identifier: BSD-3-Clause */

/* What wrappers of modules put before the names of all tensors. */

#include "tltensorset.h"

#include <string.h>

/* Averaged models of torch.optim.swa_utils count their averages beside the
 * module. */
static int
is_counter (const TlTensor *tensor)
{
  return strcmp (tensor->name, "n_averaged") == 0 && tensor->n_dims == 0;
}

/* Whether all names, but for a counter, begin with @prefix and go on. */
static int
have_prefix (const TlTensorSet *set, const char *prefix, size_t length)
{
  size_t n = 0;

  for (size_t i = 0; i < set->n_tensors; i++) {
    const char *name = set->tensors[i].name;

    if (strncmp (name, prefix, length) == 0 && name[length] != '\0')
      n++;
    else if (!is_counter (&set->tensors[i]))
      return 0;
  }
  return n > 0;
}

static void
strip_prefix (TlTensorSet *set, size_t length)
{
  size_t n = 0;

  for (size_t i = 0; i < set->n_tensors; i++) {
    if (is_counter (&set->tensors[i]))
      continue;
    set->tensors[n] = set->tensors[i];
    set->tensors[n++].name += length;
  }
  set->n_tensors = n;
}

/* What lies before the names of a ResNet, such as "backbone.": its length. */
static size_t
measure_prefix (const TlTensorSet *set)
{
  static const char block[] = "layer1.0.conv1.weight";

  for (size_t i = 0; i < set->n_tensors; i++) {
    const char *name = set->tensors[i].name;
    size_t n = strlen (name);

    if (n < sizeof block || strcmp (name + n - (sizeof block - 1), block) != 0)
      continue;
    n -= sizeof block - 1;
    /* Only the first is tried, as a file may have 65,536 of them. */
    return name[n - 1] == '.' && have_prefix (set, name, n) ? n : 0;
  }
  return 0;
}

void
tl_tensor_set_strip_prefixes (TlTensorSet *set)
{
  static const char *const prefixes[] = {"module.", "model.", "_orig_mod."};
  const size_t n = sizeof prefixes / sizeof prefixes[0];
  size_t rest;

  for (size_t p = 0; p < n;) {
    size_t length = strlen (prefixes[p]);

    if (!have_prefix (set, prefixes[p], length)) {
      p++;
      continue;
    }
    strip_prefix (set, length);
    p = 0;
  }
  rest = measure_prefix (set);
  if (rest > 0)
    strip_prefix (set, rest);
}
