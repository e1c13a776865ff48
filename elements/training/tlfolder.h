/* SPDX-License-Identifier: BSD-3-Clause */

/* A folder that one run writes to: created, locked, and watched for being
 * another one in the meantime.
 *
 * The lock is flock() on the folder itself. It leaves no file behind, ends with
 * the process however that ends, and holds whatever path leads to the folder,
 * also within one process. */

#ifndef TL_FOLDER_H
#define TL_FOLDER_H

#include <glib.h>

#include <tlstatus.h>

G_BEGIN_DECLS

typedef struct TlFolder TlFolder;

/* Creates the folder at @location, with its parents, where it is missing,
 * brings each that is new to the disk, looks whether files can be created in it
 * and locks it. TL_ERROR_WRITE and a sentence for the user if not; one that is
 * locked already names the process, where that can be found out.
 * *transferred*. */
TlStatus tl_folder_claim (const gchar *location, TlFolder **ret,
    TlError *error);

/* Unlocks. Accepts NULL. */
void tl_folder_release (TlFolder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlFolder, tl_folder_release)

/* Why the file system did not lock the folder, an errno; 0 if it did. */
gint tl_folder_get_lock_error (const TlFolder *self);

/* TL_ERROR_WRITE if the folder that was claimed is not the one at its location
 * any more. */
TlStatus tl_folder_check (const TlFolder *self, TlError *error);

/* Whether it was claimed as @location and is still there. */
gboolean tl_folder_is_at (const TlFolder *self, const gchar *location);

G_END_DECLS

#endif
