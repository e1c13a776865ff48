/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of resnetfinetune's writable properties. */

#include "tltrainsettings.h"

#include <math.h>

#include <tlrange.h>

/* ---- Enumerations ---- */

static GType
precision_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] =
      {{TL_PRECISION_AUTO, "fp32 until bf16 has been measured on a GPU",
           "auto"},
          {TL_PRECISION_FP32, "32-bit floating point", "fp32"},
          {TL_PRECISION_BF16, "bfloat16 with fp32 master weights", "bf16"},
          {0, NULL, NULL}};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TlPrecision", values));
  return type;
}

static GType
freeze_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {{TL_STAGE_NONE, "Train everything",
                                          "none"},
      {TL_STAGE_STEM, "Freeze conv1 and bn1", "stem"},
      {TL_STAGE_LAYER1, "Freeze up to and including layer1", "layer1"},
      {TL_STAGE_LAYER2, "Freeze up to and including layer2", "layer2"},
      {TL_STAGE_LAYER3, "Freeze up to and including layer3", "layer3"},
      {TL_STAGE_LAYER4, "Train only the classifier", "all-but-fc"},
      {0, NULL, NULL}};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TlFreeze", values));
  return type;
}

static GType
optimizer_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] =
      {{TL_OPTIMIZER_SGD, "Stochastic gradient descent with momentum", "sgd"},
          {TL_OPTIMIZER_ADAM, "Adam", "adam"},
          {TL_OPTIMIZER_ADAMW, "Adam with decoupled weight decay", "adamw"},
          {0, NULL, NULL}};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TlOptimizer", values));
  return type;
}

static GType
scheduler_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {{TL_SCHEDULE_CONSTANT,
                                          "The same rate in every epoch",
                                          "constant"},
      {TL_SCHEDULE_STEP, "Times lr-gamma every lr-step-size epochs", "step"},
      {TL_SCHEDULE_COSINE, "Down to 0 along a cosine", "cosine"},
      {0, NULL, NULL}};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TlLrScheduler", values));
  return type;
}

static GType
on_stop_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {{TL_ON_STOP_CHECKPOINT,
                                          "Save what was learned",
                                          "checkpoint"},
      {TL_ON_STOP_NOTHING, "Save nothing", "nothing"}, {0, NULL, NULL}};

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TlOnStop", values));
  return type;
}

/* ---- The table ---- */

typedef enum
{
  KIND_STRING,
  KIND_BOOLEAN,
  KIND_UINT,
  KIND_DOUBLE,
  KIND_ENUM,
} Kind;

typedef struct
{
  const gchar *name;
  const gchar *nick;
  const gchar *blurb;
  Kind kind;
  gsize offset; /* in TlTrainSettings */
  const gchar *text;
  gdouble number; /* default of the other kinds */
  TlRange range;  /* of numbers */
  GType (*enum_type) (void);
} Row;

#define AT(field) G_STRUCT_OFFSET (TlTrainSettings, field)

