#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Files that broke other readers: each is opened or refused with a sentence.
#   bad-models.sh MODELFILERUN

set -eu

material=${TLPIPE_MATERIAL:-}
archive=$material/bad_models.tar.gz
if [ -z "$material" ] || [ ! -e "$archive" ]; then
  echo "skipped: TLPIPE_MATERIAL has no bad_models.tar.gz"
  exit 77
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tar -xzf "$archive" -C "$folder" --no-same-owner --no-same-permissions
find "$folder" -type f -print0 | xargs -0 "$1" open >"$folder.log" 2>&1 || {
  cat "$folder.log"
  rm -f "$folder.log"
  exit 1
}
files=$(find "$folder" -type f | wc -l)
answers=$(grep -c -E '^(opened .*: .* tensors|refused [0-9]+ .*: .{15,})' "$folder.log")
opened=$(grep -c '^opened' "$folder.log")
cat "$folder.log"
rm -f "$folder.log"
echo "$files files, $answers answers, $opened opened"
[ "$files" -gt 0 ] && [ "$files" -eq "$answers" ] && [ "$opened" -gt 0 ]
