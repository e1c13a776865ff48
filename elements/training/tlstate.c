/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlstate.h"

#include <tlcheckpoint.h>
#include <tlfail.h>

#include "tlstatediff.h"

typedef enum
{
  FIELD_TEXT,
  FIELD_STEPS, /* a text; see tl_state_diff_add_steps() */
  FIELD_U32,
  FIELD_U64,
  FIELD_SPLIT,
  FIELD_KIND,
} FieldType;

typedef struct
{
  const gchar *key;
  FieldType type;
  gsize offset;
  gboolean optional;
  const gchar *setting; /* must not change within a run; name for the user */
} Field;

#define AT(field) G_STRUCT_OFFSET (TlState, field)

/* In the order of the file. */
static const Field fields[] = {
    {TL_KEY_VERSION, FIELD_TEXT, AT (version)},
    {TL_KEY_ARCH, FIELD_TEXT, AT (arch), FALSE, "arch"},
    {TL_KEY_CLASSES, FIELD_TEXT, AT (classes), FALSE, "the class list"},
    {TL_KEY_PREPROCESS, FIELD_STEPS, AT (preprocess), FALSE,
        "the preprocessing"},
    {TL_KEY_TRANSFORM, FIELD_STEPS, AT (transform), FALSE,
        "what prepares the pictures"},
    {TL_KEY_WEIGHTS_SHA256, FIELD_TEXT, AT (weights_sha256)},
    {TL_KEY_FROZEN_SHA256, FIELD_TEXT, AT (frozen_sha256), TRUE},
    {TL_KEY_FREEZE, FIELD_TEXT, AT (freeze), FALSE, "freeze"},
    {TL_KEY_TRAIN_BN, FIELD_TEXT, AT (train_bn), FALSE, "train-bn"},
    {TL_KEY_EXACT, FIELD_TEXT, AT (exact), FALSE, "exact"},
    {TL_KEY_PRECISION, FIELD_TEXT, AT (precision), FALSE, "precision"},
    {TL_KEY_OPTIMIZER, FIELD_STEPS, AT (optimizer), FALSE, "optimizer"},
    {TL_KEY_SCHEDULE, FIELD_STEPS, AT (schedule), FALSE, "lr-scheduler"},
    {TL_KEY_BATCH_SIZE, FIELD_TEXT, AT (batch_size), FALSE, "batch-size"},
    {TL_KEY_DIGEST, FIELD_TEXT, AT (digest), FALSE, "the data set"},
    {TL_KEY_COUNTS, FIELD_TEXT, AT (counts), TRUE},
    {TL_KEY_SEED, FIELD_U64, AT (seed), FALSE, "seed"},
    {TL_KEY_SHUFFLE, FIELD_TEXT, AT (shuffle), TRUE, "shuffle"},
    {TL_KEY_EPOCHS, FIELD_U32, AT (epochs)},
    {TL_KEY_STATE, FIELD_KIND, AT (kind)},
    {TL_KEY_EPOCH, FIELD_U32, AT (epoch)},
    {TL_KEY_SPLIT, FIELD_SPLIT, AT (split)},
    {TL_KEY_POSITION, FIELD_U64, AT (position)},
    {TL_KEY_VIEWS, FIELD_U32, AT (views)},
    {TL_KEY_STEP, FIELD_U64, AT (step)},
    {TL_KEY_PHASE_SUMS, FIELD_TEXT, AT (phase_sums), TRUE},
    {TL_KEY_METRICS_TRAIN, FIELD_TEXT, AT (metrics[TL_SPLIT_TRAIN]), TRUE},
    {TL_KEY_METRICS_VALID, FIELD_TEXT, AT (metrics[TL_SPLIT_VALID]), TRUE},
    {TL_KEY_METRICS_TEST, FIELD_TEXT, AT (metrics[TL_SPLIT_TEST]), TRUE},
};

static const gchar *const kinds[] = {"running", "interrupted", "finished"};

static gpointer
field_of (const TlState *self, const Field *field)
{
  return (guint8 *) self + field->offset;
}

static gboolean
is_text (const Field *field)
{
  return field->type == FIELD_TEXT || field->type == FIELD_STEPS;
}

