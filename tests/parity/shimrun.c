/* SPDX-License-Identifier: BSD-3-Clause */

/* shimrun JOB RESULT [name=value]...: the C half of the training parity tests.
 *
 * JOB holds "state.*" (a state dict), "pixels" (U8: steps, n, height, width,
 * 3), "labels" (I32: steps, n) and "lr" (F64: steps). Evaluates the first batch,
 * takes a training step on every batch (unless steps=0), and evaluates the
 * first again. With restart=N the state is taken out after N steps and put into
 * a new model and trainer. RESULT gets "logits.before", "logits.after",
 * "features", "losses", "correct", "seconds" per step, "state.*" and the
 * optimizer's state. */

#include "tldump.h"

#include <tlarch.h>
#include <tlshimloader.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct
{
  TlModelOptions model;
  TlTrainerOptions trainer;
  uint32_t no_steps; /* 1: only evaluate */
  uint32_t restart;  /* after so many steps; 0: never */
} Settings;

typedef struct
{
  const TlShim *shim;
  Settings settings;
  TlDump job;
  TlDump result;
  TlModel *model;
  TlTrainer *trainer;
} Run;

static void
check (TlStatus status, const TlError *error)
{
  if (status != TL_OK) {
    fprintf (stderr, "status %d: %s (%s)\n", status, error->message,
        error->detail);
    exit (1);
  }
}

#define MODEL(field) offsetof (Settings, model.field)
#define TRAINER(field) offsetof (Settings, trainer.field)

static const struct
{
  const char *name;
  int is_double; /* else uint32_t */
  size_t offset;
} numbers[] = {
    {"exact", 0, MODEL (exact)},
    {"train-bn", 0, MODEL (train_bn)},
    {"threads", 0, MODEL (n_threads)},
    {"optimizer", 0, TRAINER (optimizer)},
    {"nesterov", 0, TRAINER (nesterov)},
    {"no-steps", 0, offsetof (Settings, no_steps)},
    {"restart", 0, offsetof (Settings, restart)},
    {"momentum", 1, TRAINER (momentum)},
    {"weight-decay", 1, TRAINER (weight_decay)},
    {"beta1", 1, TRAINER (beta1)},
    {"beta2", 1, TRAINER (beta2)},
    {"eps", 1, TRAINER (eps)},
    {"label-smoothing", 1, TRAINER (label_smoothing)},
    {"clip-grad-norm", 1, TRAINER (clip_grad_norm)},
};

static int
set_number (Settings *settings, const char *name, const char *value)
{
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    void *field = (char *) settings + numbers[i].offset;

    if (strcmp (name, numbers[i].name) != 0)
      continue;
    if (numbers[i].is_double)
      *(double *) field = atof (value);
    else
      *(uint32_t *) field = (uint32_t) atol (value);
    return 1;
  }
  return 0;
}

static void
set (Settings *settings, const char *name, const char *value)
{
  if (strcmp (name, "arch") == 0)
    settings->model.arch = value;
  else if (strcmp (name, "device") == 0)
    settings->model.device = value;
  else if (!(strcmp (name, "freeze") == 0
               && tl_stage_from_nick (value, &settings->model.freeze))
      && !set_number (settings, name, value)) {
    fprintf (stderr, "unknown setting %s=%s\n", name, value);
    exit (2);
  }
}

static void
add_result (Run *run, const char *name, TlDtype dtype, int64_t rows,
    int64_t columns, const void *data)
{
  TlTensor tensor = {.name = name,
      .dtype = dtype,
      .n_dims = 2,
      .shape = {rows, columns},
      .data = data};

  tl_dump_add (&run->result, "", &tensor);
}

static TlBatch
get_batch (const Run *run, int64_t step)
{
  const TlTensor *pixels = tl_dump_get (&run->job, "pixels");

  return (TlBatch){.struct_size = sizeof (TlBatch),
      .n = pixels->shape[1],
      .height = pixels->shape[2],
      .width = pixels->shape[3],
      .pixels = (const uint8_t *) pixels->data + step * pixels->stride[0]};
}

static const int32_t *
get_labels (const Run *run, int64_t step)
{
  const TlTensor *labels = tl_dump_get (&run->job, "labels");

  return (const int32_t *) labels->data + step * labels->stride[0];
}

static void
make_model (Run *run, const TlDump *from)
{
  TlError error = TL_ERROR_INIT;
  size_t n_tensors;
  TlTensor *tensors = tl_dump_select (from, "state.", &n_tensors);

  check (run->shim->model_new (&run->settings.model, tensors, n_tensors,
             &run->model, &error),
      &error);
  free (tensors);
}

static void
make_trainer (Run *run)
{
  TlError error = TL_ERROR_INIT;

  check (run->shim->trainer_new (run->model, &run->settings.trainer,
             &run->trainer, &error),
      &error);
}

