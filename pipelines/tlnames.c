/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlnames.h"

#include "tlvars.h"

/* ---- Steps of a stage ---- */

static void
collect_steps (const TlSpecChain *chain, GPtrArray *steps)
{
  for (guint i = 0; i < chain->steps->len; i++) {
    TlSpecStep *step = chain->steps->pdata[i];

    g_ptr_array_add (steps, step);
    for (guint j = 0; j < step->branches->len; j++)
      collect_steps (step->branches->pdata[j], steps);
  }
}

/* All steps in the order in which they are written, branches included. */
static GPtrArray *
list_steps (const TlSpecStage *stage)
{
  GPtrArray *steps = g_ptr_array_new ();

  for (guint i = 0; i < stage->chains->len; i++)
    collect_steps (stage->chains->pdata[i], steps);
  return steps;
}

TlSpecStep *
tl_names_find (const TlSpecStage *stage, const gchar *name)
{
  g_autoptr (GPtrArray) steps = list_steps (stage);

  for (guint i = 0; i < steps->len; i++) {
    TlSpecStep *step = steps->pdata[i];

    if (g_strcmp0 (step->name, name) == 0)
      return step;
  }
  return NULL;
}

void
tl_names_offer (const TlSpecStage *stage, TlNear *near)
{
  g_autoptr (GPtrArray) steps = list_steps (stage);

  for (guint i = 0; i < steps->len; i++) {
    const TlSpecStep *step = steps->pdata[i];

    if (step->name)
      tl_near_offer (near, step->name);
  }
}

/* ---- Names of elements ---- */

static void
take_given_names (GPtrArray *steps, GHashTable *taken,
    TlDiagnostics *diagnostics)
{
  for (guint i = 0; i < steps->len; i++) {
    TlSpecStep *step = steps->pdata[i];
    const TlSpecStep *first;

    if (!step->is_named)
      continue;
    first = g_hash_table_lookup (taken, step->name);
    if (!first) {
      g_hash_table_insert (taken, step->name, step);
      continue;
    }
    tl_diagnostics_error (diagnostics, step->name_place, NULL,
        "two elements are named \"%s\"; the first is in line %u", step->name,
        first->name_place.line);
    /* With one of its own it can still be looked at. */
    g_clear_pointer (&step->name, g_free);
  }
}

static const gchar *
base_name (const TlSpecStep *step)
{
  switch (step->kind) {
    case TL_STEP_ELEMENT:
      return step->text.text;
    case TL_STEP_CAPS:
      return "capsfilter";
    default:
      return "launch";
  }
}

/* @numbers: the last number that was tried for a name, so that many elements of
 * a kind do not all begin at 2. */
static void
make_name (TlSpecStep *step, GHashTable *taken, GHashTable *numbers)
{
  const gchar *base = base_name (step);
  guint number = GPOINTER_TO_UINT (g_hash_table_lookup (numbers, base));

  do {
    g_free (step->name);
    number++;
    step->name =
        number == 1 ? g_strdup (base) : g_strdup_printf ("%s%u", base, number);
  } while (g_hash_table_contains (taken, step->name));
  g_hash_table_insert (numbers, (gpointer) base, GUINT_TO_POINTER (number));
  g_hash_table_insert (taken, step->name, step);
}

/* ---- Links ---- */

static void
check_end (GPtrArray *steps, GHashTable *taken, const gchar *name,
    TlPlace place, TlDiagnostics *diagnostics)
{
  g_autofree gchar *suggestion = NULL;
  TlNear near;

  if (g_hash_table_contains (taken, name)
      || tl_diagnostics_is_full (diagnostics))
    return;
  tl_near_init (&near, name);
  for (guint i = 0; i < steps->len; i++) {
    const TlSpecStep *step = steps->pdata[i];

    if (step->name)
      tl_near_offer (&near, step->name);
  }
  suggestion = tl_near_suggest (&near);
  tl_diagnostics_error (diagnostics, place, NULL,
      "no element is named \"%s\"%s", name, suggestion);
}

void
tl_names_assign (TlSpecStage *stage, TlDiagnostics *diagnostics)
{
  g_autoptr (GPtrArray) steps = list_steps (stage);
  g_autoptr (GHashTable) taken = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) numbers = g_hash_table_new (g_str_hash, g_str_equal);

  take_given_names (steps, taken, diagnostics);
  for (guint i = 0; i < steps->len; i++) {
    TlSpecStep *step = steps->pdata[i];

    if (!step->name && step->kind != TL_STEP_BAD)
      make_name (step, taken, numbers);
  }
  for (guint i = 0; i < stage->links->len; i++) {
    const TlSpecLink *link = stage->links->pdata[i];

    check_end (steps, taken, link->from_element, link->place, diagnostics);
    check_end (steps, taken, link->to_element, link->place, diagnostics);
  }
}

/* ---- The order of stages ---- */

static TlSpecStage *
find_stage (GPtrArray *stages, const gchar *name)
{
  for (guint i = 0; i < stages->len; i++) {
    TlSpecStage *stage = stages->pdata[i];

    if (g_strcmp0 (stage->name, name) == 0)
      return stage;
  }
  return NULL;
}

static void
check_needs (GPtrArray *stages, const TlSpecStage *stage,
    TlDiagnostics *diagnostics)
{
  for (guint i = 0; i < stage->needs->len; i++) {
    const TlSpecText *need = stage->needs->pdata[i];
    g_autofree gchar *suggestion = NULL;
    TlNear near;

    if (find_stage (stages, need->text))
      continue;
    tl_near_init (&near, need->text);
    for (guint j = 0; j < stages->len; j++) {
      const TlSpecStage *known = stages->pdata[j];

      if (known->name)
        tl_near_offer (&near, known->name);
    }
    suggestion = tl_near_suggest (&near);
    tl_diagnostics_error (diagnostics, need->place, NULL,
        "no stage is named \"%s\"%s", need->text, suggestion);
  }
}

/* Nothing that @stage needs is still in @waiting. */
static gboolean
is_ready (GPtrArray *waiting, const TlSpecStage *stage)
{
  for (guint i = 0; i < stage->needs->len; i++) {
    if (find_stage (waiting, ((TlSpecText *) stage->needs->pdata[i])->text))
      return FALSE;
  }
  return TRUE;
}

static TlSpecStage *
steal_ready (GPtrArray *waiting)
{
  for (guint i = 0; i < waiting->len; i++) {
    if (is_ready (waiting, waiting->pdata[i]))
      return g_ptr_array_steal_index (waiting, i);
  }
  return NULL;
}

void
tl_names_order_stages (GPtrArray *stages, TlDiagnostics *diagnostics)
{
  g_autoptr (GPtrArray) waiting = NULL;
  TlSpecStage *stage;
  guint n;

  for (guint i = 0; i < stages->len; i++)
    check_needs (stages, stages->pdata[i], diagnostics);
  waiting = g_ptr_array_new ();
  for (n = stages->len; n > 0; n--)
    g_ptr_array_insert (waiting, 0, g_ptr_array_steal_index (stages, n - 1));
  while ((stage = steal_ready (waiting)))
    g_ptr_array_add (stages, stage);
  for (guint i = 0; i < waiting->len; i++) {
    stage = waiting->pdata[i];
    tl_diagnostics_error (diagnostics,
        ((TlSpecText *) stage->needs->pdata[0])->place, NULL,
        "the stages that \"%s\" needs wait for each other", stage->name);
    g_ptr_array_add (stages, stage);
  }
}
