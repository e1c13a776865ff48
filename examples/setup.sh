#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs what tlpipe needs on Debian 12 and builds it into build/. May be run
# again at any time: what is there is kept, what is half-made is repaired.

set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv
build=$root/build
torch=torch==2.13.0
onnx=(onnx==1.23.2 onnxruntime==1.32.0)

packages=(
  build-essential meson ninja-build pkg-config python3 python3-venv
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev gstreamer1.0-tools
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev
  libyaml-dev libcairo2-dev libpango1.0-dev fonts-dejavu-core libjson-glib-dev
  libcurl4-openssl-dev libmicrohttpd-dev
)
test_packages=(
  check clang-14 clang-format-14 libclang-rt-14-dev shellcheck valgrind
  gstreamer1.0-plugins-bad gstreamer1.0-libav libgstrtspserver-1.0-dev chromium
  openssl
)

usage() {
  cat <<USAGE
usage: examples/setup.sh [--tests]

Installs missing Debian packages (as root or with sudo), puts libtorch from the
wheel of $torch into .venv, and builds tlpipe into build/.

  --tests   also what tests/run.sh needs: check, valgrind, linters, and the
            Python side of the parity tests (numpy, pillow, torchvision,
            onnx, onnxruntime)
  --help    this text
USAGE
}

die() {
  echo "setup.sh: $*" >&2
  exit 1
}

# Another Python, compiler or pkg-config in front of Debian's (conda, pyenv, an
# active virtual environment) would mix two systems in one build.
use_debian_tools() {
  if [ -n "${CONDA_PREFIX-}" ]; then
    unset CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS
  fi
  unset VIRTUAL_ENV PYTHONHOME PYTHONPATH CONDA_PREFIX
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
}

# The last line of the log that says something, without addresses.
reason() {
  grep -v '^[[:space:]]*$' "$log" | tail -n 1 \
    | sed -E "s#[a-z+]+://[^ ']*#(the package server)#g; s#host='[^']*'#the package server#g"
}

has_gpu() {
  nvidia-smi -L >/dev/null 2>&1
}

# Packages of the list that dpkg does not have.
missing_packages() {
  command -v dpkg-query >/dev/null \
    || die "this system has no dpkg; install the packages that README.md names and build with meson."
  comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
    <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null \
      | awk '$2 == "installed" { print $1 }' | sort)
}

install_packages() {
  local command=(apt-get install -y --no-install-recommends "${missing[@]}")
  local as_root=()

  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "packages are missing and there is no sudo. As root, run:
  apt-get update && ${command[*]}
and then this script again."
    as_root=(sudo)
  fi
  echo "Installing ${#missing[@]} Debian packages and what they depend on ..."
  export DEBIAN_FRONTEND=noninteractive
  { "${as_root[@]}" apt-get -qq update \
    && "${as_root[@]}" "${command[@]}"; } >"$log" 2>&1 </dev/null \
    || die "apt-get failed: $(reason)
As root, run:
  apt-get update && ${command[*]}
and then this script again."
}

venv_works() {
  [ -x "$venv/bin/python" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null
}

# Whether NAME==VERSION is in .venv with every file that its wheel has; an
# interrupted pip leaves some of them.
is_whole() {
  "$venv/bin/python" - "$1" <<'PYTHON'
import importlib.metadata
import os
import sys

name, version = sys.argv[1].split("==")
try:
    wheel = importlib.metadata.distribution(name)
except importlib.metadata.PackageNotFoundError:
    sys.exit(1)
if wheel.version.split("+")[0] != version or not wheel.files:
    sys.exit(1)
for entry in wheel.files:
    path = wheel.locate_file(entry)
    if entry.size is not None and (
        not os.path.exists(path) or os.path.getsize(path) != entry.size
    ):
        sys.exit(1)
PYTHON
}

pip_install() {
  echo "Installing $* ..."
  "$venv/bin/python" -m pip install -q --no-input --no-compile \
    --disable-pip-version-check "$@" >"$log" 2>&1 </dev/null \
    || die "pip could not install $*: $(reason)"
}

new_venv() {
  /usr/bin/python3 -m venv --clear "$venv" >"$log" 2>&1 \
    || die "the Python environment $venv could not be made: $(reason)"
}

torch_prefix() {
  "$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib") + "/torch")'
}

