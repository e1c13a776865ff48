/* SPDX-License-Identifier: BSD-3-Clause */

/* libtlshim: ResNet fine-tuning and inference behind a C interface.
 *
 * - Every fallible call returns a TlStatus and fills the caller's TlError
 *   (which may be NULL). No exception crosses. Out-parameters are untouched on
 *   failure.
 * - Option structs begin with struct_size; set it with the *_INIT macro. Fields
 *   may be added at the end, where 0 means "as before": a library reads only
 *   what struct_size covers, and a field it does not know yet that is set is
 *   TL_ERROR_UNSUPPORTED. Returned structs are filled as far as theirs covers.
 * - Ownership: *borrowed* (valid for the call), *copied*, *transferred*.
 * - A handle may be used from any thread, from one thread at a time. Different
 *   handles are independent, except that a trainer uses its model.
 * - Nothing calls back on another thread, and nothing calls back after return.
 * - Process-wide state that the library changes is listed in docs/shim.md.
 *
 * Elements do not link this library: they load it when they go from NULL to
 * READY (elements/common/tlshimloader.h). */

#ifndef TL_SHIM_H
#define TL_SHIM_H

#include "tlstatus.h"
#include "tltensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Changed when a program built against an older header could not work. */
#define TL_SHIM_ABI 1u

#if defined TL_SHIM_BUILD
#define TL_SHIM_API __attribute__ ((visibility ("default")))
#else
#define TL_SHIM_API
#endif

typedef struct TlModel TlModel;
typedef struct TlTrainer TlTrainer;

/* ---- Library and devices ------------------------------------------------ */

TL_SHIM_API uint32_t tl_shim_abi (void);

typedef struct
{
  uint32_t struct_size;
  char name[32];    /* "torch", "reference" */
  char version[64]; /* "2.13.0+cpu" */
  char path[512];   /* the library the backend runs on; may be empty */
} TlBackendInfo;

TL_SHIM_API TlStatus tl_backend_describe (TlBackendInfo *ret, TlError *error);

typedef enum
{
  TL_DEVICE_CPU = 0,
  TL_DEVICE_CUDA = 1
} TlDeviceKind;

typedef struct
{
  uint32_t struct_size;
  TlDeviceKind kind;
  int32_t index;         /* -1 for the CPU */
  char id[16];           /* "cpu", "cuda:0" */
  char name[128];        /* "NVIDIA H200"; the CPU's model name */
  uint64_t memory;       /* bytes on the device, 0 where not known */
  int32_t capability[2]; /* CUDA compute capability, else 0, 0 */
  uint32_t has_bf16;     /* whether bfloat16 runs at speed here */
} TlDeviceInfo;

/* Resolves "auto", "cpu", "cuda" or "cuda:N". Asking for CUDA loads its
 * libraries, which must happen before the first training step of the process:
 * later it is TL_ERROR_DEVICE with that reason. "auto" without a usable GPU is
 * the CPU; "cuda" without one is TL_ERROR_DEVICE and says why. */
TL_SHIM_API TlStatus tl_device_open (const char *device, TlDeviceInfo *ret,
    TlError *error);

/* ---- Model -------------------------------------------------------------- */

typedef enum
{
  TL_PRECISION_AUTO = 0, /* the library's choice; now fp32 everywhere */
  TL_PRECISION_FP32 = 1,
  TL_PRECISION_BF16 = 2
} TlPrecision;

/* Stages in the order of the network. "Frozen up to" names the last frozen
 * one: TL_STAGE_NONE trains everything, TL_STAGE_LAYER4 trains only fc. */
typedef enum
{
  TL_STAGE_NONE = 0,
  TL_STAGE_STEM = 1, /* conv1, bn1 */
  TL_STAGE_LAYER1 = 2,
  TL_STAGE_LAYER2 = 3,
  TL_STAGE_LAYER3 = 4,
  TL_STAGE_LAYER4 = 5,
  TL_STAGE_FC = 6
} TlStage;

