/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlonnx.h"
#include "tlbytes.h"
#include "tlfail.h"
#include "tlonnxgraph.h"
#include "tlprotobuf.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IR_VERSION 8
#define OPSET 17
#define EPSILON 1e-5f /* of every BatchNorm of torchvision's ResNets */

/* Fields of ModelProto and what is in it. */
enum
{
  MODEL_IR_VERSION = 1,
  MODEL_PRODUCER_NAME = 2,
  MODEL_PRODUCER_VERSION = 3,
  MODEL_GRAPH = 7,
  MODEL_OPSET_IMPORT = 8,
  MODEL_METADATA_PROPS = 14,
  OPSET_DOMAIN = 1,
  OPSET_VERSION = 2,
  PROP_KEY = 1,
  PROP_VALUE = 2,
};

static const char *const input_nicks[] = {
    [TL_ONNX_NORMALIZED] = "normalized",
    [TL_ONNX_FLOAT] = "float",
    [TL_ONNX_UINT8] = "uint8",
};

typedef struct
{
  TlOnnxGraph graph;
  const TlStateDict *model;
  const TlOnnxOptions *options;
  TlError *error;
  TlStatus status; /* of the first failure; nothing is added after it */
} Writer;

const char *
tl_onnx_input_nick (TlOnnxInput input)
{
  return input_nicks[input];
}

int
tl_onnx_input_from_nick (const char *nick, TlOnnxInput *ret)
{
  for (int i = 0; i <= TL_ONNX_UINT8; i++) {
    if (strcmp (nick, input_nicks[i]) == 0) {
      *ret = (TlOnnxInput) i;
      return 1;
    }
  }
  return 0;
}

/* ---- Values ---- */

static TlStatus
check_values (const TlArchEntry *entry, const TlTensor *tensor, TlError *error)
{
  const float *values = tensor->data;
  int64_t n = tl_tensor_numel (tensor);

  for (int64_t i = 0; i < n; i++) {
    if (!isfinite (values[i]))
      return tl_fail (error, TL_ERROR_ARGUMENT,
          "%s holds a value that is no finite number (element %lld): the "
          "training that made it has diverged, or the file is damaged",
          entry->name, (long long) i);
    if (entry->kind == TL_ENTRY_BN_VAR && values[i] < 0)
      return tl_fail (error, TL_ERROR_ARGUMENT,
          "%s holds a variance below zero (%g, element %lld): the file is "
          "damaged",
          entry->name, (double) values[i], (long long) i);
  }
  return TL_OK;
}

static TlStatus
check_model (const TlStateDict *model, TlError *error)
{
  TlStatus status = TL_OK;

  if (model->arch->block == TL_BLOCK_NONE)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "a %s cannot be written as ONNX, only a ResNet", model->arch->name);
  for (size_t i = 0; status == TL_OK && i < model->n; i++)
    if (model->tensors[i].dtype == TL_DTYPE_F32)
      status = check_values (&model->entries[i], &model->tensors[i], error);
  return status;
}

static const TlTensor *
find (const Writer *w, const char *module, const char *name)
{
  char full[TL_ONNX_NAME_SIZE];

  snprintf (full, sizeof full, "%s.%s", module, name);
  return tl_state_dict_find (w->model, full);
}

/* Adds a tensor of the state dict as a constant of the same name. */
static void
add_constant (Writer *w, const TlTensor *tensor)
{
  if (w->status == TL_OK)
    tl_onnx_graph_add_floats (&w->graph, tensor->name, tensor->shape,
        tensor->n_dims, tensor->data);
}

/* Memory for a constant that is computed; NULL after a failure. */
static float *
new_values (Writer *w, size_t n)
{
  float *values = NULL;

  if (w->status == TL_OK)
    values = tl_arena_alloc (&w->graph.arena, n * sizeof *values);
  if (!values && w->status == TL_OK)
    w->status = tl_arena_fail (&w->graph.arena, w->error);
  return values;
}

static void
add_triple (Writer *w, const char *name, const double triple[3])
{
  const int64_t shape[4] = {1, 3, 1, 1};
  float *values = new_values (w, 3);

  if (!values)
    return;
  for (int i = 0; i < 3; i++)
    values[i] = (float) (255 * triple[i]);
  tl_onnx_graph_add_floats (&w->graph, name, shape, 4, values);
}

/* ---- Nodes ---- */

