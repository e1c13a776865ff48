/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlarch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THUMBNAIL_FEATURES 192 /* 8 x 8 pixels of 3 channels */
#define STEM_WIDTH 64
#define TENSORS_PER_CONV_BN 6

static const TlArch archs[] = {
    {"resnet18", TL_BLOCK_BASIC, {2, 2, 2, 2}, 512},
    {"resnet34", TL_BLOCK_BASIC, {3, 4, 6, 3}, 512},
    {"resnet50", TL_BLOCK_BOTTLENECK, {3, 4, 6, 3}, 2048},
    {"resnet101", TL_BLOCK_BOTTLENECK, {3, 4, 23, 3}, 2048},
    {"resnet152", TL_BLOCK_BOTTLENECK, {3, 8, 36, 3}, 2048},
    {"thumbnail", TL_BLOCK_NONE, {0, 0, 0, 0}, THUMBNAIL_FEATURES},
};

#define N_ARCHS (sizeof archs / sizeof archs[0])

const TlArch *
tl_arch_nth (size_t i)
{
  return i < N_ARCHS ? &archs[i] : NULL;
}

const TlArch *
tl_arch_find (const char *name)
{
  for (size_t i = 0; i < N_ARCHS; i++)
    if (strcmp (archs[i].name, name) == 0)
      return &archs[i];
  return NULL;
}

static uint32_t
count_convs (const TlArch *arch)
{
  return arch->block == TL_BLOCK_BOTTLENECK ? 3 : 2;
}

static uint32_t
get_expansion (const TlArch *arch)
{
  return arch->block == TL_BLOCK_BOTTLENECK ? 4 : 1;
}

/* The first block of a layer changes its width or its resolution, so its
 * shortcut is a convolution; only layer1 of basic blocks changes neither. */
static int
has_downsample (const TlArch *arch, uint32_t layer, uint32_t block)
{
  return block == 0 && (layer > 1 || arch->block == TL_BLOCK_BOTTLENECK);
}

size_t
tl_arch_n_entries (const TlArch *arch)
{
  size_t n_convs = 1;

  if (arch->block == TL_BLOCK_NONE)
    return 3;
  for (uint32_t layer = 1; layer <= 4; layer++) {
    n_convs += (size_t) arch->n_blocks[layer - 1] * count_convs (arch);
    n_convs += (size_t) has_downsample (arch, layer, 0);
  }
  return n_convs * TENSORS_PER_CONV_BN + 2;
}

/* Where tl_arch_list_entries writes next. */
typedef struct
{
  TlArchEntry *next;
  TlStage stage;
} EntryWriter;

static void
add_entry (EntryWriter *w, const char *module, const char *tensor,
    TlEntryKind kind, uint32_t n_dims, const int64_t *shape)
{
  TlArchEntry *entry = w->next++;

  snprintf (entry->name, sizeof entry->name, "%s.%s", module, tensor);
  entry->kind = kind;
  entry->stage = w->stage;
  entry->dtype = kind == TL_ENTRY_BN_COUNT ? TL_DTYPE_I64 : TL_DTYPE_F32;
  entry->n_dims = n_dims;
  for (uint32_t i = 0; i < n_dims; i++)
    entry->shape[i] = shape[i];
}

static void
add_conv_bn (EntryWriter *w, const char *conv, const char *bn, uint32_t n_out,
    uint32_t n_in, uint32_t kernel)
{
  const int64_t weight[4] = {n_out, n_in, kernel, kernel};

  add_entry (w, conv, "weight", TL_ENTRY_CONV_WEIGHT, 4, weight);
  add_entry (w, bn, "weight", TL_ENTRY_BN_WEIGHT, 1, weight);
  add_entry (w, bn, "bias", TL_ENTRY_BN_BIAS, 1, weight);
  add_entry (w, bn, "running_mean", TL_ENTRY_BN_MEAN, 1, weight);
  add_entry (w, bn, "running_var", TL_ENTRY_BN_VAR, 1, weight);
  add_entry (w, bn, "num_batches_tracked", TL_ENTRY_BN_COUNT, 0, NULL);
}

