/* SPDX-License-Identifier: BSD-3-Clause */

/* The format: APPNOTE.TXT of PKWARE, 4.3.7 to 4.3.16 and 4.5.3. */

#include "tlzip.h"
#include "tlbytes.h"
#include "tlcrc32.h"
#include "tlfail.h"

#include <stdlib.h>
#include <string.h>

#define LOCAL_MAGIC 0x04034b50u
#define ENTRY_MAGIC 0x02014b50u
#define END_MAGIC 0x06054b50u
#define LOCATOR64_MAGIC 0x07064b50u
#define END64_MAGIC 0x06064b50u

#define LOCAL_SIZE 30
#define ENTRY_SIZE 46
#define END_SIZE 22
#define LOCATOR64_SIZE 20
#define END64_SIZE 56
#define MAX_COMMENT 65535

#define FLAG_ENCRYPTED 1u
#define ZIP64_EXTRA 1u
#define IN_ZIP64 UINT32_MAX /* the true value is in the extra field */

typedef struct
{
  uint8_t *bytes;
  size_t size;
  /* The directory. */
  uint64_t begin, length, n_entries;
} Archive;

/* One entry of the directory. */
typedef struct
{
  const uint8_t *name;
  uint32_t name_length, extra_length, comment_length;
  uint32_t flags, method, crc, disk;
  uint64_t stored_size, true_size, offset;
} Entry;

static int
lies_within (uint64_t begin, uint64_t length, uint64_t size)
{
  return begin <= size && length <= size - begin;
}

/* The end record is the last thing but for a comment; NULL if there is none. */
static const uint8_t *
find_end (const uint8_t *bytes, size_t size)
{
  for (size_t comment = 0; comment <= MAX_COMMENT; comment++) {
    const uint8_t *p;

    if (size < END_SIZE + comment)
      return NULL;
    p = bytes + (size - END_SIZE - comment);
    if (tl_get_u32 (p) == END_MAGIC && tl_get_u16 (p + 20) == comment)
      return p;
  }
  return NULL;
}

int
tl_zip_is_cut (const void *bytes, size_t size)
{
  return !find_end (bytes, size);
}

/* A field of the plain end record either leaves the value to that of zip64, or
 * says the same. */
static int
agrees (uint64_t plain, uint64_t unset, uint64_t value)
{
  return plain == unset || plain == value;
}

/* The zip64 end record, if a locator lies before the plain one. */
static TlStatus
read_end64 (Archive *a, const uint8_t *end, TlError *error)
{
  const uint8_t *locator, *end64;
  uint64_t offset;

  if ((size_t) (end - a->bytes) < LOCATOR64_SIZE)
    return TL_OK;
  locator = end - LOCATOR64_SIZE;
  if (tl_get_u32 (locator) != LOCATOR64_MAGIC)
    return TL_OK;
  offset = tl_get_u64 (locator + 8);
  end64 = a->bytes + (offset < a->size ? offset : 0);
  if (!lies_within (offset, END64_SIZE, (uint64_t) (locator - a->bytes))
      || tl_get_u32 (end64) != END64_MAGIC)
    return tl_fail_at (error, TL_ERROR_FORMAT, locator - a->bytes,
        "the zip64 end record is not where its locator says, at byte %s",
        tl_show_number (offset).text);
  if (!agrees (a->n_entries, UINT16_MAX, tl_get_u64 (end64 + 32))
      || !agrees (a->length, IN_ZIP64, tl_get_u64 (end64 + 40))
      || !agrees (a->begin, IN_ZIP64, tl_get_u64 (end64 + 48)))
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) offset,
        "the two end records of the zip archive contradict each other (zip64 "
        "at byte %s)",
        tl_show_number (offset).text);
  a->n_entries = tl_get_u64 (end64 + 32);
  a->length = tl_get_u64 (end64 + 40);
  a->begin = tl_get_u64 (end64 + 48);
  return TL_OK;
}

static TlStatus
find_directory (Archive *a, TlError *error)
{
  const uint8_t *end = find_end (a->bytes, a->size);
  TlStatus status;

  if (!end)
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) a->size,
        "truncated: the zip directory at the end of the file is missing");
  if (tl_get_u16 (end + 4) != 0 || tl_get_u16 (end + 6) != 0)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "a zip archive in several files, of which this is one");
  a->n_entries = tl_get_u16 (end + 10);
  a->length = tl_get_u32 (end + 12);
  a->begin = tl_get_u32 (end + 16);
  status = read_end64 (a, end, error);
  if (status != TL_OK)
    return status;
  if (!lies_within (a->begin, a->length, (uint64_t) (end - a->bytes))
      || a->n_entries > a->length / ENTRY_SIZE)
    return tl_fail_at (error, TL_ERROR_FORMAT, end - a->bytes,
        "the zip directory is said to lie at byte %s, where the file has no "
        "room for it",
        tl_show_number (a->begin).text);
  if (a->n_entries > TL_ZIP_MAX_RECORDS)
    return tl_fail (error, TL_ERROR_LIMIT, "%s zip records are more than %u",
        tl_show_number (a->n_entries).text, TL_ZIP_MAX_RECORDS);
  return TL_OK;
}

