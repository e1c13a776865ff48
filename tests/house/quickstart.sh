#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# quickstart.sh ROOT: the quickstart works without a file from elsewhere, and
# what it gets wrong costs one sentence.

set -euo pipefail

quickstart=$1/examples/quickstart.sh
folder=$1/run/quickstart
unset TLPIPE_MATERIAL
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
  cat "$log" >&2
  echo "$*" >&2
  exit 1
}

# refused WORDS ARGUMENTS...: exits with one line that has these words.
refused() {
  local words=$1

  shift
  ! "$quickstart" "$@" >"$log" 2>&1 || fail "quickstart $* is not refused"
  { [ "$(wc -l <"$log")" -eq 1 ] && grep -q "$words" "$log"; } \
    || fail "quickstart $* says something else than: $words"
}

refused 'is not a folder' --data /nonexistent
refused 'is not a file' --weights /nonexistent
refused 'is not a file' --video /nonexistent
refused 'wants a value' --data

"$quickstart" >"$log" 2>&1 || fail "quickstart fails"
grep -q 'not transfer learning' "$log" || fail "the random weights are not mentioned"
for file in results.png model/best.safetensors model/metrics.jsonl video.avi; do
  [ -s "$folder/$file" ] || fail "quickstart left no $file"
done

# Drawn frames are easy: chance is a third.
accuracy=$(sed -n 's/.*accuracy: \([0-9]*\).*(\([0-9]* of [0-9]*\))/\1/p' "$log" | tail -n 1)
[ "${accuracy:-0}" -ge 80 ] || fail "the accuracy is ${accuracy:-not shown}"
