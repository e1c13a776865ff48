/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsessionsetup.h"

#include <tlclasses.h>
#include <tlfail.h>

#include "tlsnapshot.h"

/* ---- What the run is ---- */

/* Where nobody said how pictures were made, they were squeezed. */
static void
guess_preprocess (const TlBatchInfo *batch, TlPreprocess *ret)
{
  tl_preprocess_init (ret);
  ret->width = batch->width;
  ret->height = batch->height;
  ret->resize = MIN (batch->width, batch->height);
  g_strlcpy (ret->crop, "none", sizeof ret->crop);
}

/* mean and std: the properties, else the checkpoint's, else ImageNet's. */
static void
get_preprocess (const TlSessionConfig *config, TlPreprocess *ret)
{
  const TlState *saved = tl_weights_state (config->weights);
  TlPreprocess old;

  if (config->transform)
    *ret = config->transform->preprocess;
  else
    guess_preprocess (&config->batch, ret);
  tl_preprocess_init (&old);
  if (saved)
    tl_preprocess_from_string (&old, saved->preprocess);
  memcpy (ret->mean, old.mean, sizeof ret->mean);
  memcpy (ret->std, old.std, sizeof ret->std);
  tl_train_settings_get_normalization (config->settings, ret);
}

static gchar *
describe_boolean (gboolean value)
{
  return g_strdup (value ? "true" : "false");
}

/* "train=124,121 valid=70,83", in the order of the classes. */
static gchar *
describe_counts (const TlDatasetInfo *dataset)
{
  GString *text = g_string_new (NULL);

  for (guint s = 0; s < TL_N_SPLITS; s++) {
    for (guint i = 0; dataset->counts[s] && i < dataset->n_classes; i++) {
      if (i > 0)
        g_string_append_c (text, ',');
      else
        g_string_append_printf (text, "%s%s=", text->len ? " " : "",
            tl_split_nick (s));
      g_string_append_printf (text, "%" G_GUINT64_FORMAT,
          dataset->counts[s][i]);
    }
  }
  return g_string_free (text, FALSE);
}

static void
describe_run (TlSession *self, const TlSessionConfig *config,
    const TlPreprocess *preprocess)
{
  const TlTrainSettings *settings = config->settings;
  const TlDatasetInfo *dataset = config->dataset;
  gchar schedule[TL_SCHEDULE_TEXT];

  tl_schedule_to_text (&self->schedule, schedule);
  self->state = (TlState){
      .version = g_strdup (TL_VERSION),
      .arch = g_strdup (tl_weights_arch (config->weights)->name),
      .classes = tl_classes_to_json ((const gchar *const *) dataset->classes),
      .preprocess = tl_preprocess_to_string (preprocess),
      .transform = g_strdup (config->transform ? config->transform->steps : ""),
      .weights_sha256 = g_strdup (tl_weights_sha256 (config->weights)),
      .freeze = g_strdup (tl_stage_nick (settings->freeze)),
      .train_bn = describe_boolean (settings->train_bn),
      .exact = describe_boolean (settings->exact),
      .optimizer = tl_train_settings_describe_optimizer (settings),
      .schedule = g_strdup (schedule),
      .batch_size = g_strdup_printf ("%d", config->batch.batch_size),
      .digest = g_strdup (dataset->digest),
      .counts = describe_counts (dataset),
      .shuffle = describe_boolean (dataset->shuffle),
      .seed = dataset->seed,
      .epochs = dataset->epochs,
  };
}

/* ---- Model and trainer ---- */

static TlStatus
check_evaluation (const TlSessionConfig *config, TlError *error)
{
  const gchar *const *classes = (const gchar *const *) config->dataset->classes;
  const TlState *saved = tl_weights_state (config->weights);
  const gchar *path = tl_weights_path (config->weights);
  g_autofree gchar *wanted = NULL;

  if (config->resume)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "resume=%s goes on with a training, but only validation or test "
        "samples are played: set weights to the file to evaluate it.",
        path);
  if (!saved)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "%s has no list of classes, so it cannot be evaluated: only "
        "validation or test samples are played, and these need a checkpoint "
        "that resnetfinetune wrote. To train, play training samples too.",
        path);
  if (tl_weights_has_classes (config->weights, classes))
    return TL_OK;
  wanted = tl_classes_to_json (classes);
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "%s is for the classes %.300s, but the data set has %.300s: evaluate on "
      "a data set with the same class folders.",
      path, saved->classes, wanted);
}

static TlStatus
make_model (TlSession *self, const TlSessionConfig *config,
    const TlPreprocess *preprocess, TlError *error)
{
  const TlTrainSettings *settings = config->settings;
  g_auto (TlWeightsSet) set = {0};
  TlModelOptions options = TL_MODEL_OPTIONS_INIT;
  TlStatus status;

  options.arch = tl_weights_arch (config->weights)->name;
  options.device = settings->device;
  options.precision = settings->precision;
  options.freeze = self->is_evaluation ? TL_STAGE_FC : settings->freeze;
  options.train_bn = !self->is_evaluation && settings->train_bn;
  options.exact = settings->exact;
  options.n_threads = settings->n_threads;
  for (guint i = 0; i < 3; i++) {
    options.mean[i] = (gfloat) preprocess->mean[i];
    options.std[i] = (gfloat) preprocess->std[i];
  }
  tl_weights_build (config->weights,
      (const gchar *const *) config->dataset->classes, config->dataset->seed,
      &set);
  self->has_new_head = set.new_head;
  status =
      self->shim->model_new (&options, (const TlTensor *) set.tensors->data,
          set.tensors->len, &self->model, error);
  if (status != TL_OK)
    return status;
  self->info.struct_size = sizeof self->info;
  return self->shim->model_describe (self->model, &self->info, error);
}