/* Takes the 64-bit values, which stand in this order, each only if its short
 * field says so. Returns 0 if one is missing. */
static int
read_extra64 (const uint8_t *extra, size_t n, Entry *e)
{
  uint64_t *const values[] = {&e->true_size, &e->stored_size, &e->offset};
  size_t used = 0;

  for (size_t i = 0; i < 3; i++) {
    if (*values[i] != IN_ZIP64)
      continue;
    if (n - used < 8)
      return 0;
    *values[i] = tl_get_u64 (extra + used);
    used += 8;
  }
  return 1;
}

static int
read_extras (const uint8_t *p, size_t n, Entry *e)
{
  int needed = e->true_size == IN_ZIP64 || e->stored_size == IN_ZIP64
      || e->offset == IN_ZIP64;

  while (needed && n >= 4) {
    size_t length = tl_get_u16 (p + 2);

    if (length > n - 4)
      return 0;
    if (tl_get_u16 (p) == ZIP64_EXTRA)
      return read_extra64 (p + 4, length, e);
    p += 4 + length;
    n -= 4 + length;
  }
  return !needed;
}

/* Reads the entry at @p, of which @n bytes are left; 0 if it is damaged. */
static int
read_entry (const uint8_t *p, uint64_t n, Entry *e)
{
  if (n < ENTRY_SIZE || tl_get_u32 (p) != ENTRY_MAGIC)
    return 0;
  e->flags = tl_get_u16 (p + 8);
  e->method = tl_get_u16 (p + 10);
  e->crc = tl_get_u32 (p + 16);
  e->stored_size = tl_get_u32 (p + 20);
  e->true_size = tl_get_u32 (p + 24);
  e->name_length = tl_get_u16 (p + 28);
  e->extra_length = tl_get_u16 (p + 30);
  e->comment_length = tl_get_u16 (p + 32);
  e->disk = tl_get_u16 (p + 34);
  e->offset = tl_get_u32 (p + 42);
  e->name = p + ENTRY_SIZE;
  if (n - ENTRY_SIZE
      < (uint64_t) e->name_length + e->extra_length + e->comment_length)
    return 0;
  return read_extras (e->name + e->name_length, e->extra_length, e);
}

/* Whether the local header is there and says the same as the directory. Sizes
 * may be 0 or left to zip64 in it. */
static int
header_agrees (const uint8_t *local, const Entry *e)
{
  uint64_t said = tl_get_u32 (local + 18);

  return tl_get_u32 (local) == LOCAL_MAGIC
      && tl_get_u16 (local + 8) == e->method
      && (said == 0 || agrees (said, IN_ZIP64, e->stored_size))
      && tl_get_u16 (local + 26) == e->name_length;
}

static TlStatus
locate_record (const Archive *a, const Entry *e, TlZipRecord *ret,
    TlError *error)
{
  TlShown name = tl_show_text (e->name, e->name_length);
  TlShown at = tl_show_number (e->offset);
  const uint8_t *local;
  uint64_t begin;

  if (!lies_within (e->offset, LOCAL_SIZE, a->begin) || e->disk != 0)
    return tl_fail (error, TL_ERROR_FORMAT,
        "zip record %s lies outside the file, at byte %s", name.text, at.text);
  local = a->bytes + e->offset;
  /* The local header has an extra field of its own: the padding that aligns
   * the data. */
  begin = e->offset + LOCAL_SIZE + tl_get_u16 (local + 26)
      + tl_get_u16 (local + 28);
  if (!header_agrees (local, e)
      || (e->method == 0 && e->stored_size != e->true_size)
      || !lies_within (begin, e->stored_size, a->begin))
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) e->offset,
        "zip record %s is damaged: no header at byte %s, or not the %s bytes "
        "it should have",
        name.text, at.text, tl_show_number (e->stored_size).text);
  if (memcmp (local + LOCAL_SIZE, e->name, e->name_length) != 0)
    return tl_fail_at (error, TL_ERROR_FORMAT, (int64_t) e->offset,
        "zip record %s has another name in its header at byte %s", name.text,
        at.text);
  ret->name = (const char *) e->name;
  ret->name_length = e->name_length;
  ret->data = a->bytes + begin;
  ret->size = (size_t) e->stored_size;
  ret->header_size = (size_t) (begin - e->offset);
  ret->crc = e->crc;
  ret->is_compressed = e->method != 0;
  ret->is_encrypted = e->flags & FLAG_ENCRYPTED;
  return TL_OK;
}