/* A node of what the last one gave and up to two more. */
static void
add_node (Writer *w, const char *op, const char *second, const char *third,
    const char *output, TlBuffer *attributes)
{
  char last[TL_ONNX_NAME_SIZE];
  const char *inputs[4] = {last, second, second ? third : NULL, NULL};

  memcpy (last, w->graph.last, sizeof last);
  tl_onnx_graph_add_node (&w->graph, op, inputs, output, attributes);
}

static void
add_relu (Writer *w, const char *output)
{
  add_node (w, "Relu", NULL, NULL, output, NULL);
}

static void
put_window (TlBuffer *attributes, int64_t kernel, int64_t stride)
{
  const int64_t pad = kernel / 2;

  tl_onnx_put_ints (attributes, "kernel_shape", (int64_t[]){kernel, kernel}, 2);
  tl_onnx_put_ints (attributes, "pads", (int64_t[]){pad, pad, pad, pad}, 4);
  tl_onnx_put_ints (attributes, "strides", (int64_t[]){stride, stride}, 2);
}

static void
add_batchnorm (Writer *w, const char *bn, const char *output)
{
  static const char *const parts[] = {"weight", "bias", "running_mean",
      "running_var"};
  char last[TL_ONNX_NAME_SIZE];
  const char *inputs[6] = {last};
  TlBuffer attributes = {NULL, 0, 0, 0};

  memcpy (last, w->graph.last, sizeof last);
  for (int i = 0; i < 4; i++) {
    const TlTensor *tensor = find (w, bn, parts[i]);

    inputs[i + 1] = tensor->name;
    add_constant (w, tensor);
  }
  tl_onnx_put_float (&attributes, "epsilon", EPSILON);
  tl_onnx_graph_add_node (&w->graph, "BatchNormalization", inputs, output,
      &attributes);
}

/* In double: what folding rounds is then less than a fp32 convolution does. */
static void
fold (const Writer *w, const TlTensor *weight, const char *bn, float *weights,
    float *biases)
{
  const float *gamma = find (w, bn, "weight")->data;
  const float *beta = find (w, bn, "bias")->data;
  const float *mean = find (w, bn, "running_mean")->data;
  const float *var = find (w, bn, "running_var")->data;
  size_t n_out = (size_t) weight->shape[0];
  size_t n_each = (size_t) tl_tensor_numel (weight) / n_out;

  memcpy (weights, weight->data, n_out * n_each * sizeof *weights);
  for (size_t i = 0; i < n_out; i++) {
    double scale = gamma[i] / sqrt ((double) var[i] + (double) EPSILON);

    biases[i] = (float) (beta[i] - mean[i] * scale);
    for (size_t k = i * n_each; k < (i + 1) * n_each; k++)
      weights[k] = (float) (weights[k] * scale);
  }
}

/* Adds the folded weight under its own name, and gives that of the bias, which
 * PyTorch has no name for. */
static void
add_folded (Writer *w, const TlTensor *weight, const char *conv, const char *bn,
    char bias[TL_ONNX_NAME_SIZE])
{
  float *weights = new_values (w, (size_t) tl_tensor_numel (weight));
  float *biases = new_values (w, (size_t) weight->shape[0]);

  snprintf (bias, TL_ONNX_NAME_SIZE, "%s.bias", conv);
  if (!weights || !biases)
    return;
  fold (w, weight, bn, weights, biases);
  tl_onnx_graph_add_floats (&w->graph, weight->name, weight->shape, 4, weights);
  tl_onnx_graph_add_floats (&w->graph, bias, weight->shape, 1, biases);
}

/* A convolution and its BatchNorm; the output is named after the latter. */
static void
add_conv_bn (Writer *w, const char *conv, const char *bn, int64_t stride)
{
  const TlTensor *weight = find (w, conv, "weight");
  TlBuffer attributes = {NULL, 0, 0, 0};
  char bias[TL_ONNX_NAME_SIZE];

  put_window (&attributes, weight->shape[2], stride);
  if (w->options->fold_batchnorm) {
    add_folded (w, weight, conv, bn, bias);
    add_node (w, "Conv", weight->name, bias, bn, &attributes);
    return;
  }
  add_constant (w, weight);
  add_node (w, "Conv", weight->name, NULL, conv, &attributes);
  add_batchnorm (w, bn, bn);
}

/* The stride of a block is in its first 3x3 convolution (the second one of a
 * bottleneck), as in torchvision. */
static void
add_main_path (Writer *w, const char *block, int64_t stride)
{
  int n_convs = w->model->arch->block == TL_BLOCK_BOTTLENECK ? 3 : 2;
  int strided = n_convs - 1;
  char conv[32], bn[32], relu[32];

  for (int i = 1; i <= n_convs; i++) {
    snprintf (conv, sizeof conv, "%s.conv%d", block, i);
    snprintf (bn, sizeof bn, "%s.bn%d", block, i);
    snprintf (relu, sizeof relu, "%s.relu%d", block, i);
    add_conv_bn (w, conv, bn, i == strided ? stride : 1);
    if (i < n_convs)
      add_relu (w, relu);
  }
}

