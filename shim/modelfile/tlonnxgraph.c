/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlonnxgraph.h"
#include "tlprotobuf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fields of the messages of onnx.proto. */
enum
{
  GRAPH_NODE = 1,
  GRAPH_NAME = 2,
  GRAPH_INITIALIZER = 5,
  GRAPH_INPUT = 11,
  GRAPH_OUTPUT = 12,
  NODE_INPUT = 1,
  NODE_OUTPUT = 2,
  NODE_NAME = 3,
  NODE_OP_TYPE = 4,
  NODE_ATTRIBUTE = 5,
  ATTRIBUTE_NAME = 1,
  ATTRIBUTE_F = 2,
  ATTRIBUTE_I = 3,
  ATTRIBUTE_INTS = 8,
  ATTRIBUTE_TYPE = 20,
  TENSOR_DIMS = 1,
  TENSOR_DATA_TYPE = 2,
  TENSOR_NAME = 8,
  TENSOR_RAW_DATA = 9,
  VALUE_NAME = 1,
  VALUE_TYPE = 2,
  TYPE_TENSOR = 1,
  TENSOR_TYPE_ELEMENT = 1,
  TENSOR_TYPE_SHAPE = 2,
  SHAPE_DIM = 1,
  DIM_VALUE = 1,
  DIM_PARAM = 2,
};

/* AttributeProto.AttributeType */
enum
{
  KIND_FLOAT = 1,
  KIND_INT = 2,
  KIND_INTS = 7,
};

int
tl_onnx_graph_init (TlOnnxGraph *self, size_t max_constants)
{
  self->heads = calloc (max_constants, sizeof *self->heads);
  self->data = calloc (max_constants, sizeof *self->data);
  self->max_constants = max_constants;
  self->arena.limit = SIZE_MAX;
  return self->heads && self->data;
}

void
tl_onnx_graph_clear (TlOnnxGraph *self)
{
  for (size_t i = 0; i < self->n_constants; i++)
    tl_buffer_clear (&self->heads[i]);
  tl_buffer_clear (&self->nodes);
  tl_buffer_clear (&self->ends);
  tl_arena_clear (&self->arena);
  free (self->heads);
  free (self->data);
  memset (self, 0, sizeof *self);
}

/* ---- Constants ---- */

/* TensorProto with raw_data as its last field, whose bytes are not copied. */
void
tl_onnx_graph_add_floats (TlOnnxGraph *self, const char *name,
    const int64_t *shape, uint32_t n_dims, const float *data)
{
  TlBuffer tensor = {NULL, 0, 0, 0};
  TlBuffer *head = &self->heads[self->n_constants];
  size_t size = sizeof *data;

  for (uint32_t i = 0; i < n_dims; i++) {
    size *= (size_t) shape[i];
    tl_proto_put_int (&tensor, TENSOR_DIMS, (uint64_t) shape[i]);
  }
  tl_proto_put_int (&tensor, TENSOR_DATA_TYPE, TL_ONNX_TYPE_FLOAT);
  tl_proto_put_text (&tensor, TENSOR_NAME, name);
  tl_proto_put_size (&tensor, TENSOR_RAW_DATA, size);
  tl_proto_put_size (head, GRAPH_INITIALIZER, tensor.n + size);
  tl_buffer_put (head, tensor.bytes, tensor.n);
  head->failed |= tensor.failed;
  tl_buffer_clear (&tensor);
  self->data[self->n_constants++] = (TlChunk){data, size};
}

/* ---- Nodes ---- */

static void
put_attribute (TlBuffer *attributes, TlBuffer *attribute, int kind)
{
  tl_proto_put_int (attribute, ATTRIBUTE_TYPE, (uint64_t) kind);
  tl_proto_take_message (attributes, NODE_ATTRIBUTE, attribute);
}

void
tl_onnx_put_int (TlBuffer *attributes, const char *name, int64_t value)
{
  TlBuffer attribute = {NULL, 0, 0, 0};

  tl_proto_put_text (&attribute, ATTRIBUTE_NAME, name);
  tl_proto_put_int (&attribute, ATTRIBUTE_I, (uint64_t) value);
  put_attribute (attributes, &attribute, KIND_INT);
}

