/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlorigin.h"

#include <tlfail.h>
#include <tlknownweights.h>

/* Digits of a digest that people compare. */
#define SHOWN "%.12s"

/* Also where the file is a checkpoint of the run itself, which has replaced the
 * one it began with. */
static gboolean
is_origin (const TlWeights *file, const gchar *sha256)
{
  const TlState *state = tl_weights_state (file);

  return strcmp (tl_weights_sha256 (file), sha256) == 0
      || (state && strcmp (state->weights_sha256, sha256) == 0);
}

static TlStatus
refuse (const TlWeights *checkpoint, const gchar *weights, const gchar *sha256,
    TlError *error)
{
  return tl_fail (error, TL_ERROR_ARGUMENT,
      "The run of %.300s began with other weights (sha256 " SHOWN
      ") than weights=%.300s (" SHOWN
      "). To resume it, set weights back or leave it out; to train from these "
      "weights, leave out resume.",
      tl_weights_path (checkpoint),
      tl_weights_state (checkpoint)->weights_sha256, weights, sha256);
}

TlStatus
tl_origin_check (const TlWeights *checkpoint, const gchar *weights,
    TlError *error)
{
  const TlState *state = tl_weights_state (checkpoint);
  g_autoptr (TlWeights) file = NULL;
  const TlKnownWeights *known;
  TlError ignored = TL_ERROR_INIT;

  if (!state)
    return tl_fail (error, TL_ERROR_ARGUMENT,
        "resume=%s has weights only, not the state of a run: set weights to "
        "it, or resume to a checkpoint that checkpointsink wrote.",
        tl_weights_path (checkpoint));
  if (*weights == '\0' || strcmp (weights, state->weights_sha256) == 0)
    return TL_OK;
  if (strcmp (weights, "random") == 0)
    return refuse (checkpoint, weights, "drawn from the seed", error);
  known = tl_known_weights_find (weights, state->arch);
  if (known)
    return g_str_has_prefix (state->weights_sha256, known->sha256)
        ? TL_OK
        : refuse (checkpoint, weights, known->sha256, error);
  if (tl_weights_open (weights, "auto", &file, &ignored) != TL_OK
      || is_origin (file, state->weights_sha256))
    return TL_OK;
  return refuse (checkpoint, weights, tl_weights_sha256 (file), error);
}
