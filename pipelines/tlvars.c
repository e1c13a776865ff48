/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlvars.h"

#include "tlnear.h"

#include <string.h>

typedef enum
{
  STATE_UNKNOWN,
  STATE_OPEN, /* being expanded: whoever comes back here goes in a circle */
  STATE_DONE,
  STATE_BAD, /* its mistake has been reported */
} State;

typedef struct
{
  const TlNode *key;
  const TlNode *value;
  State state;
  gchar *text; /* in STATE_DONE */
} Var;

struct _TlVars
{
  GHashTable *vars; /* name -> Var */
  GPtrArray *order; /* Var, as they were added: for the same errors each time */
  TlDiagnostics *diagnostics;
  gsize total; /* bytes of all texts so far */
  guint depth;
};

/* One text that is being expanded. */
typedef struct
{
  TlVars *vars;
  const TlNode *node;
  GString *out;
} Expansion;

static gboolean expand_range (Expansion *self, const gchar *text,
    const gchar *end);

static void
free_var (gpointer data)
{
  Var *var = data;

  g_free (var->text);
  g_free (var);
}

TlVars *
tl_vars_new (TlDiagnostics *diagnostics)
{
  TlVars *self = g_new0 (TlVars, 1);

  self->diagnostics = diagnostics;
  self->vars = g_hash_table_new (g_str_hash, g_str_equal);
  self->order = g_ptr_array_new_with_free_func (free_var);
  return self;
}

void
tl_vars_free (TlVars *self)
{
  if (!self)
    return;
  g_hash_table_unref (self->vars);
  g_ptr_array_unref (self->order);
  g_free (self);
}

/* ---- Definitions ---- */

static gboolean
is_name_char (gchar c)
{
  return g_ascii_isalnum (c) || c == '_' || c == '-';
}

static gsize
span_name (const gchar *text, const gchar *end)
{
  const gchar *c = text;

  while (c < end && is_name_char (*c))
    c++;
  return g_ascii_isdigit (*text) || *text == '-' ? 0 : c - text;
}

gboolean
tl_vars_is_name (const gchar *text)
{
  gsize length = strlen (text);

  return length > 0 && span_name (text, text + length) == length;
}

static void
report_dir (TlVars *self, TlPlace place)
{
  tl_diagnostics_error (self->diagnostics, place, NULL,
      "\"DIR\" is the folder of the file and cannot be another");
}

static void
add_var (TlVars *self, const TlNode *key, const TlNode *value)
{
  Var *var = g_hash_table_lookup (self->vars, key->text);

  if (g_str_equal (key->text, "DIR")) {
    report_dir (self, key->place);
    return;
  }
  if (!tl_vars_is_name (key->text)) {
    tl_diagnostics_error (self->diagnostics, key->place, NULL,
        "\"%s\" is no name for a variable: letters, digits, - and _",
        key->text);
    return;
  }
  if (!var) {
    var = g_new0 (Var, 1);
    g_ptr_array_add (self->order, var);
    g_hash_table_insert (self->vars, key->text, var);
  }
  var->key = key;
  var->value = value;
  var->state = STATE_UNKNOWN;
  if (value->kind != TL_NODE_SCALAR) {
    tl_diagnostics_error (self->diagnostics, value->place, NULL,
        "the variable \"%s\" must be a text", key->text);
    var->state = STATE_BAD;
  }
}

void
tl_vars_add (TlVars *self, const TlNode *mapping)
{
  if (mapping->kind != TL_NODE_MAPPING) {
    if (!tl_node_is_null (mapping))
      tl_diagnostics_error (self->diagnostics, mapping->place, NULL,
          "vars is a mapping, such as {name: value}");
    return;
  }
  for (guint i = 0; i < mapping->keys->len; i++)
    add_var (self, mapping->keys->pdata[i], mapping->values->pdata[i]);
}

static gchar *
suggest_name (const TlVars *self, const gchar *name)
{
  TlNear near;

  tl_near_init (&near, name);
  tl_near_offer (&near, "DIR");
  for (guint i = 0; i < self->order->len; i++)
    tl_near_offer (&near, ((Var *) self->order->pdata[i])->key->text);
  return tl_near_suggest (&near);
}