/* Not packed: proto2 wants it so, and some readers know nothing else. */
void
tl_onnx_put_ints (TlBuffer *attributes, const char *name, const int64_t *values,
    size_t n)
{
  TlBuffer attribute = {NULL, 0, 0, 0};

  tl_proto_put_text (&attribute, ATTRIBUTE_NAME, name);
  for (size_t i = 0; i < n; i++)
    tl_proto_put_int (&attribute, ATTRIBUTE_INTS, (uint64_t) values[i]);
  put_attribute (attributes, &attribute, KIND_INTS);
}

void
tl_onnx_put_float (TlBuffer *attributes, const char *name, float value)
{
  TlBuffer attribute = {NULL, 0, 0, 0};

  tl_proto_put_text (&attribute, ATTRIBUTE_NAME, name);
  tl_proto_put_float (&attribute, ATTRIBUTE_F, value);
  put_attribute (attributes, &attribute, KIND_FLOAT);
}

void
tl_onnx_graph_add_node (TlOnnxGraph *self, const char *op,
    const char *const *inputs, const char *output, TlBuffer *attributes)
{
  TlBuffer node = {NULL, 0, 0, 0};

  for (size_t i = 0; inputs[i]; i++)
    tl_proto_put_text (&node, NODE_INPUT, inputs[i]);
  tl_proto_put_text (&node, NODE_OUTPUT, output);
  tl_proto_put_text (&node, NODE_NAME, output);
  tl_proto_put_text (&node, NODE_OP_TYPE, op);
  if (attributes) {
    tl_buffer_put (&node, attributes->bytes, attributes->n);
    node.failed |= attributes->failed;
    tl_buffer_clear (attributes);
  }
  tl_proto_take_message (&self->nodes, GRAPH_NODE, &node);
  snprintf (self->last, sizeof self->last, "%s", output);
}

/* ---- Inputs and outputs ---- */

void
tl_onnx_graph_add_end (TlOnnxGraph *self, int is_output, const char *name,
    int type, const int64_t *shape, const char *const *free_names,
    uint32_t n_dims)
{
  TlBuffer dims = {NULL, 0, 0, 0}, tensor = dims, wrapped = dims, value = dims;

  for (uint32_t i = 0; i < n_dims; i++) {
    TlBuffer dim = {NULL, 0, 0, 0};

    if (shape[i] < 0)
      tl_proto_put_text (&dim, DIM_PARAM, free_names[i]);
    else
      tl_proto_put_int (&dim, DIM_VALUE, (uint64_t) shape[i]);
    tl_proto_take_message (&dims, SHAPE_DIM, &dim);
  }
  tl_proto_put_int (&tensor, TENSOR_TYPE_ELEMENT, (uint64_t) type);
  tl_proto_take_message (&tensor, TENSOR_TYPE_SHAPE, &dims);
  tl_proto_take_message (&wrapped, TYPE_TENSOR, &tensor);
  tl_proto_put_text (&value, VALUE_NAME, name);
  tl_proto_take_message (&value, VALUE_TYPE, &wrapped);
  tl_proto_take_message (&self->ends, is_output ? GRAPH_OUTPUT : GRAPH_INPUT,
      &value);
}

/* ---- The whole ---- */

void
tl_onnx_graph_set_name (TlOnnxGraph *self, const char *name)
{
  tl_proto_put_text (&self->nodes, GRAPH_NAME, name);
}

uint64_t
tl_onnx_graph_size (const TlOnnxGraph *self)
{
  uint64_t size = self->nodes.n + self->ends.n;

  for (size_t i = 0; i < self->n_constants; i++)
    size += self->heads[i].n + self->data[i].size;
  return size;
}

size_t
tl_onnx_graph_list_chunks (const TlOnnxGraph *self, TlChunk *chunks)
{
  size_t n = 0;

  chunks[n++] = (TlChunk){self->nodes.bytes, self->nodes.n};
  for (size_t i = 0; i < self->n_constants; i++) {
    chunks[n++] = (TlChunk){self->heads[i].bytes, self->heads[i].n};
    chunks[n++] = self->data[i];
  }
  chunks[n++] = (TlChunk){self->ends.bytes, self->ends.n};
  return n;
}

TlStatus
tl_onnx_graph_check (const TlOnnxGraph *self, TlError *error)
{
  TlStatus status = tl_buffer_check (&self->nodes, error);

  if (status == TL_OK)
    status = tl_buffer_check (&self->ends, error);
  for (size_t i = 0; status == TL_OK && i < self->n_constants; i++)
    status = tl_buffer_check (&self->heads[i], error);
  return status;
}