typedef struct
{
  uint32_t struct_size;
  const char *arch;   /* "resnet18" 34 50 101 152; reference: "thumbnail" */
  const char *device; /* as tl_device_open */
  TlPrecision precision;
  TlStage freeze;     /* the last frozen stage; TL_STAGE_FC: all frozen */
  uint32_t train_bn;  /* 1: BatchNorm of frozen stages follows the batch */
  uint32_t exact;     /* 1: unfolded, contiguous; equals PyTorch's bits */
  uint32_t n_threads; /* CPU threads of each call; 0: affinity mask */
  float mean[3];      /* of RGB scaled to [0, 1] */
  float std[3];       /* > 0 */
} TlModelOptions;

/* The mean and std of torchvision's ImageNet weights. */
#define TL_MODEL_OPTIONS_INIT                                                  \
  {                                                                            \
    .struct_size = sizeof (TlModelOptions), .arch = "resnet18",                \
    .device = "cpu", .precision = TL_PRECISION_AUTO,                           \
    .freeze = TL_STAGE_LAYER4, .mean = {0.485f, 0.456f, 0.406f},               \
    .std =                                                                     \
    { 0.229f,                                                                  \
      0.224f,                                                                  \
      0.225f }                                                                 \
  }

/* Builds the network from @tensors (copied), which must be the complete state
 * dict of the architecture under torchvision's names; num_batches_tracked may
 * be missing. Floating dtypes are converted to fp32. The number of classes is
 * that of fc.bias. A name missing, unexpected or of another shape is
 * TL_ERROR_ARGUMENT with the list. The model is transferred to the caller. */
TL_SHIM_API TlStatus tl_model_new (const TlModelOptions *options,
    const TlTensor *tensors, size_t n_tensors, TlModel **ret, TlError *error);

/* Accepts NULL. Free the trainer first. */
TL_SHIM_API void tl_model_free (TlModel *model);

typedef struct
{
  uint32_t struct_size;
  char arch[32];
  uint32_t n_classes;
  uint32_t n_features;   /* inputs of fc: 512 or 2048 */
  TlPrecision precision; /* never AUTO */
  uint32_t n_threads;    /* never 0 */
  TlDeviceInfo device;
  uint64_t n_parameters;
  uint64_t n_trainable;
} TlModelInfo;

TL_SHIM_API TlStatus tl_model_describe (const TlModel *model, TlModelInfo *ret,
    TlError *error);

/* Pictures, interleaved RGB, borrowed. Row r of picture i begins at
 * pixels + i * sample_stride + r * row_stride (bytes). ResNets take any height
 * and width from 32 on. */
typedef struct
{
  uint32_t struct_size;
  uint32_t n; /* >= 1 */
  uint32_t height;
  uint32_t width;
  size_t row_stride;    /* 0: 3 * width */
  size_t sample_stride; /* 0: height * row_stride */
  const uint8_t *pixels;
} TlBatch;

/* Class probabilities (softmax), n x n_classes floats, caller-owned. */
TL_SHIM_API TlStatus tl_model_infer (TlModel *model, const TlBatch *batch,
    float *probabilities, TlError *error);

/* The inputs of fc, n x n_features floats, caller-owned. */
TL_SHIM_API TlStatus tl_model_features (TlModel *model, const TlBatch *batch,
    float *features, TlError *error);

typedef struct
{
  uint32_t struct_size;
  float loss;         /* mean cross-entropy of the batch, nats */
  uint32_t n_correct; /* arg max equals the label */
} TlStepResult;

/* Forward pass in eval mode and loss against @labels (n values in
 * [0, n_classes)). @logits: n x n_classes floats, or NULL. */
TL_SHIM_API TlStatus tl_model_evaluate (TlModel *model, const TlBatch *batch,
    const int32_t *labels, float *logits, TlStepResult *ret, TlError *error);

