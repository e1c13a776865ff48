/* SPDX-License-Identifier: BSD-3-Clause */

/* Writes a ResNet as an ONNX file: operator set 17, IR version 8, the batch
 * dimension free. The output is "logits" [batch, classes], or "probabilities"
 * with softmax; the input is "input". https://onnx.ai/onnx/intro/ */

#ifndef TL_ONNX_H
#define TL_ONNX_H

#include "tlstatedict.h"
#include "tltensorset.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the model takes; R, G, B in this order. */
typedef enum
{
  /* float32 [batch, 3, height, width]: (value / 255 - mean) / std, as a
   * torchvision model takes it. */
  TL_ONNX_NORMALIZED = 0,
  /* float32 [batch, 3, height, width]: values of 0 to 255. What NVIDIA's
   * nvinfer can give exactly, for it knows one scale for all channels. */
  TL_ONNX_FLOAT = 1,
  /* uint8 [batch, height, width, 3]: the bytes of a picture. What GStreamer's
   * video/x-raw,format=RGB has in memory. */
  TL_ONNX_UINT8 = 2
} TlOnnxInput;

typedef struct
{
  TlOnnxInput input;
  double mean[3]; /* of RGB in [0, 1]; unused with TL_ONNX_NORMALIZED */
  double std[3];
  uint32_t width; /* of the input; 0: any */
  uint32_t height;
  int fold_batchnorm; /* into the convolutions before them */
  int softmax;
  const TlMetadata *metadata; /* metadata_props; borrowed */
  size_t n_metadata;
  const char *version; /* of tlpipe; borrowed */
} TlOnnxOptions;

#define TL_ONNX_MAX_SIZE INT32_MAX /* bytes: a limit of Protocol Buffers */

/* The nick of an input: "normalized", "float", "uint8". */
const char *tl_onnx_input_nick (TlOnnxInput input);

/* The reverse; 0, and @ret as it was, if @nick is none of them. */
int tl_onnx_input_from_nick (const char *nick, TlOnnxInput *ret);

/* Makes @path such a file, as tl_file_replace() does; the same arguments give
 * the same bytes. TL_ERROR_UNSUPPORTED: not a ResNet. TL_ERROR_ARGUMENT: a
 * value that is not finite, or a BatchNorm variance below zero; the message
 * names the tensor. TL_ERROR_LIMIT: over TL_ONNX_MAX_SIZE. */
TlStatus tl_onnx_write (const char *path, const TlStateDict *model,
    const TlOnnxOptions *options, TlError *error);

#ifdef __cplusplus
}
#endif

#endif
