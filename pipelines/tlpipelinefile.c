/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlpipelinefile.h"

#include <string.h>

#include "tlbuild.h"
#include "tljsonline.h"
#include "tlnear.h"

static void
write_object (TlOutput *output, const TlDiagnostics *diagnostics,
    const TlDiagnostic *d)
{
  GString *line = tl_json_line_new (d->warning ? "warning" : "error");

  tl_json_line_add_text (line, "file",
      tl_diagnostics_get_name (diagnostics, d->place.source));
  if (d->place.line > 0) {
    tl_json_line_add_count (line, "line", d->place.line);
    tl_json_line_add_count (line, "column", d->place.column);
  }
  tl_json_line_add_text (line, "text", d->message);
  tl_json_line_add_text (line, "notes", d->notes);
  tl_output_json (output, line);
}

static void
write_diagnostics (TlOutput *output, TlDiagnostics *diagnostics)
{
  const TlDiagnostic *d;

  for (guint i = 0; (d = tl_diagnostics_get (diagnostics, i)); i++)
    write_object (output, diagnostics, d);
  tl_diagnostics_print (diagnostics, stderr, output->has_color);
}

/* Takes over @spec, which may be NULL. */
static TlSpec *
check (TlOutput *output, TlSpec *spec, TlDiagnostics *diagnostics)
{
  gboolean good = spec && tl_build_check (spec, diagnostics);

  write_diagnostics (output, diagnostics);
  if (good)
    return spec;
  tl_spec_free (spec);
  return NULL;
}

TlSpec *
tl_pipeline_file_load (TlOutput *output, const gchar *path,
    const gchar *const *sets)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();

  return check (output, tl_spec_load (path, sets, diagnostics), diagnostics);
}

TlSpec *
tl_pipeline_file_load_text (TlOutput *output, const gchar *name,
    const gchar *text, const gchar *const *sets)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();

  return check (output,
      tl_spec_load_text (name, text, strlen (text), sets, diagnostics),
      diagnostics);
}

GstElement *
tl_pipeline_file_build (TlOutput *output, const TlSpecStage *stage)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  GstElement *pipeline = tl_build_stage (stage, diagnostics);

  if (!pipeline)
    write_diagnostics (output, diagnostics);
  return pipeline;
}

static void
say_no_stage (TlOutput *output, const TlSpec *spec, const gchar *name)
{
  g_autofree gchar *suggestion = NULL;
  TlNear near;

  tl_near_init (&near, name);
  for (guint i = 0; i < spec->stages->len; i++) {
    const TlSpecStage *stage = spec->stages->pdata[i];

    if (stage->name)
      tl_near_offer (&near, stage->name);
  }
  suggestion = tl_near_suggest (&near);
  tl_output_error (output, "the file has no stage \"%s\"%s", name, suggestion);
}

GPtrArray *
tl_pipeline_file_choose (TlOutput *output, const TlSpec *spec,
    const gchar *name)
{
  GPtrArray *chosen = g_ptr_array_new ();

  for (guint i = 0; i < spec->stages->len; i++) {
    TlSpecStage *stage = spec->stages->pdata[i];

    if (!name || g_strcmp0 (stage->name, name) == 0)
      g_ptr_array_add (chosen, stage);
  }
  if (chosen->len > 0)
    return chosen;
  say_no_stage (output, spec, name);
  g_ptr_array_unref (chosen);
  return NULL;
}
