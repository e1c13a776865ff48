/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsets.h"

#include "tlnames.h"
#include "tlnear.h"
#include "tlsteps.h"

#include <string.h>

typedef struct
{
  gchar *element; /* NULL: name is a variable */
  gchar *name;
  gchar *value;
  TlPlace place;
  TlPlace name_place;
  TlPlace value_place;
} Set;

struct _TlSets
{
  GPtrArray *sets; /* Set */
  TlDiagnostics *diagnostics;
};

static void
free_set (gpointer data)
{
  Set *set = data;

  g_free (set->element);
  g_free (set->name);
  g_free (set->value);
  g_free (set);
}

void
tl_sets_free (TlSets *self)
{
  if (!self)
    return;
  g_ptr_array_unref (self->sets);
  g_free (self);
}

/* ---- Parsing ---- */

/* NULL if it is neither of the two forms. The parts before the value are ASCII,
 * so that bytes are columns. */
static Set *
parse_set (const gchar *argument, guint source)
{
  const gchar *equals = strchr (argument, '=');
  TlPlace place = {source, 1, 1};
  Set *set = g_new0 (Set, 1);
  gchar *dot;

  if (equals) {
    set->name = g_strndup (argument, equals - argument);
    set->value = g_strdup (equals + 1);
    set->place = set->name_place = set->value_place = place;
    set->value_place.column = equals + 2 - argument;
    dot = strchr (set->name, '.');
    if (dot) {
      set->name_place.column = dot + 2 - set->name;
      set->element = g_strndup (set->name, dot - set->name);
      memmove (set->name, dot + 1, strlen (dot));
    }
    if (tl_vars_is_name (set->name)
        && (!set->element || tl_vars_is_name (set->element)))
      return set;
  }
  free_set (set);
  return NULL;
}

static void
add_set (TlSets *self, const gchar *argument)
{
  gsize size = strlen (argument);
  guint source = tl_diagnostics_add_source (self->diagnostics, "--set", NULL,
      argument, size);
  TlPlace place = {source, 1, 1};
  Set *set;

  if (!g_utf8_validate (argument, size, NULL)) {
    tl_diagnostics_error (self->diagnostics, place, NULL, "this is not UTF-8");
    return;
  }
  set = parse_set (argument, source);
  if (set)
    g_ptr_array_add (self->sets, set);
  else
    tl_diagnostics_error (self->diagnostics, place, NULL,
        "expected NAME=VALUE or ELEMENT.PROPERTY=VALUE");
}

TlSets *
tl_sets_parse (const gchar *const *arguments, TlDiagnostics *diagnostics)
{
  TlSets *self = g_new0 (TlSets, 1);

  self->sets = g_ptr_array_new_with_free_func (free_set);
  self->diagnostics = diagnostics;
  for (guint i = 0; arguments && arguments[i]; i++)
    add_set (self, arguments[i]);
  return self;
}

/* ---- Variables ---- */

void
tl_sets_apply_to_vars (const TlSets *self, TlVars *vars)
{
  for (guint i = 0; i < self->sets->len; i++) {
    const Set *set = self->sets->pdata[i];

    if (!set->element)
      tl_vars_set (vars, set->name, set->value, set->place);
  }
}

/* ---- Properties ---- */

static void
remove_property (TlSpecStep *step, const gchar *name)
{
  for (guint i = 0; i < step->properties->len; i++) {
    const TlSpecProperty *property = step->properties->pdata[i];

    if (g_str_equal (property->name, name)) {
      g_ptr_array_remove_index (step->properties, i);
      return;
    }
  }
}

static void
set_property (TlSpecStep *step, const Set *set)
{
  TlSpecProperty *property =
      tl_spec_property_new (set->name, set->name_place, set->value_place);

  g_ptr_array_add (property->values,
      tl_spec_text_new (set->value, set->value_place));
  remove_property (step, set->name);
  g_ptr_array_add (step->properties, property);
}

static void
report_unknown (const TlSets *self, const Set *set, GPtrArray *stages)
{
  g_autofree gchar *suggestion = NULL;
  TlNear near;

  tl_near_init (&near, set->element);
  for (guint i = 0; i < stages->len; i++)
    tl_names_offer (stages->pdata[i], &near);
  suggestion = tl_near_suggest (&near);
  tl_diagnostics_error (self->diagnostics, set->place, NULL,
      "the file has no element \"%s\"%s", set->element, suggestion);
}

static void
apply_set (const TlSets *self, const Set *set, GPtrArray *stages)
{
  gboolean found = FALSE, has_properties = FALSE;

  if (g_str_equal (set->name, "name") || g_str_equal (set->name, "branches")) {
    tl_diagnostics_error (self->diagnostics, set->name_place, NULL,
        "\"%s\" can be given in the file only", set->name);
    return;
  }
  for (guint i = 0; i < stages->len; i++) {
    TlSpecStep *step = tl_names_find (stages->pdata[i], set->element);

    found |= step != NULL;
    if (!step || step->kind != TL_STEP_ELEMENT)
      continue;
    has_properties = TRUE;
    set_property (step, set);
  }
  if (!found)
    report_unknown (self, set, stages);
  else if (!has_properties)
    tl_diagnostics_error (self->diagnostics, set->place, NULL,
        "\"%s\" is a text, not an element with properties", set->element);
}

void
tl_sets_apply_to_elements (const TlSets *self, GPtrArray *stages)
{
  for (guint i = 0; i < self->sets->len; i++) {
    const Set *set = self->sets->pdata[i];

    if (set->element)
      apply_set (self, set, stages);
  }
}