static TlStatus
make_trainer (TlSession *self, const TlSessionConfig *config, TlError *error)
{
  TlTrainerOptions options = tl_train_settings_get_optimizer (config->settings);

  return self->shim->trainer_new (self->model, &options, &self->trainer, error);
}

/* ---- Resume ---- */

TlStatus
tl_session_check_left (const TlWeights *checkpoint,
    const TlDatasetInfo *dataset, TlError *error)
{
  const TlState *saved = tl_weights_state (checkpoint);

  if (dataset->epochs == 0 || saved->epoch < dataset->epochs)
    return TL_OK;
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "%s has been trained for %u epochs and epochs is %u: nothing is left to "
      "do. Raise epochs to train longer.",
      tl_weights_path (checkpoint), saved->epoch, dataset->epochs);
}

static void
take_cursor (TlSession *self, const TlState *saved)
{
  TlState *state = &self->state;

  state->epoch = saved->epoch;
  state->split = saved->split;
  state->position = saved->position;
  state->views = saved->views;
  state->step = saved->step;
  g_free (state->weights_sha256);
  state->weights_sha256 = g_strdup (saved->weights_sha256);
  for (guint i = 0; i < TL_N_SPLITS; i++)
    state->metrics[i] = g_strdup (saved->metrics[i]);
  self->is_resuming = TRUE;
}

/* A file without the optimizer's state, as `tlpipe export` writes it, would go
 * on without a word, and otherwise than the run that was not stopped. */
static TlStatus
check_slots (const TlSessionConfig *config, const TlState *saved, guint n_slots,
    TlError *error)
{
  TlTrainerOptions options = tl_train_settings_get_optimizer (config->settings);

  if (n_slots > 0 || saved->step == 0
      || (options.optimizer == TL_OPTIMIZER_SGD && options.momentum == 0))
    return TL_OK;
  return tl_fail (error, TL_ERROR_FORMAT,
      "%s has no optimizer state, without which a run cannot be resumed "
      "exactly: give a checkpoint as checkpointsink wrote it, or begin a new "
      "run with weights=%s.",
      tl_weights_path (config->weights), tl_weights_path (config->weights));
}

static TlStatus
restore (TlSession *self, const TlSessionConfig *config, TlError *error)
{
  const TlState *saved = tl_weights_state (config->weights);
  const gchar *path = tl_weights_path (config->weights);
  g_autoptr (GArray) slots = tl_weights_get_optimizer (config->weights);
  TlStatus status = check_slots (config, saved, slots->len, error);

  if (status == TL_OK && slots->len > 0)
    status = self->shim->trainer_restore (self->trainer,
        (const TlTensor *) slots->data, slots->len, error);
  if (status != TL_OK)
    return status;
  if (saved->phase_sums
      && tl_scores_from_text (self->scores, saved->phase_sums) != 0)
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s is damaged: its phase sums are \"%.64s\".", path,
        saved->phase_sums);
  if (g_strcmp0 (saved->frozen_sha256, self->state.frozen_sha256) != 0)
    return tl_fail (error, TL_ERROR_FORMAT,
        "%s is damaged: its frozen tensors are not those that the run began "
        "with.",
        path);
  take_cursor (self, saved);
  return TL_OK;
}

/* ---- All of it ---- */

static TlStatus
set_up_training (TlSession *self, const TlSessionConfig *config, TlError *error)
{
  const TlState *saved = tl_weights_state (config->weights);
  gchar frozen[TL_SHA256_HEX_SIZE];
  guint n_frozen;
  TlStatus status;

  if (config->resume
      && (status = tl_state_check_same_run (saved, &self->state, error)))
    return status;
  if ((status = make_trainer (self, config, error))
      || (status = tl_snapshot_hash_frozen (self->shim, self->model, frozen,
              &n_frozen, error)))
    return status;
  self->state.frozen_sha256 = g_strdup (frozen);
  return config->resume ? restore (self, config, error) : TL_OK;
}

TlStatus
tl_session_set_up (TlSession *self, const TlSessionConfig *config,
    TlError *error)
{
  TlPreprocess preprocess;
  TlStatus status;

  self->schedule = tl_train_settings_get_schedule (config->settings,
      config->dataset->epochs);
  status = self->is_evaluation ? check_evaluation (config, error)
                               : tl_schedule_check (&self->schedule, error);
  if (status != TL_OK)
    return status;
  get_preprocess (config, &preprocess);
  describe_run (self, config, &preprocess);
  status = make_model (self, config, &preprocess, error);
  if (status != TL_OK)
    return status;
  self->state.precision =
      g_strdup (self->info.precision == TL_PRECISION_BF16 ? "bf16" : "fp32");
  return self->is_evaluation ? TL_OK : set_up_training (self, config, error);
}