static TlStatus
read_records (const Archive *a, TlZip *zip, TlError *error)
{
  uint64_t position = 0;

  for (; zip->n_records < a->n_entries; zip->n_records++) {
    Entry e;
    TlStatus status;

    if (!read_entry (a->bytes + a->begin + position, a->length - position, &e))
      return tl_fail_at (error, TL_ERROR_FORMAT,
          (int64_t) (a->begin + position),
          "entry %zu of the zip directory is damaged", zip->n_records);
    status = locate_record (a, &e, &zip->records[zip->n_records], error);
    if (status != TL_OK)
      return status;
    position += ENTRY_SIZE + (uint64_t) e.name_length + e.extra_length
        + e.comment_length;
  }
  if (position != a->length)
    return tl_fail (error, TL_ERROR_FORMAT,
        "the zip directory goes on for %s behind its last entry",
        tl_show_bytes (a->length - position).text);
  return TL_OK;
}

static int
compare_positions (const void *a, const void *b)
{
  const TlZipRecord *x = a, *y = b;

  if (x->data != y->data)
    return x->data < y->data ? -1 : 1;
  return x->size < y->size ? -1 : x->size > y->size;
}

static int
compare_names (const void *a, const void *b)
{
  const TlZipRecord *x = a, *y = b;
  size_t n = x->name_length < y->name_length ? x->name_length : y->name_length;
  int order = memcmp (x->name, y->name, n);

  if (order != 0)
    return order;
  return x->name_length < y->name_length ? -1 : x->name_length > y->name_length;
}

static TlStatus
check_records (TlZip *zip, TlError *error)
{
  TlZipRecord *r = zip->records;

  qsort (r, zip->n_records, sizeof *r, compare_positions);
  for (size_t i = 1; i < zip->n_records; i++)
    if ((size_t) (r[i].data - r[i - 1].data) < r[i - 1].size + r[i].header_size)
      return tl_fail (error, TL_ERROR_FORMAT, "zip records %s and %s overlap",
          tl_show_text (r[i - 1].name, r[i - 1].name_length).text,
          tl_show_text (r[i].name, r[i].name_length).text);
  qsort (r, zip->n_records, sizeof *r, compare_names);
  for (size_t i = 1; i < zip->n_records; i++)
    if (compare_names (&r[i - 1], &r[i]) == 0)
      return tl_fail (error, TL_ERROR_FORMAT, "zip record %s occurs twice",
          tl_show_text (r[i].name, r[i].name_length).text);
  return TL_OK;
}

TlStatus
tl_zip_read (void *bytes, size_t size, TlZip *ret, TlError *error)
{
  Archive a = {.bytes = bytes, .size = size};
  TlZip zip = {NULL, 0};
  TlStatus status = find_directory (&a, error);

  if (status != TL_OK)
    return status;
  zip.records = calloc (a.n_entries + 1, sizeof *zip.records);
  if (!zip.records)
    return tl_fail (error, TL_ERROR_MEMORY, "out of memory");
  status = read_records (&a, &zip, error);
  if (status == TL_OK)
    status = check_records (&zip, error);
  if (status == TL_OK)
    *ret = zip;
  else
    tl_zip_clear (&zip);
  return status;
}

int
tl_zip_read_first (void *bytes, size_t size, TlZipRecord *ret)
{
  uint8_t *local = bytes;
  size_t begin;

  if (size < LOCAL_SIZE || tl_get_u32 (local) != LOCAL_MAGIC)
    return 0;
  begin = LOCAL_SIZE + (size_t) tl_get_u16 (local + 26)
      + (size_t) tl_get_u16 (local + 28);
  if (begin > size)
    return 0;
  *ret = (TlZipRecord){.name = (const char *) local + LOCAL_SIZE,
      .name_length = tl_get_u16 (local + 26),
      .data = local + begin,
      .size = size - begin,
      .header_size = begin,
      .is_compressed = tl_get_u16 (local + 8) != 0,
      .is_encrypted = tl_get_u16 (local + 6) & FLAG_ENCRYPTED};
  return 1;
}

TlZipRecord *
tl_zip_find (const TlZip *zip, const char *name, size_t length)
{
  const TlZipRecord key = {.name = name, .name_length = length};

  return bsearch (&key, zip->records, zip->n_records, sizeof key,
      compare_names);
}

TlStatus
tl_zip_check_record (TlZipRecord *record, TlError *error)
{
  TlShown name = tl_show_text (record->name, record->name_length);
  uint32_t crc;

  if (record->is_encrypted)
    return tl_fail (error, TL_ERROR_UNSUPPORTED, "zip record %s is encrypted",
        name.text);
  if (record->is_compressed)
    return tl_fail (error, TL_ERROR_UNSUPPORTED,
        "zip record %s is compressed, which torch.save never does: the archive "
        "was packed anew, save it with torch.save",
        name.text);
  record->is_checked = 1;
  if (record->crc == 0)
    return TL_OK;
  crc = tl_crc32 (record->data, record->size);
  if (crc == record->crc)
    return TL_OK;
  return tl_fail (error, TL_ERROR_FORMAT,
      "zip record %s is damaged: its checksum (CRC-32) is %08x, but should be "
      "%08x; download or copy the file again",
      name.text, crc, record->crc);
}

void
tl_zip_clear (TlZip *zip)
{
  free (zip->records);
  zip->records = NULL;
  zip->n_records = 0;
}
