/* SPDX-License-Identifier: BSD-3-Clause */

/* The architectures tlpipe knows: the complete state dict of each under
 * torchvision's names and in torchvision's order, and what a set of tensors
 * from a file lacks to be one.
 *
 * "thumbnail" belongs to the reference backend of the tests alone: stem.weight
 * [192], fc.weight [n, 192], fc.bias [n]. */

#ifndef TL_ARCH_H
#define TL_ARCH_H

#include "tlshim.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum
{
  TL_BLOCK_NONE = 0,      /* thumbnail: no residual layers */
  TL_BLOCK_BASIC = 1,     /* two 3x3 convolutions, expansion 1 */
  TL_BLOCK_BOTTLENECK = 2 /* 1x1, 3x3 (stride here), 1x1; expansion 4 */
} TlBlock;

typedef struct
{
  const char *name; /* "resnet18" */
  TlBlock block;
  uint32_t n_blocks[4]; /* of layer1 to layer4 */
  uint32_t n_features;  /* inputs of fc */
} TlArch;

typedef enum
{
  TL_ENTRY_CONV_WEIGHT = 0, /* also stem.weight of thumbnail */
  TL_ENTRY_BN_WEIGHT = 1,
  TL_ENTRY_BN_BIAS = 2,
  TL_ENTRY_BN_MEAN = 3,
  TL_ENTRY_BN_VAR = 4,
  TL_ENTRY_BN_COUNT = 5, /* num_batches_tracked; a file may lack it */
  TL_ENTRY_FC_WEIGHT = 6,
  TL_ENTRY_FC_BIAS = 7
} TlEntryKind;

/* One tensor of a state dict. */
typedef struct
{
  char name[48];
  TlEntryKind kind;
  TlStage stage;
  TlDtype dtype; /* F32, or I64 for TL_ENTRY_BN_COUNT */
  uint32_t n_dims;
  int64_t shape[4];
} TlArchEntry;

/* The table, by position (NULL behind the last) and by name (NULL: unknown). */
const TlArch *tl_arch_nth (size_t i);
const TlArch *tl_arch_find (const char *name);

/* Number of tensors in the state dict. */
size_t tl_arch_n_entries (const TlArch *arch);

/* The state dict for @n_classes >= 1 classes: tl_arch_n_entries() entries,
 * transferred, to be freed with free(). NULL: out of memory. */
TlArchEntry *tl_arch_list_entries (const TlArch *arch, uint32_t n_classes);

typedef enum
{
  TL_HEAD_FITS = 0,   /* fc.weight and fc.bias have the shapes asked for */
  TL_HEAD_OTHER = 1,  /* another number of classes or features */
  TL_HEAD_MISSING = 2 /* neither fc.weight nor fc.bias */
} TlHeadState;

typedef struct
{
  TlHeadState head;
  uint32_t n_classes; /* of the set's own head; 0 if it has no usable one */
} TlArchMatch;

/* Compares a set of tensors with the state dict of @arch for @n_classes. Names
 * missing, unexpected, or of another shape or kind of dtype are
 * TL_ERROR_ARGUMENT and listed in the message. num_batches_tracked may be
 * missing, any floating dtype does for F32, and the head is only reported in
 * @ret: another number of classes is the normal case of transfer learning. */
TlStatus tl_arch_compare (const TlArch *arch, uint32_t n_classes,
    const TlTensor *tensors, size_t n_tensors, TlArchMatch *ret,
    TlError *error);

/* As tl_arch_compare, and the head must be there too and fit the backbone: a
 * model can be built from the set as it is. @n_classes may be NULL. */
TlStatus tl_arch_check (const TlArch *arch, const TlTensor *tensors,
    size_t n_tensors, uint32_t *n_classes, TlError *error);

/* Finds the architecture of a set of tensors. @n_classes may be NULL; 0 means
 * that the set has no usable head. TL_ERROR_ARGUMENT names the nearest
 * architecture and what is not as it should be. */
TlStatus tl_arch_recognise (const TlTensor *tensors, size_t n_tensors,
    const TlArch **ret, uint32_t *n_classes, TlError *error);

/* The stage a tensor of that name belongs to; TL_STAGE_NONE for names of no
 * architecture. */
TlStage tl_stage_of_tensor (const char *name);

/* "none", "stem", "layer1" ... "layer4", "fc"; "invalid" out of range. */
const char *tl_stage_name (TlStage stage);

/* The values of a `freeze` property, "up to and including": as tl_stage_name,
 * but "all-but-fc" for TL_STAGE_LAYER4. */
const char *tl_stage_nick (TlStage stage);

/* The reverse; "layer4" is taken too. Returns 0 and leaves @ret alone if @nick
 * is none of them. */
int tl_stage_from_nick (const char *nick, TlStage *ret);

#ifdef __cplusplus
}
#endif

#endif
