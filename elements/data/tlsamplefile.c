/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlsamplefile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tlstatus.h>

#include "tlfolder.h"

static gboolean
fail (GError **error, TlStatus status, const gchar *reason)
{
  g_set_error_literal (error, TL_DATASET_ERROR, status, reason);
  return FALSE;
}

static gboolean
check_file (gint fd, gsize *size, GError **error)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return fail (error, TL_ERROR_READ, g_strerror (errno));
  if (!S_ISREG (st.st_mode))
    return fail (error, TL_ERROR_READ, "it is no regular file");
  if (st.st_size == 0)
    return fail (error, TL_ERROR_FORMAT, "the file is empty");
  if (st.st_size > TL_SAMPLE_FILE_MAX_SIZE)
    return fail (error, TL_ERROR_LIMIT, "the file is larger than 512 MiB");
  *size = st.st_size;
  return TRUE;
}

static gboolean
read_all (gint fd, guint8 *bytes, gsize size, GError **error)
{
  for (gsize done = 0; done < size;) {
    gssize n = read (fd, bytes + done, size - done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail (error, TL_ERROR_READ, g_strerror (errno));
    if (n == 0)
      return fail (error, TL_ERROR_READ, "the file got shorter while read");
    done += n;
  }
  return TRUE;
}

static guint8 *
read_file (gint fd, gsize *size, GError **error)
{
  g_autofree guint8 *bytes = NULL;

  if (!check_file (fd, size, error))
    return NULL;
  bytes = g_try_malloc (*size);
  if (!bytes) {
    fail (error, TL_ERROR_MEMORY, "there is no memory for the file");
    return NULL;
  }
  return read_all (fd, bytes, *size, error) ? g_steal_pointer (&bytes) : NULL;
}

guint8 *
tl_sample_file_read (const gchar *path, gsize *size, GError **error)
{
  /* Not blocking: opening a FIFO would wait for a writer. */
  gint fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  guint8 *bytes;

  if (fd < 0) {
    fail (error, errno == ENOENT ? TL_ERROR_NOT_FOUND : TL_ERROR_READ,
        g_strerror (errno));
    return NULL;
  }
  bytes = read_file (fd, size, error);
  close (fd);
  return bytes;
}

const gchar *
tl_sample_file_media_type (const guint8 *bytes, gsize size)
{
  static const struct
  {
    gsize at, n;
    const gchar *magic, *type;
  } kinds[] = {
      {0, 3, "\xff\xd8\xff", "image/jpeg"},
      {0, 8, "\x89PNG\r\n\x1a\n", "image/png"},
      {0, 2, "BM", "image/bmp"},
      {8, 4, "WEBP", "image/webp"},
      {0, 4, "II*\0", "image/tiff"},
      {0, 4, "MM\0*", "image/tiff"},
      {0, 2, "P1", "image/x-portable-bitmap"},
      {0, 2, "P4", "image/x-portable-bitmap"},
      {0, 2, "P3", "image/x-portable-pixmap"},
      {0, 2, "P6", "image/x-portable-pixmap"},
      {0, 2, "P2", "image/x-portable-graymap"},
      {0, 2, "P5", "image/x-portable-graymap"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (size >= kinds[i].at + kinds[i].n
        && memcmp (bytes + kinds[i].at, kinds[i].magic, kinds[i].n) == 0)
      return kinds[i].type;
  }
  return NULL;
}
