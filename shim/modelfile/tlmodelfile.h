/* SPDX-License-Identifier: BSD-3-Clause */

/* A file of weights, whatever its format: told by its first bytes, never by
 * its name.
 *
 * The file is read into memory whole rather than mapped: a mapped file that
 * someone overwrites or a disk that fails would end the process (SIGBUS), and
 * the bytes that were hashed must be the bytes that are used
 * (docs/decisions/0005). */

#ifndef TL_MODEL_FILE_H
#define TL_MODEL_FILE_H

#include "tlsha256.h"
#include "tltensorset.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum
{
  TL_MODEL_FILE_SAFETENSORS = 0,
  TL_MODEL_FILE_PTH_ZIP = 1,    /* torch.save of PyTorch 1.6 and later */
  TL_MODEL_FILE_PTH_LEGACY = 2, /* 0.2 to 1.5 */
  TL_MODEL_FILE_PTH_TAR = 3     /* 0.1 */
} TlModelFileKind;

typedef struct TlModelFile TlModelFile;

/* Memory beside the file's own bytes that reading may take: values of a pickle,
 * names, tables. */
#define TL_MODEL_FILE_MAX_EXTRA (64u << 20)

/* Opens a file; the handle is transferred. The message of an error begins with
 * the path and says what the file is, if it is known, and what to do. A file
 * with digits of its SHA-256 in its name, such as resnet18-f37072fd.pth, must
 * have them, or is TL_ERROR_FORMAT. What is read, what is refused and why:
 * docs/model-files.md. */
TlStatus tl_model_file_open (const char *path, TlModelFile **ret,
    TlError *error);

/* Accepts NULL. All that the calls below gave is then gone. */
void tl_model_file_free (TlModelFile *file);

TlModelFileKind tl_model_file_kind (const TlModelFile *file);

/* "safetensors", "PyTorch zip", "PyTorch legacy", "PyTorch tar". */
const char *tl_model_file_kind_name (TlModelFileKind kind);

/* Borrowed from the file; each tensor's data lies in the bytes that were read
 * and is aligned to its elements. */
const TlTensor *tl_model_file_tensors (const TlModelFile *file, size_t *n);

/* Under what the tensors were in a .pth: "model", "checkpoint.state_dict_ema";
 * "" if they are all that it holds. Borrowed. */
const char *tl_model_file_item (const TlModelFile *file);

/* Borrowed from the file; in its order; nothing in a .pth. */
const TlMetadata *tl_model_file_metadata (const TlModelFile *file, size_t *n);

/* The value of a key, or NULL. */
const char *tl_model_file_lookup (const TlModelFile *file, const char *key);

/* SHA-256 of the bytes that were read: 64 lower-case digits. */
void tl_model_file_sha256 (const TlModelFile *file,
    char hex[TL_SHA256_HEX_SIZE]);

/* Digits of a SHA-256 in a file name, as torch.hub has them: behind a dash 8 to
 * 64 lower-case hexadecimal digits, then a dot, as in resnet50-0676ba61.pth.
 * Those without a letter are not taken for one (dates, numbers of steps), nor
 * is the end of a UUID. Gives the first eight; returns 0 if the name has none. */
int tl_model_file_name_digest (const char *path, char digits[9]);

#ifdef __cplusplus
}
#endif

#endif
