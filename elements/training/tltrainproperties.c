/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of resnetfinetune's writable properties. */

#include "tltrainsettings.h"

#include <math.h>

#include <tlsettings.h>

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

#define AT(field) G_STRUCT_OFFSET (TlTrainSettings, field)

static const TlSetting rows[] = {
    {"arch", "Architecture",
        "Name of the network: resnet18, 34, 50, 101 or 152; auto takes it from "
        "the file",
        TL_SETTING_STRING, AT (arch), "auto"},
    {"weights", "Weights",
        "Where to start from: a name, such as resnet18, of a file in the cache "
        "(tlpipe weights list); a .pth, .safetensors or tlpipe checkpoint; "
        "random starts without pretraining, empty is an error",
        TL_SETTING_STRING, AT (weights), ""},
    {"resume", "Resume",
        "tlpipe checkpoint of a run to go on with, instead of weights; empty "
        "starts a new run",
        TL_SETTING_STRING, AT (resume), ""},
    {"device", "Device",
        "Where to compute: auto, cpu, cuda or cuda:N; auto is a usable GPU, "
        "else the CPU",
        TL_SETTING_STRING, AT (device), "auto"},
    {"precision", "Precision", "Arithmetic of the forward and backward pass",
        TL_SETTING_ENUM, AT (precision), NULL, TL_PRECISION_AUTO, {0},
        precision_type},
    {"exact", "Exact",
        "Compute frozen layers unfolded, bit for bit as PyTorch does, which is "
        "slower",
        TL_SETTING_BOOLEAN, AT (exact), NULL, FALSE},
    {"mean", "Mean",
        "Three numbers subtracted from red, green and blue in [0, 1]; empty: "
        "the checkpoint's, else ImageNet's",
        TL_SETTING_STRING, AT (mean), ""},
    {"std", "Standard deviation",
        "Three numbers that red, green and blue are then divided by; empty: "
        "the checkpoint's, else ImageNet's",
        TL_SETTING_STRING, AT (std), ""},
    {"freeze", "Freeze", "Stages, up to and including, that are not trained",
        TL_SETTING_ENUM, AT (freeze), NULL, TL_STAGE_LAYER4, {0}, freeze_type},
    {"train-bn", "Train BatchNorm",
        "Let the BatchNorm statistics of frozen stages follow the batches",
        TL_SETTING_BOOLEAN, AT (train_bn), NULL, FALSE},
    {"optimizer", "Optimizer", "How gradients change the parameters",
        TL_SETTING_ENUM, AT (optimizer), NULL, TL_OPTIMIZER_SGD, {0},
        optimizer_type},
    {"lr", "Learning rate",
        "Learning rate that lr-scheduler begins with, above 0",
        TL_SETTING_DOUBLE, AT (lr), NULL, 1e-3, {0, INFINITY, TRUE, TRUE}},
    {"momentum", "Momentum", "Momentum of sgd, 0 to less than 1; 0 is none",
        TL_SETTING_DOUBLE, AT (momentum), NULL, 0.9, {0, 1, FALSE, TRUE}},
    {"weight-decay", "Weight decay",
        "Share of every trained parameter added to its gradient (decoupled "
        "with adamw); 0 is none",
        TL_SETTING_DOUBLE, AT (weight_decay), NULL, 0,
        {0, INFINITY, FALSE, TRUE}},
    {"nesterov", "Nesterov", "Nesterov's variant of the momentum",
        TL_SETTING_BOOLEAN, AT (nesterov), NULL, FALSE},
    {"beta1", "Beta 1",
        "Decay of adam's and adamw's mean of the gradients, 0 to less than 1",
        TL_SETTING_DOUBLE, AT (beta1), NULL, 0.9, {0, 1, FALSE, TRUE}},
    {"beta2", "Beta 2",
        "Decay of adam's and adamw's mean of the squared gradients, 0 to less "
        "than 1",
        TL_SETTING_DOUBLE, AT (beta2), NULL, 0.999, {0, 1, FALSE, TRUE}},
    {"eps", "Epsilon",
        "Added to the root that adam and adamw divide by, above 0",
        TL_SETTING_DOUBLE, AT (eps), NULL, 1e-8, {0, INFINITY, TRUE, TRUE}},
    {"label-smoothing", "Label smoothing",
        "Share of every label that is spread over all classes in the training "
        "loss, 0 to less than 1; 0 is none",
        TL_SETTING_DOUBLE, AT (label_smoothing), NULL, 0, {0, 1, FALSE, TRUE}},
    {"clip-grad-norm", "Clip gradient norm",
        "Length, as one vector, that the gradients of a step are scaled down "
        "to; 0 is off",
        TL_SETTING_DOUBLE, AT (clip_grad_norm), NULL, 0,
        {0, INFINITY, FALSE, TRUE}},
    {"lr-scheduler", "Learning-rate scheduler",
        "How the learning rate changes from epoch to epoch", TL_SETTING_ENUM,
        AT (lr_scheduler), NULL, TL_SCHEDULE_CONSTANT, {0}, scheduler_type},
    {"lr-step-size", "Step size",
        "Epochs between two drops of lr-scheduler=step, 1 or more",
        TL_SETTING_UINT, AT (lr_step_size), NULL, 7, {1, G_MAXUINT}},
    {"lr-gamma", "Gamma",
        "Factor of each drop of lr-scheduler=step, above 0, up to 1",
        TL_SETTING_DOUBLE, AT (lr_gamma), NULL, 0.1, {0, 1, TRUE, FALSE}},
    {"warmup-epochs", "Warm-up epochs",
        "Epochs in which the learning rate rises to lr; 0 is none",
        TL_SETTING_UINT, AT (warmup_epochs), NULL, 0, {0, G_MAXUINT}},
    {"checkpoint-every", "Checkpoint every",
        "epoch, none (only at the end), or a number of optimizer steps, then "
        "also within epochs",
        TL_SETTING_STRING, AT (checkpoint_every), "epoch"},
    {"on-stop", "On stop", "What to do when stopped before the end",
        TL_SETTING_ENUM, AT (on_stop), NULL, TL_ON_STOP_CHECKPOINT, {0},
        on_stop_type},
    {"report-interval", "Report interval",
        "Seconds between two reports within an epoch; 0 reports per epoch "
        "only",
        TL_SETTING_UINT, AT (report_interval), NULL, 10, {0, G_MAXUINT}},
    {"n-threads", "Threads",
        "CPU threads of each computation, up to 1024; 0 is one per CPU of the "
        "process",
        TL_SETTING_UINT, AT (n_threads), NULL, 0, {0, 1024}},
};

guint
tl_train_settings_install (GObjectClass *klass, guint first_id)
{
  tl_settings_install (klass, first_id, rows, G_N_ELEMENTS (rows));
  return first_id + G_N_ELEMENTS (rows);
}

void
tl_train_settings_set (TlTrainSettings *self, guint id, const GValue *value)
{
  tl_settings_set (self, &rows[id], value);
}

void
tl_train_settings_get (const TlTrainSettings *self, guint id, GValue *value)
{
  tl_settings_get (self, &rows[id], value);
}
