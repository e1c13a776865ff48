#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Builds the libFuzzer targets with clang, makes what they start from, and lets
# each run for a while.

set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
build=$root/build-fuzz
max_len=16384

usage() {
  cat <<USAGE
usage: tests/fuzz/run.sh TARGET|all [SECONDS]

Fuzzes for SECONDS (60) and prints, per target, the seconds, the executions, the
edges covered and the findings; fails if there are findings. They are kept in
build-fuzz/findings/TARGET, what was learnt in build-fuzz/corpus/TARGET. A new
corpus begins with what tests/fuzz/keep-corpus.sh has kept.

TARGET: $(targets)

TLPIPE_MATERIAL names the folder with the real test material; its small bad
pictures or model files are then among what a new corpus is made of.
USAGE
}

# The names of the fuzz-NAME programs, as meson.build has them.
targets() {
  sed -n "s/^fuzz_names = \[\(.*\)\]/\1/p" "$root/tests/fuzz/meson.build" | tr -d "',"
}

die() {
  echo "run.sh: $*" >&2
  exit 2
}

# Only the fuzzing programs: the rest of the tree is not needed.
build_programs() {
  local name programs=()

  for name in "$@"; do
    programs+=("tests/fuzz/fuzz-$name" "tests/fuzz/replay-$name")
  done
  if [ ! -e "$build/build.ninja" ]; then
    rm -rf "$build"
    env -u VIRTUAL_ENV -u PYTHONHOME -u PYTHONPATH -u CONDA_PREFIX CC=clang-14 CXX=clang++-14 \
      /usr/bin/meson setup "$build" "$root" -Dfuzz=enabled -Dtorch=disabled \
      -Dexamples=disabled -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
  fi
  ninja -C "$build" "${programs[@]}" >"$build/ninja.log" || {
    cat "$build/ninja.log" >&2
    die "the build failed"
  }
}

# make_corpus NAME: into build-fuzz/corpus/NAME.
make_corpus() {
  local corpus=$build/corpus/$1 kind=bad_images archive files=()

  case $1 in pth-* | safetensors) kind=bad_models ;; esac
  archive=${TLPIPE_MATERIAL:-}/$kind.tar.gz
  mkdir -p "$corpus"
  if [ -r "$archive" ]; then
    mkdir -p "$build/material/$kind"
    tar -xzf "$archive" -C "$build/material/$kind"
    mapfile -t files < <(find "$build/material/$kind" -type f -size "-${max_len}c")
  fi
  "$build/tests/fuzz/replay-$1" --write "$corpus" "${files[@]}"
  archive=$root/tests/fuzz/corpus/$1.tar.gz
  [ ! -e "$archive" ] || tar -xzf "$archive" -C "$corpus"
}

# fuzz NAME SECONDS: fails if there is a finding.
fuzz() {
  local corpus=$build/corpus/$1 findings=$build/findings/$1 log=$build/$1.log

  [ -d "$corpus" ] || make_corpus "$1" || die "no corpus for $1"
  mkdir -p "$findings"
  # Any of a finding's exits is one; the log says which.
  "$build/tests/fuzz/fuzz-$1" "$corpus" -artifact_prefix="$findings/" \
    -max_total_time="$2" -max_len=$max_len -timeout=5 -rss_limit_mb=1024 \
    -malloc_limit_mb=64 -print_final_stats=1 >"$log" 2>&1 || true
  report "$1" "$log" "$findings"
}

# report NAME LOG FINDINGS: one line; fails if FINDINGS has a file.
report() {
  local runs seconds edges n

  read -r runs seconds < <(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) second.*/\1 \2/p' "$2") \
    || true
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$2" | tail -n 1)
  n=$(find "$3" -type f | wc -l)
  if [ -z "${runs-}" ]; then
    echo "$1: ended early; $2 says why; $n findings in $3"
    grep -E 'ERROR|SUMMARY|broken promise' "$2" | head -n 3
    return 1
  fi
  echo "$1: $seconds s, $runs executions, $((runs / (seconds > 0 ? seconds : 1)))/s," \
    "$edges edges, $n findings"
  [ "$n" -eq 0 ]
}

main() {
  local names name seconds=${2-60} failed=0

  case ${1-} in
    '' | -h | --help) usage && exit 0 ;;
  esac
  read -r -a names <<<"$(targets)"
  if [ "$1" != all ]; then
    [[ " ${names[*]} " == *" $1 "* ]] || die "there is no target $1, only ${names[*]} and all"
    names=("$1")
  fi
  command -v clang-14 >/dev/null || {
    echo "clang-14 is not installed"
    exit 77
  }
  export ASAN_OPTIONS=quarantine_size_mb=32:allow_addr2line=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}
  # Each piece of GLib's by itself, so that an end that is overrun is seen.
  export G_SLICE=always-malloc
  build_programs "${names[@]}"
  for name in "${names[@]}"; do
    fuzz "$name" "$seconds" || failed=1
  done
  exit $failed
}

main "$@"
