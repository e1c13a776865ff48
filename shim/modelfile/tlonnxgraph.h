/* SPDX-License-Identifier: BSD-3-Clause */

/* The graph of an ONNX file: nodes as they come, and the constants they name,
 * whose data is borrowed until the file is written. Internal to tlonnx. */

#ifndef TL_ONNX_GRAPH_H
#define TL_ONNX_GRAPH_H

#include "tlarena.h"
#include "tlbuffer.h"
#include "tlfile.h"
#include "tltensor.h"

#define TL_ONNX_NAME_SIZE 64

/* TensorProto.DataType */
enum
{
  TL_ONNX_TYPE_FLOAT = 1,
  TL_ONNX_TYPE_UINT8 = 2,
};

typedef struct
{
  TlBuffer nodes;  /* first in the graph */
  TlBuffer *heads; /* of each constant: all but its data */
  TlChunk *data;
  size_t n_constants;
  size_t max_constants;
  TlBuffer ends;                /* inputs and outputs: last in the graph */
  TlArena arena;                /* data that was computed */
  char last[TL_ONNX_NAME_SIZE]; /* what the last node gave */
} TlOnnxGraph;

/* For up to @max_constants; fills a zeroed @self. 0: out of memory. */
int tl_onnx_graph_init (TlOnnxGraph *self, size_t max_constants);
void tl_onnx_graph_clear (TlOnnxGraph *self);

/* A constant; @data is borrowed, or comes from the arena. */
void tl_onnx_graph_add_floats (TlOnnxGraph *self, const char *name,
    const int64_t *shape, uint32_t n_dims, const float *data);

/* A node that makes @output, which becomes the last, of the tensors @inputs
 * (NULL-terminated). Its name is that of the output. @attributes (may be NULL),
 * put with the calls below, are cleared. */
void tl_onnx_graph_add_node (TlOnnxGraph *self, const char *op,
    const char *const *inputs, const char *output, TlBuffer *attributes);

void tl_onnx_put_int (TlBuffer *attributes, const char *name, int64_t value);
void tl_onnx_put_ints (TlBuffer *attributes, const char *name,
    const int64_t *values, size_t n);
void tl_onnx_put_float (TlBuffer *attributes, const char *name, float value);

/* An input or an output of the graph. A size below 0 is free; @free_names has
 * the names of free sizes. */
void tl_onnx_graph_add_end (TlOnnxGraph *self, int is_output, const char *name,
    int type, const int64_t *shape, const char *const *free_names,
    uint32_t n_dims);

/* After the last node, once. */
void tl_onnx_graph_set_name (TlOnnxGraph *self, const char *name);

/* Bytes of the graph in the file, without its own length. */
uint64_t tl_onnx_graph_size (const TlOnnxGraph *self);

/* The graph's bytes: two chunks for each constant and two more. Returns their
 * number. */
size_t tl_onnx_graph_list_chunks (const TlOnnxGraph *self, TlChunk *chunks);

TlStatus tl_onnx_graph_check (const TlOnnxGraph *self, TlError *error);

#endif
