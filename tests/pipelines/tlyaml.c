/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlyaml.h"

#include <gst/check/gstcheck.h>
#include <string.h>

/* From the plugin's own object. */
const GstPluginDesc *gst_plugin_tlpipe_get_desc (void);

void
tl_yaml_register (void)
{
  const GstPluginDesc *desc = gst_plugin_tlpipe_get_desc ();

  g_assert_true (gst_plugin_register_static (desc->major_version,
      desc->minor_version, desc->name, desc->description, desc->plugin_init,
      desc->version, desc->license, desc->source, desc->package, desc->origin));
}

gchar *
tl_yaml_mistakes (const gchar *text, gssize size, const gchar *const *sets)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  g_autoptr (TlSpec) spec = tl_spec_load_text ("f.yaml", text,
      size < 0 ? strlen (text) : (gsize) size, sets, diagnostics);
  guint n_errors = tl_diagnostics_count_errors (diagnostics);

  fail_unless (spec || n_errors > 0);
  if (spec)
    fail_unless_equals_int (tl_build_check (spec, diagnostics),
        tl_diagnostics_count_errors (diagnostics) == 0);
  return tl_diagnostics_to_string (diagnostics);
}

TlSpec *
tl_yaml_load (const gchar *text, const gchar *const *sets)
{
  g_autoptr (TlDiagnostics) diagnostics = tl_diagnostics_new ();
  TlSpec *spec =
      tl_spec_load_text ("f.yaml", text, strlen (text), sets, diagnostics);
  g_autofree gchar *mistakes = NULL;

  if (spec)
    tl_build_check (spec, diagnostics);
  mistakes = tl_diagnostics_to_string (diagnostics);
  fail_unless (tl_diagnostics_count_errors (diagnostics) == 0, "%s", mistakes);
  return spec;
}
