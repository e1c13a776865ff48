/* SPDX-License-Identifier: BSD-3-Clause */

/* What kind of file is this? By its bytes alone. Files that people have in
 * their folders of pictures and that are none that can be taken get a sentence
 * that says what they are. */

#include "tlfail.h"
#include "tlimageformat.h"

#include <ctype.h>
#include <string.h>

#define TAKEN "JPEG, PNG, WebP, BMP, TIFF and PNM are taken"

/* @n bytes at @offset. */
typedef struct
{
  TlImageKind kind;
  unsigned offset, n;
  const char *bytes;
} Magic;

static const Magic magics[] = {
    {TL_IMAGE_JPEG, 0, 3, "\xff\xd8\xff"},
    {TL_IMAGE_PNG, 0, 8, "\x89PNG\r\n\x1a\n"},
    {TL_IMAGE_BMP, 0, 2, "BM"},
    {TL_IMAGE_TIFF, 0, 4, "II*\0"},
    {TL_IMAGE_TIFF, 0, 4, "MM\0*"},
    {TL_IMAGE_TIFF, 0, 4, "II+\0"},
    {TL_IMAGE_TIFF, 0, 4, "MM\0+"},
};

typedef struct
{
  unsigned offset, n;
  const char *bytes;
  TlStatus status;
  const char *what;
} Foreign;

#define PICTURE(offset, n, bytes, what)                                        \
  {                                                                            \
    offset, n, bytes, TL_ERROR_UNSUPPORTED, what " picture"                    \
  }
#define OTHER(offset, n, bytes, what)                                          \
  {                                                                            \
    offset, n, bytes, TL_ERROR_FORMAT, what                                    \
  }

/* The first row that matches counts. */
static const Foreign foreigns[] = {
    PICTURE (0, 4, "GIF8", "a GIF"),
    PICTURE (4, 8, "ftypavif", "an AVIF"),
    PICTURE (4, 8, "ftypavis", "an AVIF"),
    PICTURE (4, 8, "ftypheic", "a HEIC"),
    PICTURE (4, 8, "ftypheix", "a HEIC"),
    PICTURE (4, 8, "ftyphevc", "a HEIC"),
    PICTURE (4, 8, "ftypmif1", "a HEIF"),
    PICTURE (4, 8, "ftypmsf1", "a HEIF"),
    PICTURE (128, 4, "DICM", "a DICOM"),
    PICTURE (0, 8, "\0\0\0\x0cjP  ", "a JPEG 2000"),
    PICTURE (0, 4, "\xff\x4f\xff\x51", "a JPEG 2000"),
    PICTURE (0, 8, "\0\0\0\x0cJXL ", "a JPEG XL"),
    PICTURE (0, 2, "\xff\x0a", "a JPEG XL"),
    PICTURE (0, 4, "8BPS", "a Photoshop"),
    PICTURE (0, 3, "P7\n", "a PAM"),
    PICTURE (0, 4, "\0\0\1\0", "an icon"),
    OTHER (4, 4, "ftyp", "an MP4 or QuickTime video"),
    OTHER (0, 5, "%PDF-", "a PDF document"),
    OTHER (0, 4, "PK\3\4", "a ZIP archive"),
    OTHER (0, 2, "\x1f\x8b", "a file compressed with gzip"),
    OTHER (0, 6, "\x93NUMPY", "a NumPy array"),
    OTHER (0, 4, "\0\5\x16\7", "macOS metadata of another file (AppleDouble)"),
    OTHER (0, 19, "version https://git", "a Git LFS pointer; fetch the file"),
};

static bool
has_bytes (const uint8_t *data, size_t size, unsigned offset, const char *bytes,
    unsigned n)
{
  return size >= offset + n && memcmp (data + offset, bytes, n) == 0;
}

static bool
starts_with_word (const uint8_t *data, size_t size, const char *word)
{
  for (; *word; word++, data++, size--)
    if (size == 0 || tolower (*data) != *word)
      return false;
  return true;
}

/* A server's error page is often saved under the name of the picture. */
static bool
is_web_page (const uint8_t *data, size_t size)
{
  if (has_bytes (data, size, 0, "\xef\xbb\xbf", 3)) {
    data += 3;
    size -= 3;
  }
  while (size > 0 && isspace (*data)) {
    data++;
    size--;
  }
  return starts_with_word (data, size, "<!doctype")
      || starts_with_word (data, size, "<html")
      || starts_with_word (data, size, "<?xml")
      || starts_with_word (data, size, "<svg")
      || starts_with_word (data, size, "<head");
}

static bool
is_webp (const uint8_t *data, size_t size)
{
  return has_bytes (data, size, 0, "RIFF", 4)
      && has_bytes (data, size, 8, "WEBP", 4);
}

/* "P1" to "P6" and a blank or a comment. */
static bool
is_pnm (const uint8_t *data, size_t size)
{
  return size >= 3 && data[0] == 'P' && data[1] >= '1' && data[1] <= '6'
      && (isspace (data[2]) || data[2] == '#');
}

/* What is left of a file whose data were never written. */
static bool
is_all_zero (const uint8_t *data, size_t size)
{
  return data[0] == 0 && memcmp (data, data + 1, size - 1) == 0;
}

static TlStatus
name_foreign (const uint8_t *data, size_t size, TlError *error)
{
  if (size == 0)
    return tl_fail_at (error, TL_ERROR_FORMAT, 0, "The file is empty.");
  if (is_all_zero (data, size))
    return tl_fail_at (error, TL_ERROR_FORMAT, 0,
        "The file consists of %zu zero bytes: it was never written.", size);
  for (size_t i = 0; i < sizeof foreigns / sizeof *foreigns; i++) {
    const Foreign *f = &foreigns[i];

    if (has_bytes (data, size, f->offset, f->bytes, f->n))
      return tl_fail_at (error, f->status, 0, "The file is %s; " TAKEN ".",
          f->what);
  }
  if (is_web_page (data, size))
    return tl_fail_at (error, TL_ERROR_FORMAT, 0,
        "The file is a web page or another text with markup; " TAKEN ".");
  return tl_fail_at (error, TL_ERROR_FORMAT, 0,
      "The file is no picture of a known kind; " TAKEN ".");
}

TlStatus
tl_image_find_kind (const uint8_t *data, size_t size, TlImageKind *kind,
    TlError *error)
{
  for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
    const Magic *magic = &magics[i];

    if (has_bytes (data, size, magic->offset, magic->bytes, magic->n)) {
      *kind = magic->kind;
      return TL_OK;
    }
  }
  if (is_webp (data, size))
    *kind = TL_IMAGE_WEBP;
  else if (is_pnm (data, size))
    *kind = TL_IMAGE_PNM;
  else
    return name_foreign (data, size, error);
  return TL_OK;
}
