#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# frames.sh DRAW-FRAMES: the same seed draws the same bytes, another one others.

set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name in one same; do
  "$1" --videos=2 --frames=2 "$work/$name" >/dev/null
done
"$1" --videos=2 --frames=2 --seed=2 "$work/other" >/dev/null

diff -r "$work/one" "$work/same"
if diff -rq "$work/one/frames" "$work/other/frames" >/dev/null; then
  echo "another seed draws the same frames" >&2
  exit 1
fi
[ "$(find "$work/one/frames" -name 'video0[12]_frame0[12].jpg' | wc -l)" -eq 12 ]
[ "$("$1" --videos=1 "$work/none" 2>&1 | wc -l)" -eq 1 ]