gboolean
tl_vars_set (TlVars *self, const gchar *name, const gchar *text, TlPlace place)
{
  Var *var = g_hash_table_lookup (self->vars, name);
  g_autofree gchar *suggestion = NULL;

  if (var) {
    g_free (var->text);
    var->text = g_strdup (text);
    var->state = STATE_DONE;
    return TRUE;
  }
  if (g_str_equal (name, "DIR")) {
    report_dir (self, place);
    return FALSE;
  }
  suggestion = suggest_name (self, name);
  tl_diagnostics_error (self->diagnostics, place, NULL,
      "the file has no variable \"%s\"%s", name, suggestion);
  return FALSE;
}

/* ---- Places in a text ---- */

static guint
count_references (const gchar *text, const gchar *end)
{
  guint n = 0;

  for (; text + 1 < end; text++)
    n += text[0] == '$' && text[1] == '{';
  return n;
}

/* Where the "${" at @at of the node's text is in the file. Quotes, escapes and
 * line breaks have been taken out of the text, so it is looked for again: the
 * n-th in the text is the n-th in the file. */
static TlPlace
find_reference (const Expansion *self, const gchar *at)
{
  const TlDiagnostics *diagnostics = self->vars->diagnostics;
  guint n = count_references (self->node->text, at + 1);
  TlPlace place = self->node->place;
  gsize size;
  const gchar *line;

  while ((line = tl_diagnostics_get_line (diagnostics, place.source, place.line,
              &size))) {
    const gchar *end = line + size;
    guint column = 1;

    for (; line + 1 < end; line = g_utf8_next_char (line), column++) {
      if (place.line == self->node->place.line
          && column < self->node->place.column)
        continue;
      if (line[0] == '$' && line[1] == '{' && n-- == 0) {
        place.column = column;
        return place;
      }
    }
    place.line++;
  }
  return self->node->place;
}

/* ---- Expansion ---- */

static gboolean
append (Expansion *self, const gchar *text, gsize length)
{
  TlVars *vars = self->vars;

  if (self->out->len + length > TL_VARS_MAX_LENGTH
      || vars->total + length > TL_VARS_MAX_TOTAL) {
    tl_diagnostics_error (vars->diagnostics, self->node->place, NULL,
        "with its variables put in, this is more than %d bytes",
        TL_VARS_MAX_LENGTH);
    return FALSE;
  }
  vars->total += length;
  g_string_append_len (self->out, text, length);
  return TRUE;
}

/* Brings @var into STATE_DONE or STATE_BAD. */
static void
expand_var (TlVars *self, Var *var)
{
  if (var->state != STATE_UNKNOWN || tl_node_is_null (var->value))
    return;
  var->state = STATE_OPEN;
  self->depth++;
  var->text = tl_vars_expand (self, var->value);
  self->depth--;
  var->state = var->text ? STATE_DONE : STATE_BAD;
}

/* The value of @name, borrowed; NULL if it has none. *@ok is FALSE after an
 * error. */
static const gchar *
look_up (Expansion *self, const gchar *name, const gchar *at, gboolean *ok)
{
  TlVars *vars = self->vars;
  Var *var = g_hash_table_lookup (vars->vars, name);
  const gchar *text;

  if (g_str_equal (name, "DIR"))
    return tl_diagnostics_get_folder (vars->diagnostics,
        self->node->place.source);
  if (var) {
    if (var->state == STATE_OPEN || vars->depth >= TL_VARS_MAX_DEPTH) {
      tl_diagnostics_error (vars->diagnostics, find_reference (self, at), NULL,
          var->state == STATE_OPEN
              ? "\"%s\" leads back to itself"
              : "\"%s\" is behind too many other variables",
          name);
      *ok = FALSE;
      return NULL;
    }
    expand_var (vars, var);
    *ok = var->state != STATE_BAD;
    if (var->state != STATE_UNKNOWN)
      return var->text;
  }
  text = g_getenv (name);
  return text && g_utf8_validate (text, -1, NULL) ? text : NULL;
}

