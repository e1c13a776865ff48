/* SPDX-License-Identifier: BSD-3-Clause */

/* The settings of resnetfinetune: one struct, one table of properties, and
 * what the shim, the schedule and the checkpoint make of them. */

#ifndef TL_TRAIN_SETTINGS_H
#define TL_TRAIN_SETTINGS_H

#include <gst/gst.h>

#include <tlpreprocess.h>
#include <tlschedule.h>
#include <tlshim.h>

G_BEGIN_DECLS

typedef enum
{
  TL_ON_STOP_CHECKPOINT = 0,
  TL_ON_STOP_NOTHING = 1,
} TlOnStop;

/* Strings are owned and never NULL. */
typedef struct
{
  gchar *arch;    /* "auto" or a name of tlarch */
  gchar *weights; /* a path, "random", or "" */
  gchar *resume;  /* a path or "" */
  gchar *device;
  gint precision; /* TlPrecision */
  gboolean exact;
  gchar *mean; /* three numbers, or "": the checkpoint's, else ImageNet's */
  gchar *std;
  gint freeze; /* TlStage */
  gboolean train_bn;
  gint optimizer; /* TlOptimizer */
  gdouble lr;
  gdouble momentum;
  gdouble weight_decay;
  gboolean nesterov;
  gdouble beta1, beta2;
  gdouble eps;
  gdouble label_smoothing;
  gdouble clip_grad_norm;
  gint lr_scheduler; /* TlScheduleKind */
  guint lr_step_size;
  gdouble lr_gamma;
  guint warmup_epochs;
  gchar *checkpoint_every; /* "epoch", "none" or a number of steps */
  gint on_stop;            /* TlOnStop */
  guint report_interval;   /* seconds; 0: per epoch only */
  guint n_threads;
} TlTrainSettings;

void tl_train_settings_clear (TlTrainSettings *self);

/* Replaces @self, which may be all zero, with a deep copy. */
void tl_train_settings_copy (TlTrainSettings *self,
    const TlTrainSettings *from);

/* Installs the properties with the ids from @first_id on; returns the first id
 * that is free behind them. Every instance begins with a zeroed struct, which
 * GObject fills with the defaults (the properties are CONSTRUCT). */
guint tl_train_settings_install (GObjectClass *klass, guint first_id);

/* @id counts from 0, as does the table. Not thread-safe: under the object's
 * lock. */
void tl_train_settings_set (TlTrainSettings *self, guint id,
    const GValue *value);
void tl_train_settings_get (const TlTrainSettings *self, guint id,
    GValue *value);

/* TL_ERROR_ARGUMENT, with a sentence, for texts that do not parse and
 * combinations that make no sense. Ranges are tl_element_check_ranges()'s. */
TlStatus tl_train_settings_check (const TlTrainSettings *self, TlError *error);

/* Overrides @preprocess' mean and std where the properties are set; they must
 * have passed the check. */
void tl_train_settings_get_normalization (const TlTrainSettings *self,
    TlPreprocess *preprocess);

/* Optimizer steps between two checkpoints: 0 for none, G_MAXUINT64 for one per
 * epoch. They must have passed the check. */
guint64 tl_train_settings_get_checkpoint_every (const TlTrainSettings *self);

/* @epochs of the run; 0: endless. Check the result with tl_schedule_check. */
TlSchedule tl_train_settings_get_schedule (const TlTrainSettings *self,
    guint32 epochs);

TlTrainerOptions tl_train_settings_get_optimizer (const TlTrainSettings *self);

/* "sgd momentum=0.9 weight-decay=0 nesterov=false", and label-smoothing and
 * clip-grad-norm where they are not 0; *transferred*. */
gchar *tl_train_settings_describe_optimizer (const TlTrainSettings *self);

G_END_DECLS

#endif