# The CUDA build of libtorch_cpu itself needs two of NVIDIA's libraries, even
# where nothing will ever run on a GPU.
install_cuda_libraries() {
  local needed

  needed=$(LC_ALL=C readelf -d "$(torch_prefix)/lib/libtorch_cpu.so" | grep NEEDED)
  case $needed in
    *libcudart* | *libcupti*) ;;
    *) return ;;
  esac
  if has_gpu || [ $tests = 1 ]; then
    pip_install "$torch"
  else
    pip_install --no-deps nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85
  fi
}

install_torch() {
  local python_version want stamp=$venv/tlpipe-setup

  python_version=$(/usr/bin/python3 -V)
  want="$python_version, $torch, ${onnx[*]}, gpu=$(has_gpu && echo 1 || echo 0), tests=$tests"
  if venv_works; then
    [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || return 0
  else
    new_venv
  fi
  if ! is_whole "$torch"; then
    new_venv
    pip_install --no-deps "$torch"
  fi
  install_cuda_libraries
  if [ $tests = 1 ]; then
    pip_install numpy pillow filelock typing-extensions 'setuptools>=77.0.3' \
      sympy networkx jinja2 fsspec "${onnx[@]}"
    pip_install --no-deps torchvision==0.28.0
  fi
  echo "$want" >"$stamp"
}

build_tlpipe() {
  local prefix want options stamp=$build/tlpipe-setup

  prefix=$(torch_prefix)
  options=("-Dtorch=enabled" "-Dtorch_prefix=$prefix")
  options+=("-Dtests=$([ $tests = 1 ] && echo enabled || echo disabled)")
  want="$root ${options[*]}"
  if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ] || [ ! -e "$build/build.ninja" ]; then
    configure "${options[@]}"
    echo "$want" >"$stamp"
  fi
  ninja -C "$build" || die "the build failed; the lines above say where."
}

# Keeps what the user set in build/ where meson can; a build folder that was
# moved or half-made is made anew.
configure() {
  if [ -e "$build/build.ninja" ] \
    && grep -qsF "$root " "$build/tlpipe-setup" \
    && meson setup --reconfigure "$build" "$root" "$@" >"$log" 2>&1; then
    return
  fi
  rm -rf "$build"
  meson setup "$build" "$root" "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    die "meson could not configure the build."
  }
}

say_plan() {
  local sizes

  if [ ${#missing[@]} -gt 0 ]; then
    sizes="at most 0.2 GB to download, 0.8 GB stored"
    [ $tests = 0 ] || sizes="at most 0.5 GB to download, 1.7 GB stored"
    echo "  Debian packages ($sizes):"
    printf '%s ' "${missing[@]}" | fold -s -w 72 | sed 's/^/    /'
    echo
  fi
  if [ ! -e "$venv/tlpipe-setup" ]; then
    echo "  .venv: $torch for its libtorch"
    if has_gpu; then
      echo "    with NVIDIA's libraries: about 2.5 GB to download, 4 GB stored"
    else
      echo "    CPU wheel: 0.2 GB to download, 0.7 GB stored; where the package server has"
      echo "    only the CUDA wheel: 0.5 GB and 1.2 GB"
      [ $tests = 0 ] \
        || echo "    (with --tests also NVIDIA's libraries: 2.5 GB and 4 GB)"
    fi
  fi
  echo "  build/: about 0.1 GB"
}

main() {
  tests=0
  for argument in "$@"; do
    case $argument in
      --tests) tests=1 ;;
      -h | --help) usage && exit 0 ;;
      *) usage >&2 && exit 2 ;;
    esac
  done
  # What was set up for the tests stays so.
  ! grep -qs 'tests=1$' "$venv/tlpipe-setup" || tests=1
  [ $tests = 0 ] || packages+=("${test_packages[@]}")

  use_debian_tools
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  trap 'echo "setup.sh: interrupted; the same command goes on from here." >&2; exit 130' INT TERM

  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -gt 0 ] || [ ! -e "$venv/tlpipe-setup" ]; then
    echo "Setting up tlpipe in $root:"
    say_plan
  fi
  [ ${#missing[@]} -eq 0 ] || install_packages
  install_torch
  build_tlpipe
}

main "$@"