typedef enum
{
  TL_TENSOR_FROZEN = 0,    /* nothing changes it while training */
  TL_TENSOR_PARAMETER = 1, /* the optimizer changes it */
  TL_TENSOR_BUFFER = 2     /* BatchNorm statistics that follow the batches */
} TlTensorRole;

/* Called once per tensor with a dense host copy, borrowed for the call, in a
 * fixed order. Another value than 0 ends the visit with that status. */
typedef TlStatus (
    *TlTensorVisitor) (const TlTensor *tensor, TlTensorRole role, void *user);

/* The complete state dict, torchvision's names and order. */
TL_SHIM_API TlStatus tl_model_visit (TlModel *model, TlTensorVisitor visitor,
    void *user, TlError *error);

/* ---- Trainer ------------------------------------------------------------ */

typedef enum
{
  TL_OPTIMIZER_SGD = 0,
  TL_OPTIMIZER_ADAM = 1,
  TL_OPTIMIZER_ADAMW = 2
} TlOptimizer;

typedef struct
{
  uint32_t struct_size;
  TlOptimizer optimizer;
  double momentum;        /* SGD, [0, 1) */
  double weight_decay;    /* >= 0; decoupled for AdamW */
  uint32_t nesterov;      /* SGD, needs momentum > 0 */
  double beta1, beta2;    /* Adam, AdamW, [0, 1) */
  double eps;             /* Adam, AdamW, > 0 */
  double label_smoothing; /* [0, 1), as torch's cross_entropy */
  double clip_grad_norm;  /* longest 2-norm of all gradients; 0: off */
} TlTrainerOptions;

/* torch.optim's defaults but for the recipe's momentum. */
#define TL_TRAINER_OPTIONS_INIT                                                \
  {                                                                            \
    .struct_size = sizeof (TlTrainerOptions), .optimizer = TL_OPTIMIZER_SGD,   \
    .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8                 \
  }

/* @model is borrowed for the trainer's life. TL_ERROR_ARGUMENT if nothing is
 * trainable; TL_ERROR_UNSUPPORTED for what this build does not do. */
TL_SHIM_API TlStatus tl_trainer_new (TlModel *model,
    const TlTrainerOptions *options, TlTrainer **ret, TlError *error);

/* Accepts NULL. */
TL_SHIM_API void tl_trainer_free (TlTrainer *trainer);

/* Forward, mean cross-entropy (with the label smoothing, also in @ret),
 * backward and one optimizer step at learning rate @lr. @ret may be NULL, which
 * spares a device a synchronisation. A loss that is not finite is
 * TL_ERROR_BACKEND and leaves the parameters alone. */
TL_SHIM_API TlStatus tl_trainer_step (TlTrainer *trainer, const TlBatch *batch,
    const int32_t *labels, double lr, TlStepResult *ret, TlError *error);

/* The same for fc alone on @features (n x n_features floats, borrowed), as
 * tl_model_features gave them; only with freeze = TL_STAGE_LAYER4. */
TL_SHIM_API TlStatus tl_trainer_step_features (TlTrainer *trainer,
    const float *features, const int32_t *labels, uint32_t n, double lr,
    TlStepResult *ret, TlError *error);

/* Optimizer state as "optimizer.<parameter>.<slot>" with slot momentum_buffer,
 * exp_avg, exp_avg_sq or step; nothing before the first step. */
TL_SHIM_API TlStatus tl_trainer_visit (TlTrainer *trainer,
    TlTensorVisitor visitor, void *user, TlError *error);

/* Puts back what tl_trainer_visit gave; @tensors are copied. A state that does
 * not fit the parameters is TL_ERROR_ARGUMENT and changes nothing. */
TL_SHIM_API TlStatus tl_trainer_restore (TlTrainer *trainer,
    const TlTensor *tensors, size_t n_tensors, TlError *error);

#ifdef __cplusplus
}
#endif

#endif
