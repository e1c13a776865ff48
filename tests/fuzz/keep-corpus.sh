#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Keeps what fuzzing has learnt: of the inputs in build-fuzz/corpus/TARGET the
# fewest and smallest that reach the same edges, in corpus/TARGET.tar.gz, which
# the tests replay and later fuzzing starts from.

set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
build=$here/../../build-fuzz
max_len=4096

usage() {
  cat <<USAGE
usage: tests/fuzz/keep-corpus.sh TARGET...

Run it after tests/fuzz/run.sh TARGET, without TLPIPE_MATERIAL in both: foreign
files do not belong into the tree.
USAGE
}

# keep TARGET
keep() {
  local corpus=$build/corpus/$1 kept

  [ -d "$corpus" ] || {
    echo "keep-corpus.sh: there is no $corpus; run tests/fuzz/run.sh $1 first" >&2
    exit 2
  }
  kept=$(mktemp -d)
  "$build/tests/fuzz/fuzz-$1" -merge=1 -max_len=$max_len "$kept" "$corpus" 2>"$build/$1-merge.log" || {
    tail -n 5 "$build/$1-merge.log" >&2
    exit 1
  }
  mkdir -p "$here/corpus"
  # The same inputs give the same archive.
  tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    -C "$kept" -cf - . | gzip -n -9 >"$here/corpus/$1.tar.gz"
  echo "$1: $(find "$kept" -type f | wc -l) inputs, $(wc -c <"$here/corpus/$1.tar.gz") bytes"
  rm -r "$kept"
}

case ${1-} in
  '' | -h | --help) usage && exit 0 ;;
esac
for name in "$@"; do
  keep "$name"
done
