/* SPDX-License-Identifier: BSD-3-Clause */

/* What a checkpoint says of itself: the keys of the safetensors __metadata__,
 * all values text. Tensors: the model's state dict under torchvision's names,
 * then "optimizer.<parameter>.<slot>". No wall-clock time, no speed, no path
 * of the machine: the bytes of a run repeat. docs/checkpoints.md describes
 * each value. The keys of the checksum are in shim/modelfile/tlintegrity.h. */

#ifndef TL_CHECKPOINT_H
#define TL_CHECKPOINT_H

/* Tensors whose name begins so are not the model's. */
#define TL_OPTIMIZER_PREFIX "optimizer."

/* What it is. */
#define TL_KEY_VERSION "tlpipe.version"
#define TL_KEY_ARCH "tlpipe.arch"
#define TL_KEY_CLASSES "tlpipe.classes"       /* JSON array of strings */
#define TL_KEY_PREPROCESS "tlpipe.preprocess" /* TlPreprocess as a line */
#define TL_KEY_TRANSFORM "tlpipe.transform"   /* the steps of tl-transform */

/* How it was trained. */
#define TL_KEY_WEIGHTS_SHA256 "tlpipe.weights.sha256" /* or "random" */
#define TL_KEY_FROZEN_SHA256 "tlpipe.frozen.sha256"   /* of frozen tensors */
#define TL_KEY_FREEZE "tlpipe.freeze"
#define TL_KEY_TRAIN_BN "tlpipe.train-bn"
#define TL_KEY_EXACT "tlpipe.exact"
#define TL_KEY_PRECISION "tlpipe.precision"
#define TL_KEY_OPTIMIZER "tlpipe.optimizer" /* "sgd momentum=0.9 ..." */
#define TL_KEY_SCHEDULE "tlpipe.schedule"   /* "constant lr=0.001 ..." */
#define TL_KEY_BATCH_SIZE "tlpipe.batch-size"
#define TL_KEY_SEED "tlpipe.seed"
#define TL_KEY_SHUFFLE "tlpipe.shuffle"
#define TL_KEY_EPOCHS "tlpipe.epochs"
#define TL_KEY_DIGEST "tlpipe.dataset.sha256"
#define TL_KEY_COUNTS "tlpipe.dataset.counts" /* "train=124,121 valid=70,83" */

/* Where it stands: the next sample wanted, and the sums of the phase so far. */
#define TL_KEY_STATE "tlpipe.state" /* "running", "interrupted", "finished" */
#define TL_KEY_EPOCH "tlpipe.epoch"
#define TL_KEY_SPLIT "tlpipe.split"
#define TL_KEY_POSITION "tlpipe.position"
#define TL_KEY_VIEWS "tlpipe.views"
#define TL_KEY_STEP "tlpipe.step"
#define TL_KEY_PHASE_SUMS "tlpipe.phase" /* "n=.. loss=<hex float> .." */

/* How good it is: "loss=0.21 accuracy=0.94 ..." of the last whole phase of each
 * split; absent before the first. */
#define TL_KEY_METRICS_TRAIN "tlpipe.metrics.train"
#define TL_KEY_METRICS_VALID "tlpipe.metrics.valid"
#define TL_KEY_METRICS_TEST "tlpipe.metrics.test"

#endif