static TlStatus
keep_state (const TlTensor *tensor, TlTensorRole role, void *user)
{
  tl_dump_add (user, "state.", tensor);
  return TL_OK;
}

static TlStatus
keep_optimizer (const TlTensor *tensor, TlTensorRole role, void *user)
{
  tl_dump_add (user, "", tensor);
  return TL_OK;
}

/* All that a checkpoint holds, the optimizer's state first. */
static void
save (Run *run, TlDump *into)
{
  TlError error = TL_ERROR_INIT;

  if (run->trainer)
    check (run->shim->trainer_visit (run->trainer, keep_optimizer, into,
               &error),
        &error);
  check (run->shim->model_visit (run->model, keep_state, into, &error), &error);
}

static void
free_model (Run *run)
{
  run->shim->trainer_free (run->trainer);
  run->shim->model_free (run->model);
}

/* Another process could do it as well: nothing else is carried over. */
static void
restart (Run *run)
{
  TlError error = TL_ERROR_INIT;
  TlDump saved = {0};
  size_t n_slots = 0;

  save (run, &saved);
  free_model (run);
  make_model (run, &saved);
  make_trainer (run);
  while (n_slots < saved.n_tensors
      && strncmp (saved.tensors[n_slots].name, "optimizer.", 10) == 0)
    n_slots++;
  check (run->shim->trainer_restore (run->trainer, saved.tensors, n_slots,
             &error),
      &error);
  tl_dump_clear (&saved);
}

static void
evaluate (Run *run, const char *name)
{
  TlError error = TL_ERROR_INIT;
  TlModelInfo info = {.struct_size = sizeof info};
  TlStepResult result = {.struct_size = sizeof result};
  TlBatch batch = get_batch (run, 0);
  float *values;

  check (run->shim->model_describe (run->model, &info, &error), &error);
  values =
      calloc (batch.n, (info.n_classes + info.n_features) * sizeof *values);
  check (run->shim->model_evaluate (run->model, &batch, get_labels (run, 0),
             values, &result, &error),
      &error);
  add_result (run, name, TL_DTYPE_F32, batch.n, info.n_classes, values);
  if (strcmp (name, "logits.before") == 0) {
    check (run->shim->model_features (run->model, &batch, values, &error),
        &error);
    add_result (run, "features", TL_DTYPE_F32, batch.n, info.n_features,
        values);
  }
  free (values);
}

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

static void
train (Run *run)
{
  TlError error = TL_ERROR_INIT;
  long n_steps = tl_dump_get (&run->job, "pixels")->shape[0];
  const double *rates = tl_dump_get (&run->job, "lr")->data;
  float *losses = calloc (n_steps, sizeof *losses);
  int32_t *correct = calloc (n_steps, sizeof *correct);
  double *seconds = calloc (n_steps, sizeof *seconds);

  make_trainer (run);
  for (long i = 0; i < n_steps; i++) {
    TlStepResult result = {.struct_size = sizeof result};
    TlBatch batch = get_batch (run, i);
    double start;

    if (i > 0 && i == run->settings.restart)
      restart (run);
    start = now ();
    check (run->shim->trainer_step (run->trainer, &batch, get_labels (run, i),
               rates[i], &result, &error),
        &error);
    seconds[i] = now () - start;
    losses[i] = result.loss;
    correct[i] = result.n_correct;
  }
  add_result (run, "losses", TL_DTYPE_F32, 1, n_steps, losses);
  add_result (run, "correct", TL_DTYPE_I32, 1, n_steps, correct);
  add_result (run, "seconds", TL_DTYPE_F64, 1, n_steps, seconds);
  free (losses);
  free (correct);
  free (seconds);
}

int
main (int argc, char **argv)
{
  TlError error = TL_ERROR_INIT;
  Run run = {.settings = {.model = TL_MODEL_OPTIONS_INIT,
                 .trainer = TL_TRAINER_OPTIONS_INIT}};

  if (argc < 3)
    return 2;
  for (int i = 3; i < argc; i++) {
    char *equals = strchr (argv[i], '=');

    if (!equals)
      return 2;
    *equals = '\0';
    set (&run.settings, argv[i], equals + 1);
  }
  run.shim = tl_shim_load (&error);
  check (run.shim ? TL_OK : TL_ERROR_NOT_FOUND, &error);
  tl_dump_read (argv[1], &run.job);

  make_model (&run, &run.job);
  evaluate (&run, "logits.before");
  if (!run.settings.no_steps) {
    train (&run);
    evaluate (&run, "logits.after");
  }
  save (&run, &run.result);
  tl_dump_write (&run.result, argv[2]);

  free_model (&run);
  tl_dump_clear (&run.job);
  tl_dump_clear (&run.result);
  return 0;
}
