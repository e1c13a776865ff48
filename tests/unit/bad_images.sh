#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Usage: bad_images.sh IMAGEPEER
# Decodes, crops and resizes every file of the collection of bad pictures, as
# it is and cut short, within 2 GB. Every request must be answered.
set -eu

archive=${TLPIPE_MATERIAL:-}/bad_images.tar.gz
if [ ! -r "$archive" ]; then
  echo "skipped: TLPIPE_MATERIAL names no folder with bad_images.tar.gz"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tar -xzf "$archive" -C "$folder"

find "$folder" -type f | sort | while read -r path; do
  size=$(wc -c < "$path")
  head -c $((size * 2 / 3)) "$path" > "$path.cut"
  for file in "$path" "$path.cut"; do
    echo "decode $file"
    echo "center 256 224 224 1 $file"
    echo "crop 1 1 9 9 32 32 0 $file"
  done
done > "$folder/requests"

ASAN_OPTIONS=hard_rss_limit_mb=2048:allocator_may_return_null=1 \
  "$1" no-pixels < "$folder/requests" > "$folder/answers"
asked=$(wc -l < "$folder/requests")
answered=$(grep -c -E '^(ok [0-9]+ [0-9]+|fail .+)$' "$folder/answers")
decoded=$(grep -c '^ok' "$folder/answers")
echo "$asked requests, $answered answers, $decoded with pixels"
[ "$asked" -gt 1000 ] && [ "$answered" -eq "$asked" ] && [ "$decoded" -gt 300 ]
