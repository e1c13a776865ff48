/* SPDX-License-Identifier: BSD-3-Clause */

#include "tltrainvalues.h"

#include <math.h>

static GParamSpec *pspecs[TL_TRAIN_VALUE_END];

void
tl_train_values_reset (TlTrainValues *self)
{
  *self = (TlTrainValues){NAN, NAN, NAN, 0, 0};
}

void
tl_train_values_install (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  pspecs[TL_TRAIN_VALUE_LOSS] = g_param_spec_double ("loss", "Loss",
      "Mean cross-entropy (nats) of the last report; nan before the first",
      -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  pspecs[TL_TRAIN_VALUE_ACCURACY] = g_param_spec_double ("accuracy", "Accuracy",
      "Share of right answers in the last report; nan before the first", 0, 1,
      0, flags);
  pspecs[TL_TRAIN_VALUE_VAL_ACCURACY] =
      g_param_spec_double ("val-accuracy", "Validation accuracy",
          "Share of right answers in the last whole validation; nan before it",
          0, 1, 0, flags);
  pspecs[TL_TRAIN_VALUE_EPOCH] = g_param_spec_uint ("epoch", "Epoch",
      "Epoch of the last report, from 1; 0 before the first", 0, G_MAXUINT, 0,
      flags);
  pspecs[TL_TRAIN_VALUE_STEP] = g_param_spec_uint64 ("step", "Step",
      "Optimizer steps at the last report", 0, G_MAXUINT64, 0, flags);
  for (guint id = TL_TRAIN_VALUE_LOSS; id < TL_TRAIN_VALUE_END; id++)
    g_object_class_install_property (klass, id, pspecs[id]);
}

gboolean
tl_train_values_get (const TlTrainValues *self, guint id, GValue *value)
{
  switch (id) {
    case TL_TRAIN_VALUE_LOSS:
      g_value_set_double (value, self->loss);
      return TRUE;
    case TL_TRAIN_VALUE_ACCURACY:
      g_value_set_double (value, self->accuracy);
      return TRUE;
    case TL_TRAIN_VALUE_VAL_ACCURACY:
      g_value_set_double (value, self->val_accuracy);
      return TRUE;
    case TL_TRAIN_VALUE_EPOCH:
      g_value_set_uint (value, self->epoch);
      return TRUE;
    case TL_TRAIN_VALUE_STEP:
      g_value_set_uint64 (value, self->step);
      return TRUE;
    default:
      return FALSE;
  }
}

void
tl_train_values_notify (GObject *object)
{
  for (guint id = TL_TRAIN_VALUE_LOSS; id < TL_TRAIN_VALUE_END; id++)
    g_object_notify_by_pspec (object, pspecs[id]);
}
