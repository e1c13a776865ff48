/* SPDX-License-Identifier: BSD-3-Clause */

/* The read-only properties of resnetfinetune: how the run goes. */

#ifndef TL_TRAIN_VALUES_H
#define TL_TRAIN_VALUES_H

#include <glib-object.h>

G_BEGIN_DECLS

/* NAN and 0 before there is a value. */
typedef struct
{
  gdouble loss;
  gdouble accuracy;
  gdouble val_accuracy;
  guint epoch; /* from 1 */
  guint64 step;
} TlTrainValues;

/* Identifiers of the properties; an element's own begin at the last. */
enum
{
  TL_TRAIN_VALUE_LOSS = 1,
  TL_TRAIN_VALUE_ACCURACY,
  TL_TRAIN_VALUE_VAL_ACCURACY,
  TL_TRAIN_VALUE_EPOCH,
  TL_TRAIN_VALUE_STEP,
  TL_TRAIN_VALUE_END,
};

void tl_train_values_reset (TlTrainValues *self);

void tl_train_values_install (GObjectClass *klass);

/* FALSE if @id is none of the above. The caller holds the lock. */
gboolean tl_train_values_get (const TlTrainValues *self, guint id,
    GValue *value);

/* Emits notify for all of them, without a lock. */
void tl_train_values_notify (GObject *object);

G_END_DECLS

#endif
