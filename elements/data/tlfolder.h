/* SPDX-License-Identifier: BSD-3-Clause */

/* What lies in a folder of pictures, by the rules of torchvision's ImageFolder
 * (torchvision/datasets/folder.py): classes are the sorted sub-folders; files
 * are found recursively, links followed, and told by their extension; the
 * order is that of the folder's path, then of the name, byte by byte.
 *
 * On purpose otherwise: hidden folders (.ipynb_checkpoints) are left out, a
 * link to a folder above itself is not followed, and a folder that cannot be
 * read is an error. */

#ifndef TL_FOLDER_H
#define TL_FOLDER_H

#include <glib.h>

G_BEGIN_DECLS

/* Error domain of the data set; the code is a TlStatus and the message a
 * sentence a user can act on. */
#define TL_DATASET_ERROR (tl_dataset_error_quark ())
GQuark tl_dataset_error_quark (void);

/* Deepest nesting of folders, and most files of a data set. */
#define TL_FOLDER_MAX_DEPTH 64
#define TL_DATASET_MAX_FILES 20000000

/* The extensions that count as pictures, for messages. */
#define TL_FOLDER_EXTENSIONS ".jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp"

/* What was seen and not taken, counted. */
typedef struct
{
  GHashTable *extensions; /* lower-case extension -> GUINT_TO_POINTER (n) */
  guint64 n_files;
  guint64 n_hidden; /* hidden folders */
  guint64 n_cycles; /* links to a folder above themselves */
} TlLeftOut;

void tl_left_out_init (TlLeftOut *self);
void tl_left_out_clear (TlLeftOut *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TlLeftOut, tl_left_out_clear)

/* "1 file (.gif)..." for the user; NULL if nothing was. *transferred*. */
gchar *tl_left_out_to_string (const TlLeftOut *self);

/* TRUE for the name of a picture; case does not matter. */
gboolean tl_folder_is_picture (const gchar *name);

/* The sorted names of the sub-folders of @folder, hidden ones counted in
 * @left_out (may be NULL) and left out. NULL with @error NOT_FOUND or READ. The
 * array, *transferred*, frees its strings. */
GPtrArray *tl_folder_list_folders (const gchar *folder, TlLeftOut *left_out,
    GError **error);

/* Appends the paths, relative to @root, of all pictures at and below
 * @root/@below to @paths, in order; the array gets strings to be freed with
 * g_free. Errors: READ, LIMIT. */
gboolean tl_folder_list_pictures (const gchar *root, const gchar *below,
    GPtrArray *paths, TlLeftOut *left_out, GError **error);

G_END_DECLS

#endif
