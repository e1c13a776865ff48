#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# scripts.sh ROOT: shellcheck finds nothing in the shell scripts, nor in the
# completion, which bash reads and nobody starts.

cd "$1" || exit 1
command -v shellcheck >/dev/null || {
  echo "shellcheck is not installed"
  exit 77
}
{
  find .ci elements pipelines shim tests examples -type f ! -name '*.[ch]' \
    -exec sh -c 'head -n 1 "$1" | grep -q "^#!.*sh$"' sh {} \; -print0
  find pipelines/completion -type f -print0
} | xargs -0 shellcheck
