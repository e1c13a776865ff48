/* SPDX-License-Identifier: BSD-3-Clause */

/* The pretrained files that torchvision publishes for its ResNets, and what
 * people call them. tests/parity/knownweights.py compares the table with
 * torchvision's own. */

#ifndef TL_KNOWN_WEIGHTS_H
#define TL_KNOWN_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TL_KNOWN_WEIGHTS_NAME_SIZE 64

typedef struct
{
  const char *name; /* "resnet50": torchvision's default; "resnet50-v1" */
  const char *arch;
  unsigned version;   /* 1 is IMAGENET1K_V1 */
  int is_default;     /* torchvision's DEFAULT */
  const char *file;   /* with the first digits of its SHA-256 */
  const char *sha256; /* the first 8 digits or all 64, lower case */
  uint64_t size;      /* bytes; 0 where only mebibytes is known */
  double mebibytes;   /* to three decimals, as torchvision gives it */
  uint64_t n_parameters;
  double top1, top5;     /* per cent of ImageNet's validation pictures */
  uint32_t resize, crop; /* how these were prepared: pixels */
} TlKnownWeights;

/* By position; NULL behind the last. */
const TlKnownWeights *tl_known_weights_nth (size_t i);

/* By name, ASCII case ignored: "resnet50", "resnet50-v2",
 * "ResNet50_Weights.IMAGENET1K_V2", "ResNet50_Weights.DEFAULT"; with an @arch
 * other than NULL also "IMAGENET1K_V2" and "DEFAULT". NULL: unknown. */
const TlKnownWeights *tl_known_weights_find (const char *name,
    const char *arch);

/* Whether @name needs an architecture to mean a file: "IMAGENET1K_V2". */
int tl_known_weights_needs_arch (const char *name);

/* By the name of the file, which may have folders before it. */
const TlKnownWeights *tl_known_weights_find_file (const char *path);

/* By the 64 digits of a SHA-256. */
const TlKnownWeights *tl_known_weights_find_sha256 (const char *hex);

/* The names of the first sort above, one after the other, each written to
 * @name. Returns 0 behind the last. */
int tl_known_weights_spell (const TlKnownWeights *known, size_t i,
    char name[TL_KNOWN_WEIGHTS_NAME_SIZE]);

/* Whether a file of @bytes can be it, as far as its size is known. */
int tl_known_weights_has_size (const TlKnownWeights *known, uint64_t bytes);

/* The number of bytes above which no file can be it. */
uint64_t tl_known_weights_max_size (const TlKnownWeights *known);

#ifdef __cplusplus
}
#endif

#endif
