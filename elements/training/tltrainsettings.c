/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltrainsettings.h"

#include <tlfail.h>
#include <tlnumber.h>

void
tl_train_settings_clear (TlTrainSettings *self)
{
  g_clear_pointer (&self->arch, g_free);
  g_clear_pointer (&self->weights, g_free);
  g_clear_pointer (&self->resume, g_free);
  g_clear_pointer (&self->device, g_free);
  g_clear_pointer (&self->mean, g_free);
  g_clear_pointer (&self->std, g_free);
  g_clear_pointer (&self->checkpoint_every, g_free);
}

void
tl_train_settings_copy (TlTrainSettings *self, const TlTrainSettings *from)
{
  tl_train_settings_clear (self);
  *self = *from;
  self->arch = g_strdup (from->arch);
  self->weights = g_strdup (from->weights);
  self->resume = g_strdup (from->resume);
  self->device = g_strdup (from->device);
  self->mean = g_strdup (from->mean);
  self->std = g_strdup (from->std);
  self->checkpoint_every = g_strdup (from->checkpoint_every);
}

/* ---- Texts ---- */

/* Three finite numbers from @min on, between commas or blanks. */
static gboolean
parse_triple (const gchar *text, gdouble min, gdouble ret[3])
{
  for (guint i = 0; i < 3; i++) {
    gchar *end;

    text += strspn (text, i ? ", " : " ");
    ret[i] = g_ascii_strtod (text, &end);
    if (end == text || !(ret[i] >= min && ret[i] <= 1e6))
      return FALSE;
    text = end;
  }
  return text[strspn (text, " ")] == '\0';
}

/* The smallest std that does not turn a pixel into a number out of bounds. */
#define MIN_STD 1e-6

static TlStatus
check_triple (const gchar *name, const gchar *text, gdouble min, TlError *error)
{
  gdouble values[3];

  if (*text == '\0' || parse_triple (text, min, values))
    return TL_OK;
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "%s=\"%s\" is not three numbers%s: write them for red, green and blue of "
      "pixels from 0 to 1, for example %s=0.5,0.5,0.5.",
      name, text, min > 0 ? " above 0" : "", name);
}

static gboolean
parse_checkpoint_every (const gchar *text, guint64 *ret)
{
  *ret = G_MAXUINT64;
  if (strcmp (text, "epoch") == 0)
    return TRUE;
  *ret = 0;
  if (strcmp (text, "none") == 0)
    return TRUE;
  return g_ascii_string_to_unsigned (text, 10, 1, G_MAXUINT32, ret, NULL);
}

guint64
tl_train_settings_get_checkpoint_every (const TlTrainSettings *self)
{
  guint64 every = 0;

  parse_checkpoint_every (self->checkpoint_every, &every);
  return every;
}

void
tl_train_settings_get_normalization (const TlTrainSettings *self,
    TlPreprocess *preprocess)
{
  if (*self->mean)
    parse_triple (self->mean, -1e6, preprocess->mean);
  if (*self->std)
    parse_triple (self->std, MIN_STD, preprocess->std);
}

/* ---- Checks ---- */

static TlStatus
check_source (const TlTrainSettings *self, TlError *error)
{
  if (*self->resume)
    return TL_OK;
  if (*self->weights == '\0')
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "weights is empty: set it to a name, such as resnet18 (\"tlpipe weights "
        "list\" shows them), to a pretrained file, or to a tlpipe checkpoint. "
        "weights=random starts without pretraining.");
  if (strcmp (self->weights, "random") == 0 && strcmp (self->arch, "auto") == 0)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "arch=auto takes the architecture from the weights file, and "
        "weights=random has none: set arch, for example arch=resnet18.");
  return TL_OK;
}

static TlStatus
check_optimizer (const TlTrainSettings *self, TlError *error)
{
  if (self->nesterov && self->optimizer != TL_OPTIMIZER_SGD)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "nesterov=true belongs to optimizer=sgd: unset one of them.");
  if (self->nesterov && !(self->momentum > 0))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "nesterov=true needs a momentum above 0, but momentum is %s.",
        tl_number_decimal (self->momentum).text);
  return TL_OK;
}

TlStatus
tl_train_settings_check (const TlTrainSettings *self, TlError *error)
{
  guint64 every;
  TlStatus status;

  if (!parse_checkpoint_every (self->checkpoint_every, &every))
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "checkpoint-every=\"%s\" is neither epoch, none nor a number of "
        "optimizer steps from 1 on.",
        self->checkpoint_every);
  if ((status = check_source (self, error))
      || (status = check_triple ("mean", self->mean, -1e6, error))
      || (status = check_triple ("std", self->std, MIN_STD, error)))
    return status;
  return check_optimizer (self, error);
}

/* ---- Results ---- */

TlSchedule
tl_train_settings_get_schedule (const TlTrainSettings *self, guint32 epochs)
{
  return (TlSchedule){
      .kind = self->lr_scheduler,
      .lr = self->lr,
      .step_size = self->lr_step_size,
      .gamma = self->lr_gamma,
      .warmup_epochs = self->warmup_epochs,
      .epochs = epochs,
  };
}

static const gchar *const optimizer_nicks[] = {"sgd", "adam", "adamw"};

TlTrainerOptions
tl_train_settings_get_optimizer (const TlTrainSettings *self)
{
  TlTrainerOptions options = TL_TRAINER_OPTIONS_INIT;

  options.optimizer = self->optimizer;
  options.momentum = self->momentum;
  options.weight_decay = self->weight_decay;
  options.nesterov = self->nesterov;
  options.beta1 = self->beta1;
  options.beta2 = self->beta2;
  options.eps = self->eps;
  options.label_smoothing = self->label_smoothing;
  options.clip_grad_norm = self->clip_grad_norm;
  return options;
}

static void
append_number (GString *text, const gchar *name, gdouble value)
{
  g_string_append_printf (text, " %s=%s", name, tl_number_decimal (value).text);
}

gchar *
tl_train_settings_describe_optimizer (const TlTrainSettings *self)
{
  GString *text = g_string_new (optimizer_nicks[self->optimizer]);

  if (self->optimizer == TL_OPTIMIZER_SGD)
    append_number (text, "momentum", self->momentum);
  append_number (text, "weight-decay", self->weight_decay);
  if (self->optimizer == TL_OPTIMIZER_SGD) {
    g_string_append_printf (text, " nesterov=%s",
        self->nesterov ? "true" : "false");
  } else {
    append_number (text, "beta1", self->beta1);
    append_number (text, "beta2", self->beta2);
    append_number (text, "eps", self->eps);
  }
  if (self->label_smoothing > 0)
    append_number (text, "label-smoothing", self->label_smoothing);
  if (self->clip_grad_norm > 0)
    append_number (text, "clip-grad-norm", self->clip_grad_norm);
  return g_string_free (text, FALSE);
}
