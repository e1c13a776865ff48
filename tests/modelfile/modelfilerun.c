/* SPDX-License-Identifier: BSD-3-Clause */

/* The readers and writers of model files for tests that are scripts:
 *   modelfilerun open FILE...     one line each: what it is, or the error
 *   modelfilerun copy FILE OUT    the same tensors and metadata, safetensors
 *   modelfilerun list ARCH N      the state dict: name, kind, stage, shape
 *   modelfilerun sha256 FILE
 * A file that is refused is no failure for `open`, but is for the others. */

#include "tlarch.h"
#include "tlmodelfile.h"
#include "tlsafetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
fail (const TlError *error)
{
  fprintf (stderr, "%s\n", error->message);
  return EXIT_FAILURE;
}

static void
open_file (const char *path)
{
  TlError error = TL_ERROR_INIT;
  TlModelFile *file = NULL;
  TlStatus status = tl_model_file_open (path, &file, &error);
  size_t n_tensors = 0, n_metadata = 0;

  if (status != TL_OK) {
    printf ("refused %d %s\n", (int) status, error.message);
    return;
  }
  tl_model_file_tensors (file, &n_tensors);
  tl_model_file_metadata (file, &n_metadata);
  printf ("opened %s: %s, %zu tensors, %zu metadata\n", path,
      tl_model_file_kind_name (tl_model_file_kind (file)), n_tensors,
      n_metadata);
  tl_model_file_free (file);
}

/* Appends the elements from dimension @dim on to @out, in row-major order. */
static uint8_t *
pack (const TlTensor *t, uint32_t dim, const uint8_t *at, uint8_t *out)
{
  size_t item = tl_dtype_size (t->dtype);

  if (dim == t->n_dims) {
    memcpy (out, at, item);
    return out + item;
  }
  for (int64_t i = 0; i < t->shape[dim]; i++)
    out = pack (t, dim + 1, at + (size_t) (i * t->stride[dim]) * item, out);
  return out;
}

static int
copy_file (const char *path, const char *out)
{
  TlError error = TL_ERROR_INIT;
  TlModelFile *file = NULL;
  const TlMetadata *metadata;
  const TlTensor *tensors;
  TlTensor *packed;
  size_t n, n_metadata;
  TlStatus status = tl_model_file_open (path, &file, &error);

  if (status != TL_OK)
    return fail (&error);
  tensors = tl_model_file_tensors (file, &n);
  metadata = tl_model_file_metadata (file, &n_metadata);
  packed = calloc (n + 1, sizeof *packed);
  for (size_t i = 0; i < n; i++) {
    uint8_t *data = malloc (tl_safetensors_data_size (&tensors[i]) + 1);

    pack (&tensors[i], 0, tensors[i].data, data);
    packed[i] = tensors[i];
    packed[i].data = data;
    tl_tensor_set_contiguous (&packed[i]);
  }
  status = tl_safetensors_write (out, packed, n, metadata, n_metadata, &error);
  for (size_t i = 0; i < n; i++)
    free ((void *) packed[i].data);
  free (packed);
  tl_model_file_free (file);
  return status == TL_OK ? EXIT_SUCCESS : fail (&error);
}

static int
list_arch (const char *name, const char *n_classes)
{
  const TlArch *arch = tl_arch_find (name);
  TlArchEntry *entries;

  if (!arch)
    return EXIT_FAILURE;
  entries = tl_arch_list_entries (arch, (uint32_t) atoi (n_classes));
  for (size_t i = 0; i < tl_arch_n_entries (arch); i++) {
    printf ("%s %d %s", entries[i].name, (int) entries[i].kind,
        tl_stage_name (entries[i].stage));
    for (uint32_t d = 0; d < entries[i].n_dims; d++)
      printf (" %" PRId64, entries[i].shape[d]);
    printf ("\n");
  }
  free (entries);
  return EXIT_SUCCESS;
}

static int
print_sha256 (const char *path)
{
  TlError error = TL_ERROR_INIT;
  TlModelFile *file = NULL;
  char hex[TL_SHA256_HEX_SIZE];

  if (tl_model_file_open (path, &file, &error) != TL_OK)
    return fail (&error);
  tl_model_file_sha256 (file, hex);
  printf ("%s\n", hex);
  tl_model_file_free (file);
  return EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  const char *verb = argc > 1 ? argv[1] : "";

  if (strcmp (verb, "copy") == 0 && argc == 4)
    return copy_file (argv[2], argv[3]);
  if (strcmp (verb, "list") == 0 && argc == 4)
    return list_arch (argv[2], argv[3]);
  if (strcmp (verb, "sha256") == 0 && argc == 3)
    return print_sha256 (argv[2]);
  if (strcmp (verb, "open") != 0 || argc < 3) {
    fprintf (stderr, "usage: modelfilerun open|copy|list|sha256 ...\n");
    return 2;
  }
  for (int i = 2; i < argc; i++)
    open_file (argv[i]);
  return EXIT_SUCCESS;
}