void
tl_state_clear (TlState *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    if (is_text (&fields[i]))
      g_free (*(gchar **) field_of (self, &fields[i]));
  }
  *self = (TlState){0};
}

/* NULL for an absent text; *transferred*. */
static gchar *
format_field (const TlState *self, const Field *field)
{
  gconstpointer value = field_of (self, field);

  switch (field->type) {
    case FIELD_U32:
      return g_strdup_printf ("%" G_GUINT32_FORMAT, *(const guint32 *) value);
    case FIELD_U64:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, *(const guint64 *) value);
    case FIELD_SPLIT:
      return g_strdup (tl_split_nick (*(const TlSplit *) value));
    case FIELD_KIND:
      return g_strdup (kinds[*(const TlStateKind *) value]);
    default:
      return g_strdup (*(gchar *const *) value);
  }
}

static void
clear_metadata (TlMetadata *metadata)
{
  g_free ((gpointer) metadata->value);
}

GArray *
tl_state_to_metadata (const TlState *self)
{
  GArray *array = g_array_new (FALSE, FALSE, sizeof (TlMetadata));

  g_array_set_clear_func (array, (GDestroyNotify) clear_metadata);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    TlMetadata metadata = {fields[i].key, format_field (self, &fields[i])};

    if (metadata.value)
      g_array_append_val (array, metadata);
  }
  return array;
}

static gboolean
parse_unsigned (const gchar *text, guint64 max, guint64 *ret)
{
  return g_ascii_string_to_unsigned (text, 10, 0, max, ret, NULL);
}

static gboolean
parse_kind (const gchar *text, TlStateKind *ret)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (strcmp (text, kinds[i]) == 0) {
      *ret = i;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
parse_field (TlState *self, const Field *field, const gchar *text)
{
  gpointer value = field_of (self, field);
  guint64 number;

  switch (field->type) {
    case FIELD_U32:
      if (!parse_unsigned (text, G_MAXUINT32, &number))
        return FALSE;
      *(guint32 *) value = (guint32) number;
      return TRUE;
    case FIELD_U64:
      return parse_unsigned (text, G_MAXUINT64, value);
    case FIELD_SPLIT:
      return tl_split_from_nick (text, value);
    case FIELD_KIND:
      return parse_kind (text, value);
    default:
      *(gchar **) value = g_strdup (text);
      return TRUE;
  }
}

static const gchar *
find_value (const TlMetadata *metadata, size_t n, const gchar *key)
{
  for (size_t i = 0; i < n; i++) {
    if (strcmp (metadata[i].key, key) == 0)
      return metadata[i].value;
  }
  return NULL;
}

TlStatus
tl_state_from_metadata (TlState *ret, const TlMetadata *metadata,
    size_t n_metadata, const gchar *path, TlError *error)
{
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    const gchar *key = fields[i].key;
    const gchar *text = find_value (metadata, n_metadata, key);

    if (!text && !fields[i].optional)
      return tl_fail (error, TL_ERROR_FORMAT,
          "%s is not a tlpipe checkpoint: it has no \"%s\".", path, key);
    if (text && !parse_field (ret, &fields[i], text))
      return tl_fail (error, TL_ERROR_FORMAT,
          "%s is damaged: \"%s\" is \"%.64s\".", path, key, text);
  }
  return TL_OK;
}

TlStatus
tl_state_check_same_run (const TlState *self, const TlState *now,
    TlError *error)
{
  g_autoptr (TlStateDiff) diff = tl_state_diff_new ();

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    const Field *field = &fields[i];
    g_autofree gchar *was = format_field (self, field);
    g_autofree gchar *is = format_field (now, field);

    /* One that an older version did not write cannot be compared. */
    if (!field->setting || (field->optional && !was))
      continue;
    if (field->type == FIELD_STEPS)
      tl_state_diff_add_steps (diff, field->setting, was, is);
    else
      tl_state_diff_add_value (diff, field->setting, was, is);
  }
  if (!tl_state_diff_text (diff))
    return TL_OK;
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "The run cannot go on with another setting: %.700s. Set it back to "
      "resume, or start a new run with weights set to the checkpoint.",
      tl_state_diff_text (diff));
}