static const Row rows[] = {
    {"arch", "Architecture",
        "Name of the network: resnet18, 34, 50, 101 or 152; auto takes it from "
        "the file",
        KIND_STRING, AT (arch), "auto"},
    {"weights", "Weights",
        "Where to start from: a name, such as resnet18, of a file in the cache "
        "(tlpipe weights list); a .pth, .safetensors or tlpipe checkpoint; "
        "random starts without pretraining, empty is an error",
        KIND_STRING, AT (weights), ""},
    {"resume", "Resume",
        "tlpipe checkpoint of a run to go on with, instead of weights; empty "
        "starts a new run",
        KIND_STRING, AT (resume), ""},
    {"device", "Device",
        "Where to compute: auto, cpu, cuda or cuda:N; auto is a usable GPU, "
        "else the CPU",
        KIND_STRING, AT (device), "auto"},
    {"precision", "Precision", "Arithmetic of the forward and backward pass",
        KIND_ENUM, AT (precision), NULL, TL_PRECISION_AUTO, {0},
        precision_type},
    {"exact", "Exact",
        "Compute frozen layers unfolded, bit for bit as PyTorch does, which is "
        "slower",
        KIND_BOOLEAN, AT (exact), NULL, FALSE},
    {"mean", "Mean",
        "Three numbers subtracted from red, green and blue in [0, 1]; empty: "
        "the checkpoint's, else ImageNet's",
        KIND_STRING, AT (mean), ""},
    {"std", "Standard deviation",
        "Three numbers that red, green and blue are then divided by; empty: "
        "the checkpoint's, else ImageNet's",
        KIND_STRING, AT (std), ""},
    {"freeze", "Freeze", "Stages, up to and including, that are not trained",
        KIND_ENUM, AT (freeze), NULL, TL_STAGE_LAYER4, {0}, freeze_type},
    {"train-bn", "Train BatchNorm",
        "Let the BatchNorm statistics of frozen stages follow the batches",
        KIND_BOOLEAN, AT (train_bn), NULL, FALSE},
    {"optimizer", "Optimizer", "How gradients change the parameters", KIND_ENUM,
        AT (optimizer), NULL, TL_OPTIMIZER_SGD, {0}, optimizer_type},
    {"lr", "Learning rate",
        "Learning rate that lr-scheduler begins with, above 0", KIND_DOUBLE,
        AT (lr), NULL, 1e-3, {0, INFINITY, TRUE, TRUE}},
    {"momentum", "Momentum", "Momentum of sgd, 0 to less than 1; 0 is none",
        KIND_DOUBLE, AT (momentum), NULL, 0.9, {0, 1, FALSE, TRUE}},
    {"weight-decay", "Weight decay",
        "Share of every trained parameter added to its gradient (decoupled "
        "with adamw); 0 is none",
        KIND_DOUBLE, AT (weight_decay), NULL, 0, {0, INFINITY, FALSE, TRUE}},
    {"nesterov", "Nesterov", "Nesterov's variant of the momentum", KIND_BOOLEAN,
        AT (nesterov), NULL, FALSE},
    {"beta1", "Beta 1",
        "Decay of adam's and adamw's mean of the gradients, 0 to less than 1",
        KIND_DOUBLE, AT (beta1), NULL, 0.9, {0, 1, FALSE, TRUE}},
    {"beta2", "Beta 2",
        "Decay of adam's and adamw's mean of the squared gradients, 0 to less "
        "than 1",
        KIND_DOUBLE, AT (beta2), NULL, 0.999, {0, 1, FALSE, TRUE}},
    {"eps", "Epsilon",
        "Added to the root that adam and adamw divide by, above 0", KIND_DOUBLE,
        AT (eps), NULL, 1e-8, {0, INFINITY, TRUE, TRUE}},
    {"label-smoothing", "Label smoothing",
        "Share of every label that is spread over all classes in the training "
        "loss, 0 to less than 1; 0 is none",
        KIND_DOUBLE, AT (label_smoothing), NULL, 0, {0, 1, FALSE, TRUE}},
    {"clip-grad-norm", "Clip gradient norm",
        "Length, as one vector, that the gradients of a step are scaled down "
        "to; 0 is off",
        KIND_DOUBLE, AT (clip_grad_norm), NULL, 0, {0, INFINITY, FALSE, TRUE}},
    {"lr-scheduler", "Learning-rate scheduler",
        "How the learning rate changes from epoch to epoch", KIND_ENUM,
        AT (lr_scheduler), NULL, TL_SCHEDULE_CONSTANT, {0}, scheduler_type},
    {"lr-step-size", "Step size",
        "Epochs between two drops of lr-scheduler=step, 1 or more", KIND_UINT,
        AT (lr_step_size), NULL, 7, {1, G_MAXUINT}},
    {"lr-gamma", "Gamma",
        "Factor of each drop of lr-scheduler=step, above 0, up to 1",
        KIND_DOUBLE, AT (lr_gamma), NULL, 0.1, {0, 1, TRUE, FALSE}},
    {"warmup-epochs", "Warm-up epochs",
        "Epochs in which the learning rate rises to lr; 0 is none", KIND_UINT,
        AT (warmup_epochs), NULL, 0, {0, G_MAXUINT}},
    {"checkpoint-every", "Checkpoint every",
        "epoch, none (only at the end), or a number of optimizer steps, then "
        "also within epochs",
        KIND_STRING, AT (checkpoint_every), "epoch"},
    {"on-stop", "On stop", "What to do when stopped before the end", KIND_ENUM,
        AT (on_stop), NULL, TL_ON_STOP_CHECKPOINT, {0}, on_stop_type},
    {"report-interval", "Report interval",
        "Seconds between two reports within an epoch; 0 reports per epoch "
        "only",
        KIND_UINT, AT (report_interval), NULL, 10, {0, G_MAXUINT}},
    {"n-threads", "Threads",
        "CPU threads of each computation, up to 1024; 0 is one per CPU of the "
        "process",
        KIND_UINT, AT (n_threads), NULL, 0, {0, 1024}},
};

