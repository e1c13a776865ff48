/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlreference.h"
#include "tlfail.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VARIABLE "TLPIPE_REFERENCE_FAIL"
#define MAX_NUMBER 1000000000ul

/* Whether @item (@length characters) is "@call@suffix:N"; sets @ret to N. */
static int
parse_item (const char *item, size_t length, const char *call,
    const char *suffix, uint32_t *ret)
{
  size_t call_length = strlen (call), suffix_length = strlen (suffix);
  size_t key_length = call_length + suffix_length + 1;
  size_t n_digits =
      strspn (item + (length < key_length ? 0 : key_length), "0123456789");
  unsigned long number;

  if (length <= key_length || strncmp (item, call, call_length) != 0
      || strncmp (item + call_length, suffix, suffix_length) != 0
      || item[key_length - 1] != ':' || key_length + n_digits != length)
    return 0;
  number = strtoul (item + key_length, NULL, 10);
  if (number > MAX_NUMBER)
    return 0;
  *ret = (uint32_t) number;
  return 1;
}

TlStatus
tl_misbehaviour_read (const char *call, TlMisbehaviour *ret, TlError *error)
{
  static const char *const calls[] = {"step", "infer"};
  const char *item = getenv (VARIABLE);
  TlMisbehaviour found = {0};

  while (item && *item) {
    size_t length = strcspn (item, ",");
    int known = 0;

    for (size_t i = 0; i < 2; i++) {
      TlMisbehaviour other;
      TlMisbehaviour *m = strcmp (calls[i], call) == 0 ? &found : &other;

      known |= parse_item (item, length, calls[i], "", &m->fail_at);
      known |= parse_item (item, length, calls[i], "-ms", &m->delay_ms);
    }
    if (!known)
      return tl_fail (error, TL_ERROR_ARGUMENT,
          VARIABLE " has the item \"%.*s\": must be step:N, step-ms:N, infer:N "
                   "or infer-ms:N",
          (int) (length < 64 ? length : 64), item);
    item += length + (item[length] == ',');
  }
  *ret = found;
  return TL_OK;
}

TlStatus
tl_misbehaviour_act (const TlMisbehaviour *misbehaviour, const char *call,
    uint32_t *n_calls, TlError *error)
{
  uint32_t number = __atomic_add_fetch (n_calls, 1, __ATOMIC_RELAXED);
  struct timespec delay = {
      .tv_sec = misbehaviour->delay_ms / 1000,
      .tv_nsec = (long) (misbehaviour->delay_ms % 1000) * 1000000,
  };

  if (misbehaviour->delay_ms > 0)
    nanosleep (&delay, NULL);
  if (misbehaviour->fail_at > 0 && misbehaviour->fail_at == number)
    return tl_fail (error, TL_ERROR_BACKEND,
        "the reference backend fails at call %u of %s, as " VARIABLE " asks",
        number, call);
  return TL_OK;
}
