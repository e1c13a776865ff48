#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Sets up, builds and runs the tests. The last line is the sum over meson's
# logs; the exit status says whether all is well.

set -uo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
quick=(unit elements modelfile shim loader pipelines tool)
logs=()

usage() {
  cat <<USAGE
usage: tests/run.sh [--all]

Without --all: the suites ${quick[*]}.
With --all: every suite, the same under valgrind and the leaks tracer, a build
with AddressSanitizer and UndefinedBehaviorSanitizer, and the checks of the
house: format, warnings as errors, documents, installation, quickstart.

TLPIPE_MATERIAL names the folder with the real test material; without it the
tests that need it are skipped and say so.
USAGE
}

# What is known of Debian's own tools: see examples/setup.sh.
plain_meson() {
  env -u VIRTUAL_ENV -u PYTHONHOME -u PYTHONPATH -u CONDA_PREFIX /usr/bin/meson "$@"
}

# run NAME BUILD ARGUMENTS...: meson test, its log kept under NAME.
run() {
  local name=$1 build=$2

  shift 2
  echo
  echo "== $name"
  # A log of an earlier run must not be counted again.
  rm -f "$build/meson-logs/$name"*.json
  plain_meson test -C "$build" --no-rebuild --print-errorlogs --logbase "$name" "$@" </dev/null
  logs+=("$build/meson-logs/$name")
}

# A second build in build-NAME.
build() {
  local folder=$root/build-$1

  shift
  [ -e "$folder/build.ninja" ] || rm -rf "$folder"
  if [ ! -e "$folder" ]; then
    plain_meson setup "$folder" "$root" "$@" >/dev/null || return
  fi
  ninja -C "$folder" --quiet
}

run_all() {
  local setup

  run all "$root/build" --setup all
  for setup in valgrind leaks; do
    # ThreadSanitizer does not run under valgrind, and of a script only the
    # shell would be looked at.
    run "$setup" "$root/build" --setup "$setup" --suite unit --suite elements \
      --suite modelfile --no-suite tsan --no-suite script
  done
  # Without libtorch, which is not instrumented: the elements' tests use the
  # reference backend.
  build asan -Db_sanitize=address,undefined -Db_lundef=false -Dtorch=disabled
  run asan "$root/build-asan" --setup asan --suite unit --suite elements --suite modelfile \
    --suite loader --suite docs
}

main() {
  local all=0 suites

  case ${1-} in
    '') ;;
    --all) all=1 ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
  if [ -z "${TLPIPE_MATERIAL-}" ] && [ -d "$root/../shared/material" ]; then
    TLPIPE_MATERIAL=$(cd "$root/../shared/material" && pwd -P)
    export TLPIPE_MATERIAL
  fi

  "$root/examples/setup.sh" --tests </dev/null || exit
  if [ $all = 1 ]; then
    run_all
  else
    mapfile -t suites < <(printf -- '--suite\n%s\n' "${quick[@]}")
    run quick "$root/build" "${suites[@]}"
  fi
  echo
  /usr/bin/python3 "$root/tests/summary.py" "${logs[@]}"
}

main "$@"