/* Writable until the element starts: a run has one set of settings. */
#define FLAGS                                                                  \
  (G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS              \
      | GST_PARAM_MUTABLE_READY)

static GParamSpec *
make_pspec (const Row *row)
{
  switch (row->kind) {
    case KIND_BOOLEAN:
      return g_param_spec_boolean (row->name, row->nick, row->blurb,
          row->number != 0, FLAGS);
    case KIND_ENUM:
      return g_param_spec_enum (row->name, row->nick, row->blurb,
          row->enum_type (), (gint) row->number, FLAGS);
    case KIND_UINT:
      return tl_param_spec_set_range_full (g_param_spec_uint (row->name,
                                               row->nick, row->blurb, 0,
                                               G_MAXUINT, (guint) row->number,
                                               FLAGS),
          &row->range);
    case KIND_DOUBLE:
      return tl_param_spec_set_range_full (g_param_spec_double (row->name,
                                               row->nick, row->blurb,
                                               -G_MAXDOUBLE, G_MAXDOUBLE,
                                               row->number, FLAGS),
          &row->range);
    default:
      return g_param_spec_string (row->name, row->nick, row->blurb, row->text,
          FLAGS);
  }
}

guint
tl_train_settings_install (GObjectClass *klass, guint first_id)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    g_object_class_install_property (klass, first_id + i,
        make_pspec (&rows[i]));
  return first_id + G_N_ELEMENTS (rows);
}

void
tl_train_settings_set (TlTrainSettings *self, guint id, const GValue *value)
{
  gpointer field = (guint8 *) self + rows[id].offset;

  switch (rows[id].kind) {
    case KIND_BOOLEAN:
      *(gboolean *) field = g_value_get_boolean (value);
      break;
    case KIND_ENUM:
      *(gint *) field = g_value_get_enum (value);
      break;
    case KIND_UINT:
      *(guint *) field = g_value_get_uint (value);
      break;
    case KIND_DOUBLE:
      *(gdouble *) field = g_value_get_double (value);
      break;
    default:
      g_free (*(gchar **) field);
      *(gchar **) field = g_value_dup_string (value);
      if (!*(gchar **) field)
        *(gchar **) field = g_strdup (rows[id].text);
  }
}

void
tl_train_settings_get (const TlTrainSettings *self, guint id, GValue *value)
{
  gconstpointer field = (const guint8 *) self + rows[id].offset;

  switch (rows[id].kind) {
    case KIND_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) field);
      break;
    case KIND_ENUM:
      g_value_set_enum (value, *(const gint *) field);
      break;
    case KIND_UINT:
      g_value_set_uint (value, *(const guint *) field);
      break;
    case KIND_DOUBLE:
      g_value_set_double (value, *(const gdouble *) field);
      break;
    default:
      g_value_set_string (value, *(gchar *const *) field);
  }
}