static void
add_block (Writer *w, const char *block, int64_t stride)
{
  char input[TL_ONNX_NAME_SIZE], shortcut[TL_ONNX_NAME_SIZE];
  char conv[40], bn[40], sum[40];

  memcpy (input, w->graph.last, sizeof input);
  memcpy (shortcut, input, sizeof shortcut);
  snprintf (conv, sizeof conv, "%s.downsample.0", block);
  snprintf (bn, sizeof bn, "%s.downsample.1", block);
  if (find (w, conv, "weight")) {
    add_conv_bn (w, conv, bn, stride);
    memcpy (shortcut, w->graph.last, sizeof shortcut);
  }
  memcpy (w->graph.last, input, sizeof input);
  add_main_path (w, block, stride);
  snprintf (sum, sizeof sum, "%s.add", block);
  add_node (w, "Add", shortcut, NULL, sum, NULL);
  snprintf (sum, sizeof sum, "%s.relu", block);
  add_relu (w, sum);
}

static void
add_backbone (Writer *w)
{
  TlBuffer attributes = {NULL, 0, 0, 0};
  char block[24];

  add_conv_bn (w, "conv1", "bn1", 2);
  add_relu (w, "relu");
  put_window (&attributes, 3, 2);
  add_node (w, "MaxPool", NULL, NULL, "maxpool", &attributes);
  for (uint32_t layer = 1; layer <= 4; layer++) {
    for (uint32_t i = 0; i < w->model->arch->n_blocks[layer - 1]; i++) {
      snprintf (block, sizeof block, "layer%u.%u", layer, i);
      add_block (w, block, layer > 1 && i == 0 ? 2 : 1);
    }
  }
}

static void
add_head (Writer *w)
{
  const TlTensor *weight = find (w, "fc", "weight");
  const TlTensor *bias = find (w, "fc", "bias");
  TlBuffer attributes = {NULL, 0, 0, 0};

  add_node (w, "GlobalAveragePool", NULL, NULL, "avgpool", NULL);
  tl_onnx_put_int (&attributes, "axis", 1);
  add_node (w, "Flatten", NULL, NULL, "features", &attributes);
  add_constant (w, weight);
  add_constant (w, bias);
  tl_onnx_put_int (&attributes, "transB", 1);
  add_node (w, "Gemm", weight->name, bias->name, "logits", &attributes);
  if (!w->options->softmax)
    return;
  tl_onnx_put_int (&attributes, "axis", 1);
  add_node (w, "Softmax", NULL, NULL, "probabilities", &attributes);
}

static void
add_input (Writer *w)
{
  static const char *const planar[] = {"batch", NULL, "height", "width"};
  static const char *const packed[] = {"batch", "height", "width", NULL};
  int64_t width = w->options->width ? (int64_t) w->options->width : -1;
  int64_t height = w->options->height ? (int64_t) w->options->height : -1;
  int is_packed = w->options->input == TL_ONNX_UINT8;

  tl_onnx_graph_add_end (&w->graph, 0, "input",
      is_packed ? TL_ONNX_TYPE_UINT8 : TL_ONNX_TYPE_FLOAT,
      is_packed ? (int64_t[]){-1, height, width, 3}
                : (int64_t[]){-1, 3, height, width},
      is_packed ? packed : planar, 4);
  strcpy (w->graph.last, "input");
}

/* (value - 255 mean) / (255 std) */
static void
add_normalization (Writer *w)
{
  TlBuffer attributes = {NULL, 0, 0, 0};

  if (w->options->input == TL_ONNX_UINT8) {
    tl_onnx_put_int (&attributes, "to", TL_ONNX_TYPE_FLOAT);
    add_node (w, "Cast", NULL, NULL, "pixels", &attributes);
    tl_onnx_put_ints (&attributes, "perm", (int64_t[]){0, 3, 1, 2}, 4);
    add_node (w, "Transpose", NULL, NULL, "planes", &attributes);
  }
  add_triple (w, "mean", w->options->mean);
  add_node (w, "Sub", "mean", NULL, "centered", NULL);
  add_triple (w, "std", w->options->std);
  add_node (w, "Div", "std", NULL, "normalized", NULL);
}

