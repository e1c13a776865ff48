#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# A shim library exports exactly the functions of tlshim.h: a helper that leaks
# could be taken by another library of the process, and a function that is
# missing is only found when it is called.
# usage: check-symbols.sh NM LIBRARY HEADER
set -eu

nm=$1 library=$2 header=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The name is the word before the bracket of each declaration.
tr '\n' ' ' < "$header" \
  | grep -o 'TL_SHIM_API [^;(#]*tl_[a-z_]* *(' \
  | sed 's/.*[ *]\(tl_[a-z_]*\) *(/\1/' | sort > "$work/declared"
"$nm" -D --defined-only "$library" | awk '{ print $3 }' | sed 's/@.*//' \
  | sort > "$work/exported"

[ -s "$work/declared" ] || { echo "no function found in $header"; exit 1; }
diff -u "$work/declared" "$work/exported"
