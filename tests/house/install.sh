#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# install.sh ROOT TORCH: tlpipe builds without a warning, and what it installs
# works when the build folder is gone: the elements are listed, an application
# compiles against the headers and the .pc file, and a model is trained.

set -euo pipefail

root=$1
torch=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=$work/build
prefix=$work/prefix

fail() {
  echo "$*" >&2
  exit 1
}

[ -n "$torch" ] || {
  echo "built without libtorch"
  exit 77
}

meson setup "$build" "$root" --prefix "$prefix" -Dwerror=true \
  -Dtorch=enabled "-Dtorch_prefix=$torch" >/dev/null
ninja -C "$build" --quiet || fail "the build has errors or warnings"
meson install -C "$build" --no-rebuild >/dev/null
"$build/examples/draw-frames" --videos=2 --frames=3 "$work/data"
rm -rf "$build"

libdir=$(dirname "$(find "$prefix" -name 'libtlpipe-1.0.so')")
export LD_LIBRARY_PATH=$libdir
export GST_PLUGIN_PATH_1_0=$libdir/gstreamer-1.0
export GST_REGISTRY_1_0=$work/registry.bin
export PKG_CONFIG_PATH=$libdir/pkgconfig
unset TLPIPE_SHIM TLPIPE_TORCH

find "$prefix" -name '*.so*' -type f | while read -r library; do
  ! LC_ALL=C readelf -d "$library" | grep -E 'R(UN)?PATH' \
    || fail "$library has a search path"
done

# Not --exists: that wants a version of GStreamer.
gst-inspect-1.0 resnetfinetune >"$work/log" 2>&1 \
  || fail "the installed plugin has no resnetfinetune: $(cat "$work/log")"

cat >"$work/application.c" <<'SOURCE'
#include <gst/gst.h>
#include <tlcaps.h>
#include <tlevents.h>
#include <tlmessages.h>
#include <tlqueries.h>
#include <tlshimloader.h>

int
main (int argc, char **argv)
{
  TlError error = TL_ERROR_INIT;

  gst_init (&argc, &argv);
  if (tl_dtype_size (TL_DTYPE_F32) != 4)
    return 1;
  if (!tl_shim_load (&error)) {
    g_printerr ("%s\n", error.message);
    return 1;
  }
  g_print ("%s with %s\n", tl_shim_library_path (), tl_shim_torch_path ());
  return 0;
}
SOURCE
# shellcheck disable=SC2046
cc -Wall -Werror -o "$work/application" "$work/application.c" \
  $(pkg-config --cflags --libs tlpipe-1.0)
"$work/application" || fail "the shim does not load"

# The shim alone, linked: libtorch is then the program's to find.
cat >"$work/shim.c" <<'SOURCE'
#include <tlshim.h>

int
main (void)
{
  return tl_shim_abi () == TL_SHIM_ABI ? 0 : 1;
}
SOURCE
# shellcheck disable=SC2046
cc -Wall -Werror -o "$work/shim" "$work/shim.c" -Wl,--allow-shlib-undefined \
  $(pkg-config --cflags --libs tlpipe-shim-1.0)
LD_LIBRARY_PATH=$libdir/tlpipe:$torch/lib "$work/shim" || fail "the linked shim does not run"

# Every installed header stands alone, also in C++.
find "$prefix/include" -name '*.h' | while read -r header; do
  for language in c c++; do
    # shellcheck disable=SC2046
    cc -x "$language" -Wall -Werror -fsyntax-only "$header" \
      $(pkg-config --cflags tlpipe-1.0) 2>"$work/log" \
      || fail "$header as $language: $(head -n 1 "$work/log")"
  done
done

train() {
  gst-launch-1.0 -q datasetsrc "location=$work/data/frames" epochs=1 \
    ! imagedecode width=32 height=32 ! augment ! batcher batch-size=4 \
    ! resnetfinetune weights=random arch=resnet18 \
    ! checkpointsink "location=$1" || fail "training fails"
  [ -s "$1/last.safetensors" ] || fail "training left no checkpoint"
}

train "$work/configured"
TLPIPE_TORCH=$torch train "$work/named"
cmp "$work/configured/last.safetensors" "$work/named/last.safetensors"
