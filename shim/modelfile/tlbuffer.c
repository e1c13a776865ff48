/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlbuffer.h"
#include "tlfail.h"

#include <stdlib.h>
#include <string.h>

/* Room for @n more bytes, or NULL. */
static uint8_t *
extend (TlBuffer *self, size_t n)
{
  uint8_t *place;

  if (self->failed)
    return NULL;
  if (self->capacity - self->n < n) {
    size_t capacity = 2 * (self->capacity + n);
    uint8_t *grown = realloc (self->bytes, capacity);

    if (!grown) {
      self->failed = 1;
      return NULL;
    }
    self->bytes = grown;
    self->capacity = capacity;
  }
  place = self->bytes + self->n;
  self->n += n;
  return place;
}

void
tl_buffer_put (TlBuffer *self, const void *bytes, size_t n)
{
  uint8_t *place = n > 0 ? extend (self, n) : NULL;

  if (place)
    memcpy (place, bytes, n);
}

void
tl_buffer_put_text (TlBuffer *self, const char *text)
{
  tl_buffer_put (self, text, strlen (text));
}

void
tl_buffer_put_int (TlBuffer *self, uint64_t value, size_t n)
{
  uint8_t bytes[8];

  for (size_t i = 0; i < n; i++)
    bytes[i] = (uint8_t) (value >> (8 * i));
  tl_buffer_put (self, bytes, n);
}

void
tl_buffer_put_fill (TlBuffer *self, uint8_t byte, size_t n)
{
  uint8_t *place = n > 0 ? extend (self, n) : NULL;

  if (place)
    memset (place, byte, n);
}

TlStatus
tl_buffer_check (const TlBuffer *self, TlError *error)
{
  return self->failed ? tl_fail (error, TL_ERROR_MEMORY, "out of memory")
                      : TL_OK;
}

void
tl_buffer_clear (TlBuffer *self)
{
  free (self->bytes);
  memset (self, 0, sizeof *self);
}
