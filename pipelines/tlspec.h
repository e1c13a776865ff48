/* SPDX-License-Identifier: BSD-3-Clause */

/* A pipeline file as plain structs: variables put in, includes read, stages in
 * the order in which they run, every element with its name. Whether elements
 * and properties exist is not asked here; see tlbuild.h. Knows no GStreamer.
 *
 * The structs belong to their TlSpec and are not changed after it was loaded. */

#ifndef TL_SPEC_H
#define TL_SPEC_H

#include "tldiagnostics.h"

G_BEGIN_DECLS

#define TL_SPEC_MAX_STEPS 1000  /* of a file */
#define TL_SPEC_MAX_INCLUDES 20 /* files, the first one included */

typedef enum
{
  TL_STEP_ELEMENT,
  TL_STEP_CAPS,
  TL_STEP_LAUNCH,
  TL_STEP_BAD, /* an error told about it; nothing is known of it */
} TlStepKind;

/* A text with its variables put in, and where it was written. */
typedef struct
{
  gchar *text;
  TlPlace place;
} TlSpecText;

typedef struct
{
  gchar *name;
  TlPlace place;       /* of the name */
  TlPlace value_place; /* of the value as a whole */
  gboolean is_list;
  GPtrArray *values; /* TlSpecText: exactly one unless is_list */
} TlSpecProperty;

typedef struct
{
  TlStepKind kind;
  TlSpecText text;     /* factory name, caps, or gst-launch text */
  gchar *name;         /* unique in its stage */
  TlPlace name_place;  /* where it was given; the step's, if it was not */
  gboolean is_named;   /* the name was given in the file */
  gboolean is_implied; /* a queue that nobody wrote, at the head of a branch */
  GPtrArray *properties; /* TlSpecProperty, each name once */
  GPtrArray *branches;   /* TlSpecChain; empty for most */
} TlSpecStep;

typedef struct
{
  gchar *name; /* of a branch; NULL otherwise */
  TlPlace place;
  GPtrArray *steps; /* TlSpecStep, never empty; one links to the next */
} TlSpecChain;

/* One "a.src_1 -> mux.video_0". */
typedef struct
{
  gchar *from_element;
  gchar *from_pad; /* NULL: any */
  gchar *to_element;
  gchar *to_pad; /* NULL: any */
  TlPlace place;
} TlSpecLink;

typedef struct
{
  gchar *name;        /* NULL in a file without stages */
  gchar *description; /* or NULL */
  TlPlace place;
  GPtrArray *chains; /* TlSpecChain */
  GPtrArray *links;  /* TlSpecLink */
  GPtrArray *needs;  /* TlSpecText: names of stages that come before */
} TlSpecStage;

typedef struct
{
  gchar *description; /* or NULL */
  GPtrArray *stages;  /* TlSpecStage, in the order in which they run */
} TlSpec;

/* Loads the file at @path. @sets are the arguments of --set, "NAME=VALUE" or
 * "ELEMENT.PROPERTY=VALUE", NULL-terminated; NULL is none. A later one wins.
 *
 * With mistakes in @diagnostics the result is what could be understood, so that
 * tl_build_check() can look for more mistakes in it; NULL if that was nothing.
 * *Transferred*. */
TlSpec *tl_spec_load (const gchar *path, const gchar *const *sets,
    TlDiagnostics *diagnostics);
/* The same for a text of @size bytes; @name stands for the path in messages,
 * and includes are looked for beside it. */
TlSpec *tl_spec_load_text (const gchar *name, const gchar *text, gsize size,
    const gchar *const *sets, TlDiagnostics *diagnostics);
void tl_spec_free (TlSpec *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlSpec, tl_spec_free)

/* Borrowed; NULL if there is none. */
const TlSpecStage *tl_spec_find_stage (const TlSpec *self, const gchar *name);

G_END_DECLS

#endif
