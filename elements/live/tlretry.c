/* SPDX-License-Identifier: BSD-3-Clause */

#include "tlretry.h"

bool
tl_retry_is_due (const TlRetry *self, int64_t now)
{
  return self->pause == 0 || now >= self->not_before;
}

bool
tl_retry_fail (TlRetry *self, int kind, int64_t now)
{
  bool is_news = kind != self->warned_of
      || (!self->is_open && now - self->warned_at >= TL_RETRY_QUIET);

  self->pause = self->pause == 0 ? TL_RETRY_FIRST : 2 * self->pause;
  if (self->pause > TL_RETRY_LONGEST)
    self->pause = TL_RETRY_LONGEST;
  self->not_before = now + self->pause;
  if (!is_news)
    return false;
  self->warned_of = kind;
  self->warned_at = now;
  self->is_open = true;
  return true;
}

bool
tl_retry_succeed (TlRetry *self)
{
  bool was_open = self->is_open;

  self->pause = 0;
  self->is_open = false;
  return was_open;
}
