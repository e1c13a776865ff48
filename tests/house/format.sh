#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# format.sh ROOT: C and C++ are formatted as .clang-format says. Only version
# 14: others wrap differently.

cd "$1" || exit 1
command -v clang-format-14 >/dev/null || {
  echo "clang-format-14 is not installed"
  exit 77
}
find elements pipelines shim tests examples \
  \( -name '*.c' -o -name '*.h' -o -name '*.cpp' -o -name '*.cu' \) \
  -exec clang-format-14 --dry-run -Werror {} +
