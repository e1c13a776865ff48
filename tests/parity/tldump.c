/* SPDX-License-Identifier: BSD-3-Clause */

#include "tldump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
die (const char *what, const char *name)
{
  fprintf (stderr, "%s: %s\n", what, name);
  exit (99);
}

static void *
allocate (size_t size)
{
  void *data = calloc (1, size ? size : 1);

  if (!data)
    die ("out of memory", "dump");
  return data;
}

static size_t
data_size (const TlTensor *tensor)
{
  return (size_t) tl_tensor_numel (tensor) * tl_dtype_size (tensor->dtype);
}

static TlTensor *
append (TlDump *dump)
{
  dump->tensors =
      realloc (dump->tensors, (dump->n_tensors + 1) * sizeof *dump->tensors);
  if (!dump->tensors)
    die ("out of memory", "dump");
  memset (&dump->tensors[dump->n_tensors], 0, sizeof *dump->tensors);
  return &dump->tensors[dump->n_tensors++];
}

static void
read_exactly (void *data, size_t size, FILE *file)
{
  if (size && fread (data, size, 1, file) != 1)
    die ("short dump", "tensor");
}

static void
read_tensor (TlTensor *tensor, uint32_t name_length, FILE *file)
{
  char *name = allocate (name_length + 1);
  uint32_t head[2];
  void *data;

  read_exactly (name, name_length, file);
  read_exactly (head, sizeof head, file);
  tensor->name = name;
  tensor->dtype = head[0];
  tensor->n_dims = head[1];
  read_exactly (tensor->shape, tensor->n_dims * sizeof (int64_t), file);
  tl_tensor_set_contiguous (tensor);
  tensor->data = data = allocate (data_size (tensor));
  read_exactly (data, data_size (tensor), file);
}

void
tl_dump_read (const char *path, TlDump *ret)
{
  FILE *file = fopen (path, "rb");
  uint32_t name_length;

  if (!file)
    die ("cannot open", path);
  memset (ret, 0, sizeof *ret);
  while (fread (&name_length, sizeof name_length, 1, file) == 1)
    read_tensor (append (ret), name_length, file);
  fclose (file);
}

void
tl_dump_write (const TlDump *dump, const char *path)
{
  FILE *file = fopen (path, "wb");

  if (!file)
    die ("cannot write", path);
  for (size_t i = 0; i < dump->n_tensors; i++) {
    const TlTensor *tensor = &dump->tensors[i];
    uint32_t name_length = strlen (tensor->name);
    uint32_t head[2] = {tensor->dtype, tensor->n_dims};

    fwrite (&name_length, sizeof name_length, 1, file);
    fwrite (tensor->name, name_length, 1, file);
    fwrite (head, sizeof head, 1, file);
    fwrite (tensor->shape, sizeof (int64_t), tensor->n_dims, file);
    fwrite (tensor->data, 1, data_size (tensor), file);
  }
  if (fclose (file) != 0)
    die ("cannot write", path);
}

void
tl_dump_add (TlDump *dump, const char *prefix, const TlTensor *tensor)
{
  size_t size = strlen (prefix) + strlen (tensor->name) + 1;
  TlTensor *copy = append (dump);
  char *name = allocate (size);
  void *data = allocate (data_size (tensor));

  snprintf (name, size, "%s%s", prefix, tensor->name);
  memcpy (data, tensor->data, data_size (tensor));
  *copy = *tensor;
  copy->name = name;
  copy->data = data;
}

const TlTensor *
tl_dump_get (const TlDump *dump, const char *name)
{
  for (size_t i = 0; i < dump->n_tensors; i++)
    if (strcmp (dump->tensors[i].name, name) == 0)
      return &dump->tensors[i];
  die ("the dump has no tensor", name);
  return NULL;
}

TlTensor *
tl_dump_select (const TlDump *dump, const char *prefix, size_t *ret_n)
{
  TlTensor *views = allocate (dump->n_tensors * sizeof *views);
  size_t length = strlen (prefix);
  size_t n = 0;

  for (size_t i = 0; i < dump->n_tensors; i++)
    if (strncmp (dump->tensors[i].name, prefix, length) == 0) {
      views[n] = dump->tensors[i];
      views[n++].name += length;
    }
  *ret_n = n;
  return views;
}

void
tl_dump_clear (TlDump *dump)
{
  for (size_t i = 0; i < dump->n_tensors; i++) {
    free ((char *) dump->tensors[i].name);
    free ((void *) dump->tensors[i].data);
  }
  free (dump->tensors);
  memset (dump, 0, sizeof *dump);
}
