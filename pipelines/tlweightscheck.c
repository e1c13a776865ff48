/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlweightscheck.h"

#include <string.h>

#include <tlarch.h>
#include <tlbytes.h>
#include <tlcheckpoint.h>
#include <tlmodelfile.h>
#include <tlweightscache.h>

#include "tljsonline.h"

typedef struct
{
  const TlModelFile *file;
  GArray *tensors; /* TlTensor, the model's */
  const TlArch *arch;
  guint32 n_classes; /* 0: no usable head */
  gboolean is_checkpoint;
  gchar sha256[TL_SHA256_HEX_SIZE];
} Found;

/* The optimizer's tensors in a checkpoint are not the model's. */
static GArray *
select_model (const TlModelFile *file, gboolean is_checkpoint)
{
  GArray *selected = g_array_new (FALSE, FALSE, sizeof (TlTensor));
  size_t n;
  const TlTensor *tensors = tl_model_file_tensors (file, &n);

  for (size_t i = 0; i < n; i++) {
    if (!is_checkpoint
        || !g_str_has_prefix (tensors[i].name, TL_OPTIMIZER_PREFIX))
      g_array_append_val (selected, tensors[i]);
  }
  return selected;
}

/* As torchvision counts: without the buffers of BatchNorm. */
static guint64
count_parameters (const Found *found)
{
  guint64 n = 0;

  for (guint i = 0; i < found->tensors->len; i++) {
    const TlTensor *tensor = &g_array_index (found->tensors, TlTensor, i);

    if (!g_str_has_suffix (tensor->name, ".running_mean")
        && !g_str_has_suffix (tensor->name, ".running_var")
        && !g_str_has_suffix (tensor->name, ".num_batches_tracked"))
      n += (guint64) tl_tensor_numel (tensor);
  }
  return n;
}

/* "F32", "F32 and I64": in the order of their first tensors. *transferred*. */
static gchar *
list_dtypes (const Found *found)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; i < found->tensors->len; i++) {
    const TlTensor *tensor = &g_array_index (found->tensors, TlTensor, i);
    gchar *name = (gchar *) tl_dtype_name (tensor->dtype);

    if (!g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
      g_ptr_array_add (names, name);
  }
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" and ", (gchar **) names->pdata);
}

static const gchar *
describe_digest (const gchar *path, const TlKnownWeights *known)
{
  char digits[9];

  if (known)
    return strlen (known->sha256) == 64 ? "known" : "known-prefix";
  return tl_model_file_name_digest (path, digits) ? "name" : "unknown";
}

static void
write_lines (TlOutput *output, const gchar *path, const Found *found,
    const TlKnownWeights *known, const gchar *dtypes)
{
  g_autofree gchar *classes = found->n_classes > 0
      ? g_strdup_printf ("for %u classes", found->n_classes)
      : g_strdup ("without a head");

  tl_output_line (output,
      "%s: good: %s%s, %s %s, %u tensors of %s, %s parameters", path,
      tl_model_file_kind_name (tl_model_file_kind (found->file)),
      found->is_checkpoint ? " checkpoint of tlpipe" : "", found->arch->name,
      classes, found->tensors->len, dtypes,
      tl_show_number (count_parameters (found)).text);
  if (known)
    tl_output_line (output, "  sha256 %s: torchvision's %s (%s, v%u)",
        found->sha256, known->file, known->arch, known->version);
  else
    tl_output_line (output, "  sha256 %s: none of torchvision's files%s",
        found->sha256,
        g_str_equal (describe_digest (path, NULL), "name")
            ? ", but the one that its name says"
            : "");
}

static void
write_found (TlOutput *output, const gchar *path, const Found *found)
{
  const TlKnownWeights *known = tl_known_weights_find_sha256 (found->sha256);
  GString *line = tl_json_line_new ("weights-file");
  g_autofree gchar *dtypes = list_dtypes (found);

  tl_json_line_add_text (line, "file", path);
  tl_json_line_add_truth (line, "good", TRUE);
  tl_json_line_add_text (line, "kind",
      tl_model_file_kind_name (tl_model_file_kind (found->file)));
  tl_json_line_add_truth (line, "checkpoint", found->is_checkpoint);
  tl_json_line_add_text (line, "arch", found->arch->name);
  if (found->n_classes > 0)
    tl_json_line_add_count (line, "classes", found->n_classes);
  tl_json_line_add_count (line, "tensors", found->tensors->len);
  tl_json_line_add_text (line, "dtypes", dtypes);
  tl_json_line_add_count (line, "parameters", count_parameters (found));
  tl_json_line_add_text (line, "sha256", found->sha256);
  tl_json_line_add_text (line, "digest", describe_digest (path, known));
  tl_json_line_add_text (line, "name", known ? known->name : NULL);
  tl_output_json (output, line);
  write_lines (output, path, found, known, dtypes);
}

static gboolean
fail (TlOutput *output, const gchar *path, const gchar *text)
{
  GString *line = tl_json_line_new ("weights-file");

  tl_json_line_add_text (line, "file", path);
  tl_json_line_add_truth (line, "good", FALSE);
  tl_json_line_add_text (line, "text", text);
  tl_output_json (output, line);
  tl_output_error (output, "%s", text);
  return FALSE;
}

static gboolean
look_into (TlOutput *output, const gchar *path, const TlModelFile *file)
{
  gboolean is_checkpoint = tl_model_file_lookup (file, TL_KEY_VERSION) != NULL;
  g_autoptr (GArray) tensors = select_model (file, is_checkpoint);
  Found found = {file, tensors, .is_checkpoint = is_checkpoint};
  TlError error = TL_ERROR_INIT;

  if (tl_arch_recognise ((const TlTensor *) tensors->data, tensors->len,
          &found.arch, &found.n_classes, &error)
      != TL_OK) {
    g_autofree gchar *text =
        g_strdup_printf ("%s is not a ResNet that tlpipe knows: %s", path,
            error.message);

    return fail (output, path, text);
  }
  tl_model_file_sha256 (file, found.sha256);
  write_found (output, path, &found);
  return TRUE;
}

gboolean
tl_weights_check_file (TlOutput *output, const gchar *name)
{
  g_autofree gchar *path = NULL;
  TlError error = TL_ERROR_INIT;
  TlModelFile *file;
  gboolean is_good;

  if (tl_weights_cache_resolve (name, "auto", &path, &error) != TL_OK
      || tl_model_file_open (path, &file, &error) != TL_OK)
    return fail (output, path ? path : name, error.message);
  is_good = look_into (output, path, file);
  tl_model_file_free (file);
  return is_good;
}
