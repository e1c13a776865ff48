#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# usage: replay-corpus.sh REPLAY ARCHIVE
#
# Gives the program REPLAY all inputs that keep-corpus.sh put into ARCHIVE.

set -euo pipefail

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
tar -xzf "$2" -C "$folder"
mapfile -t inputs < <(find "$folder" -type f | sort)
[ "${#inputs[@]}" -gt 0 ] || {
  echo "$2 is empty" >&2
  exit 1
}
"$1" "${inputs[@]}"
echo "${#inputs[@]} inputs"
