/* SPDX-License-Identifier: BSD-3-Clause */

/* A pipeline file with the files it includes, as trees. Part of tlspec. */

#ifndef TL_SPEC_FILE_H
#define TL_SPEC_FILE_H

#include "tlvars.h"

G_BEGIN_DECLS

typedef struct
{
  const TlNode *key; /* its name */
  const TlNode *value;
} TlSpecFileStage;

/* What all files together say; the nodes belong to the documents. */
typedef struct
{
  const TlNode *description; /* or NULL */
  const TlNode *pipeline;    /* or NULL; then there are stages, or nothing */
  const TlNode *links;       /* of pipeline, or NULL */
  GArray *stages;            /* TlSpecFileStage */
  TlVars *vars;
  GPtrArray *documents; /* TlDocument */
} TlSpecFile;

/* Reads @text as the file @path, and what it includes. NULL if nothing of it
 * could be understood. *Transferred*. */
TlSpecFile *tl_spec_file_read_text (const gchar *path, const gchar *text,
    gsize size, TlDiagnostics *diagnostics);
TlSpecFile *tl_spec_file_read (const gchar *path, TlDiagnostics *diagnostics);
void tl_spec_file_free (TlSpecFile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlSpecFile, tl_spec_file_free)

/* An error for every key of the mapping @node that is not in @known
 * (NULL-terminated) and does not begin with "x-". @what says whose keys they
 * are. */
void tl_spec_file_check_keys (const TlNode *node, const gchar *what,
    const gchar *const *known, TlDiagnostics *diagnostics);

G_END_DECLS

#endif