static void
add_graph (Writer *w)
{
  static const char *const names[] = {"batch", NULL};

  add_input (w);
  if (w->options->input != TL_ONNX_NORMALIZED)
    add_normalization (w);
  add_backbone (w);
  add_head (w);
  tl_onnx_graph_add_end (&w->graph, 1, w->graph.last, TL_ONNX_TYPE_FLOAT,
      (int64_t[]){-1, w->model->n_classes}, names, 2);
  tl_onnx_graph_set_name (&w->graph, w->model->arch->name);
}

/* ---- The file ---- */

static void
put_begin (TlBuffer *b, const Writer *w)
{
  tl_proto_put_int (b, MODEL_IR_VERSION, IR_VERSION);
  tl_proto_put_text (b, MODEL_PRODUCER_NAME, "tlpipe");
  tl_proto_put_text (b, MODEL_PRODUCER_VERSION, w->options->version);
  tl_proto_put_size (b, MODEL_GRAPH, tl_onnx_graph_size (&w->graph));
}

static void
put_end (TlBuffer *b, const TlOnnxOptions *options)
{
  TlBuffer message = {NULL, 0, 0, 0};

  tl_proto_put_text (&message, OPSET_DOMAIN, "");
  tl_proto_put_int (&message, OPSET_VERSION, OPSET);
  tl_proto_take_message (b, MODEL_OPSET_IMPORT, &message);
  for (size_t i = 0; i < options->n_metadata; i++) {
    tl_proto_put_text (&message, PROP_KEY, options->metadata[i].key);
    tl_proto_put_text (&message, PROP_VALUE, options->metadata[i].value);
    tl_proto_take_message (b, MODEL_METADATA_PROPS, &message);
  }
}

static TlStatus
check_file (const Writer *w, const TlBuffer *begin, const TlBuffer *end,
    TlError *error)
{
  uint64_t size = tl_onnx_graph_size (&w->graph) + begin->n + end->n;
  TlStatus status = tl_onnx_graph_check (&w->graph, error);

  if (status == TL_OK)
    status = tl_buffer_check (begin, error);
  if (status == TL_OK)
    status = tl_buffer_check (end, error);
  if (status == TL_OK && size > TL_ONNX_MAX_SIZE)
    return tl_fail (error, TL_ERROR_LIMIT,
        "an ONNX file cannot be larger than 2 GiB, but this one would have %s "
        "bytes",
        tl_show_number (size).text);
  return status;
}

static TlStatus
write_file (const char *path, const Writer *w, TlError *error)
{
  TlBuffer begin = {NULL, 0, 0, 0}, end = begin;
  TlChunk *chunks = calloc (2 * w->graph.n_constants + 4, sizeof *chunks);
  TlStatus status;

  put_begin (&begin, w);
  put_end (&end, w->options);
  status = check_file (w, &begin, &end, error);
  if (status == TL_OK && !chunks)
    status = tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  if (status == TL_OK) {
    size_t n = 1 + tl_onnx_graph_list_chunks (&w->graph, chunks + 1);

    chunks[0] = (TlChunk){begin.bytes, begin.n};
    chunks[n++] = (TlChunk){end.bytes, end.n};
    status = tl_file_replace (path, chunks, n, error);
  }
  tl_buffer_clear (&begin);
  tl_buffer_clear (&end);
  free (chunks);
  return status;
}

/* Before the values are looked at: one that is too large is not read. */
static TlStatus
check_size (const TlStateDict *model, TlError *error)
{
  uint64_t size = 0;

  for (size_t i = 0; i < model->n; i++)
    size += (uint64_t) tl_tensor_numel (&model->tensors[i])
        * tl_dtype_size (model->tensors[i].dtype);
  if (size <= TL_ONNX_MAX_SIZE)
    return TL_OK;
  return tl_fail (error, TL_ERROR_LIMIT,
      "an ONNX file cannot be larger than 2 GiB, but the model alone has %s "
      "bytes",
      tl_show_number (size).text);
}

TlStatus
tl_onnx_write (const char *path, const TlStateDict *model,
    const TlOnnxOptions *options, TlError *error)
{
  Writer w = {.model = model, .options = options, .error = error};
  TlStatus status = check_size (model, error);

  if (status == TL_OK)
    status = check_model (model, error);
  if (status != TL_OK)
    return status;
  /* All but the counts, and mean and std. */
  if (tl_onnx_graph_init (&w.graph, model->n + 2))
    add_graph (&w);
  else
    w.status = tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  status = w.status == TL_OK ? write_file (path, &w, error) : w.status;
  tl_onnx_graph_clear (&w.graph);
  return status;
}
