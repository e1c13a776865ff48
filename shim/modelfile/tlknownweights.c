/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlknownweights.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MEBIBYTE 1048576.0

/* What three decimals of a mebibyte leave open, in bytes, and a bit. */
#define SIZE_TOLERANCE 600

/* From torchvision's models/resnet.py. The whole digest is known of one. */
static const TlKnownWeights table[] = {
    {"resnet18", "resnet18", 1, 1, "resnet18-f37072fd.pth",
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
        46830571, 44.661, 11689512, 69.758, 89.078, 256, 224},
    {"resnet34", "resnet34", 1, 1, "resnet34-b627a593.pth", "b627a593", 0,
        83.275, 21797672, 73.314, 91.420, 256, 224},
    {"resnet50-v1", "resnet50", 1, 0, "resnet50-0676ba61.pth", "0676ba61", 0,
        97.781, 25557032, 76.130, 92.862, 256, 224},
    {"resnet50", "resnet50", 2, 1, "resnet50-11ad3fa6.pth", "11ad3fa6", 0,
        97.790, 25557032, 80.858, 95.434, 232, 224},
    {"resnet101-v1", "resnet101", 1, 0, "resnet101-63fe2227.pth", "63fe2227", 0,
        170.511, 44549160, 77.374, 93.546, 256, 224},
    {"resnet101", "resnet101", 2, 1, "resnet101-cd907fc2.pth", "cd907fc2", 0,
        170.530, 44549160, 81.886, 95.780, 232, 224},
    {"resnet152-v1", "resnet152", 1, 0, "resnet152-394f9c45.pth", "394f9c45", 0,
        230.434, 60192808, 78.312, 94.046, 256, 224},
    {"resnet152", "resnet152", 2, 1, "resnet152-f82ba261.pth", "f82ba261", 0,
        230.474, 60192808, 82.284, 96.002, 232, 224},
};

#define N_KNOWN (sizeof table / sizeof table[0])

const TlKnownWeights *
tl_known_weights_nth (size_t i)
{
  return i < N_KNOWN ? &table[i] : NULL;
}

/* ---- Names ---- */

int
tl_known_weights_spell (const TlKnownWeights *known, size_t i,
    char name[TL_KNOWN_WEIGHTS_NAME_SIZE])
{
  const char *layers = known->arch + strlen ("resnet");
  size_t size = TL_KNOWN_WEIGHTS_NAME_SIZE;

  switch (i) {
    case 0:
      snprintf (name, size, "%s-v%u", known->arch, known->version);
      return 1;
    case 1:
      snprintf (name, size, "ResNet%s_Weights.IMAGENET1K_V%u", layers,
          known->version);
      return 1;
    case 2:
      snprintf (name, size, "%s", known->arch);
      return known->is_default;
    case 3:
      snprintf (name, size, "ResNet%s_Weights.DEFAULT", layers);
      return known->is_default;
    default:
      return 0;
  }
}

static int
has_name (const TlKnownWeights *known, const char *name)
{
  char own[TL_KNOWN_WEIGHTS_NAME_SIZE];

  for (size_t i = 0; tl_known_weights_spell (known, i, own); i++)
    if (strcasecmp (own, name) == 0)
      return 1;
  return 0;
}

/* "DEFAULT" or "IMAGENET1K_V1". */
static int
has_version_word (const TlKnownWeights *known, const char *word)
{
  char own[TL_KNOWN_WEIGHTS_NAME_SIZE];

  if (strcasecmp (word, "DEFAULT") == 0)
    return known->is_default;
  snprintf (own, sizeof own, "IMAGENET1K_V%u", known->version);
  return strcasecmp (own, word) == 0;
}

const TlKnownWeights *
tl_known_weights_find (const char *name, const char *arch)
{
  for (size_t i = 0; i < N_KNOWN; i++)
    if (has_name (&table[i], name)
        || (arch && strcmp (table[i].arch, arch) == 0
            && has_version_word (&table[i], name)))
      return &table[i];
  return NULL;
}

int
tl_known_weights_needs_arch (const char *name)
{
  for (size_t i = 0; i < N_KNOWN; i++)
    if (has_version_word (&table[i], name))
      return 1;
  return 0;
}

/* ---- Files ---- */

const TlKnownWeights *
tl_known_weights_find_file (const char *path)
{
  const char *slash = strrchr (path, '/');
  const char *name = slash ? slash + 1 : path;

  for (size_t i = 0; i < N_KNOWN; i++)
    if (strcmp (table[i].file, name) == 0)
      return &table[i];
  return NULL;
}

const TlKnownWeights *
tl_known_weights_find_sha256 (const char *hex)
{
  for (size_t i = 0; i < N_KNOWN; i++)
    if (strncmp (hex, table[i].sha256, strlen (table[i].sha256)) == 0)
      return &table[i];
  return NULL;
}

int
tl_known_weights_has_size (const TlKnownWeights *known, uint64_t bytes)
{
  double expected = known->mebibytes * MEBIBYTE;

  if (known->size > 0)
    return bytes == known->size;
  return (double) bytes >= expected - SIZE_TOLERANCE
      && (double) bytes <= expected + SIZE_TOLERANCE;
}

uint64_t
tl_known_weights_max_size (const TlKnownWeights *known)
{
  if (known->size > 0)
    return known->size;
  return (uint64_t) (known->mebibytes * MEBIBYTE) + SIZE_TOLERANCE;
}