static void
add_block (EntryWriter *w, const TlArch *arch, uint32_t layer, uint32_t block,
    uint32_t n_in)
{
  uint32_t width = STEM_WIDTH << (layer - 1);
  uint32_t n_out = width * get_expansion (arch);
  uint32_t n_convs = count_convs (arch);
  char conv[32], bn[32];

  for (uint32_t i = 1; i <= n_convs; i++) {
    uint32_t last = i == n_convs;
    uint32_t kernel = arch->block == TL_BLOCK_BASIC || i == 2 ? 3 : 1;

    snprintf (conv, sizeof conv, "layer%u.%u.conv%u", layer, block, i);
    snprintf (bn, sizeof bn, "layer%u.%u.bn%u", layer, block, i);
    add_conv_bn (w, conv, bn, last ? n_out : width, i == 1 ? n_in : width,
        kernel);
  }
  if (has_downsample (arch, layer, block)) {
    snprintf (conv, sizeof conv, "layer%u.%u.downsample.0", layer, block);
    snprintf (bn, sizeof bn, "layer%u.%u.downsample.1", layer, block);
    add_conv_bn (w, conv, bn, n_out, n_in, 1);
  }
}

static void
add_backbone (EntryWriter *w, const TlArch *arch)
{
  uint32_t n_in = STEM_WIDTH;

  w->stage = TL_STAGE_STEM;
  if (arch->block == TL_BLOCK_NONE) {
    const int64_t shape = THUMBNAIL_FEATURES;

    add_entry (w, "stem", "weight", TL_ENTRY_CONV_WEIGHT, 1, &shape);
    return;
  }
  add_conv_bn (w, "conv1", "bn1", STEM_WIDTH, 3, 7);
  for (uint32_t layer = 1; layer <= 4; layer++) {
    w->stage = (TlStage) (TL_STAGE_STEM + layer);
    for (uint32_t block = 0; block < arch->n_blocks[layer - 1]; block++) {
      add_block (w, arch, layer, block, n_in);
      n_in = (STEM_WIDTH << (layer - 1)) * get_expansion (arch);
    }
  }
}

TlArchEntry *
tl_arch_list_entries (const TlArch *arch, uint32_t n_classes)
{
  const int64_t head[2] = {n_classes, arch->n_features};
  TlArchEntry *entries = calloc (tl_arch_n_entries (arch), sizeof *entries);
  EntryWriter w = {entries, TL_STAGE_NONE};

  if (!entries)
    return NULL;
  add_backbone (&w, arch);
  w.stage = TL_STAGE_FC;
  add_entry (&w, "fc", "weight", TL_ENTRY_FC_WEIGHT, 2, head);
  add_entry (&w, "fc", "bias", TL_ENTRY_FC_BIAS, 1, head);
  return entries;
}

static const char *const stage_names[] = {"none", "stem", "layer1", "layer2",
    "layer3", "layer4", "fc"};

#define N_STAGES (sizeof stage_names / sizeof stage_names[0])

TlStage
tl_stage_of_tensor (const char *name)
{
  size_t length = strcspn (name, ".");

  if (name[length] != '.')
    return TL_STAGE_NONE;
  for (size_t i = TL_STAGE_STEM; i < N_STAGES; i++)
    if (strlen (stage_names[i]) == length
        && strncmp (name, stage_names[i], length) == 0)
      return (TlStage) i;
  if (strncmp (name, "conv1.", 6) == 0 || strncmp (name, "bn1.", 4) == 0)
    return TL_STAGE_STEM;
  return TL_STAGE_NONE;
}

const char *
tl_stage_name (TlStage stage)
{
  return (size_t) stage < N_STAGES ? stage_names[stage] : "invalid";
}

const char *
tl_stage_nick (TlStage stage)
{
  return stage == TL_STAGE_LAYER4 ? "all-but-fc" : tl_stage_name (stage);
}

int
tl_stage_from_nick (const char *nick, TlStage *ret)
{
  if (strcmp (nick, "all-but-fc") == 0) {
    *ret = TL_STAGE_LAYER4;
    return 1;
  }
  for (size_t i = 0; i < N_STAGES; i++) {
    if (strcmp (nick, stage_names[i]) == 0) {
      *ret = (TlStage) i;
      return 1;
    }
  }
  return 0;
}