static void
report_unknown (Expansion *self, const gchar *name, const gchar *at)
{
  TlVars *vars = self->vars;
  g_autofree gchar *suggestion = NULL;

  if (g_hash_table_contains (vars->vars, name)) {
    tl_diagnostics_error (vars->diagnostics, find_reference (self, at), NULL,
        "\"%s\" has no value: give it with --set %s=VALUE", name, name);
    return;
  }
  suggestion = suggest_name (vars, name);
  tl_diagnostics_error (vars->diagnostics, find_reference (self, at), NULL,
      "no variable \"%s\" in vars or in the environment%s", name, suggestion);
}

/* The "}" that closes what begins at @text; NULL if there is none. */
static const gchar *
find_close (const gchar *text, const gchar *end)
{
  guint depth = 0;

  for (; text < end; text++) {
    if (*text == '}' && depth-- == 0)
      return text;
    if (end - text >= 3 && strncmp (text, "$${", 3) == 0)
      text += 2;
    else if (end - text >= 2 && strncmp (text, "${", 2) == 0)
      depth++;
  }
  return NULL;
}

static gboolean
put_in (Expansion *self, const gchar *name, const gchar *at,
    const gchar *fallback, const gchar *close)
{
  gboolean ok = TRUE;
  const gchar *text = look_up (self, name, at, &ok);

  if (!ok)
    return FALSE;
  if (text && (*text || !fallback))
    return append (self, text, strlen (text));
  if (fallback)
    return expand_range (self, fallback, close);
  report_unknown (self, name, at);
  return FALSE;
}

/* The "${…}" at @at; *@next is what comes behind it. */
static gboolean
expand_reference (Expansion *self, const gchar *at, const gchar *end,
    const gchar **next)
{
  const gchar *name = at + 2, *close = find_close (name, end);
  const gchar *name_end = name + (name < end ? span_name (name, end) : 0);
  gboolean has_default =
      end - name_end >= 2 && strncmp (name_end, ":-", 2) == 0;
  g_autofree gchar *copy = g_strndup (name, name_end - name);

  if (!close || name_end == name || (name_end != close && !has_default)) {
    tl_diagnostics_error (self->vars->diagnostics, find_reference (self, at),
        NULL,
        close ? "expected ${NAME} or ${NAME:-default}; write $${ for the text "
                "\"${\""
              : "the } of this ${ is missing; write $${ for the text \"${\"");
    return FALSE;
  }
  *next = close + 1;
  return put_in (self, copy, at, has_default ? name_end + 2 : NULL, close);
}

/* Recursion: as deep as defaults are in each other, which is bounded below. */
static gboolean
expand_range (Expansion *self, const gchar *text, const gchar *end)
{
  gboolean ok = TRUE;

  while (text < end && !tl_diagnostics_is_full (self->vars->diagnostics)) {
    const gchar *dollar = memchr (text, '$', end - text);
    const gchar *stop = dollar ? dollar : end;

    if (!append (self, text, stop - text))
      return FALSE;
    if (!dollar)
      break;
    if (end - dollar >= 3 && strncmp (dollar, "$${", 3) == 0) {
      ok &= append (self, "${", 2);
      text = dollar + 3;
    } else if (end - dollar >= 2 && dollar[1] == '{') {
      text = end;
      ok &= expand_reference (self, dollar, end, &text);
    } else {
      ok &= append (self, "$", 1);
      text = dollar + 1;
    }
  }
  return ok;
}

/* How deep "${" are in each other at most. */
static guint
count_nesting (const gchar *text)
{
  guint depth = 0, max = 0;

  for (; *text; text++) {
    if (text[0] == '$' && text[1] == '{') {
      depth++;
      max = MAX (max, depth);
    } else if (*text == '}' && depth > 0) {
      depth--;
    }
  }
  return max;
}

gchar *
tl_vars_expand (TlVars *self, const TlNode *scalar)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Expansion expansion = {self, scalar, out};
  const gchar *text = scalar->text;

  if (count_nesting (text) > TL_VARS_MAX_DEPTH) {
    tl_diagnostics_error (self->diagnostics, scalar->place, NULL,
        "${ are nested deeper than %d", TL_VARS_MAX_DEPTH);
    return NULL;
  }
  if (!expand_range (&expansion, text, text + strlen (text)))
    return NULL;
  return g_string_free (g_steal_pointer (&out), FALSE);
}

void
tl_vars_check (TlVars *self)
{
  for (guint i = 0; i < self->order->len; i++)
    expand_var (self, self->order->pdata[i]);
}
