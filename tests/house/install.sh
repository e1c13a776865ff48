#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# install.sh ROOT TORCH: tlpipe builds without a warning, and what it installs
# works when the build folder is gone: the elements are listed and their pages
# are there, tlpipe finds them, applications compile against the headers and the
# .pc files, a model is trained, and it classifies, also in a tree built without
# training.

set -euo pipefail

root=$1
torch=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=$work/build
device=(datasetsrc imagedecode resnetinfer resultlog resultoverlay)
all=(augment batcher checkpointsink "${device[@]}" resnetfinetune)

fail() {
  echo "$*" >&2
  exit 1
}

[ -n "$torch" ] || {
  echo "built without libtorch"
  exit 77
}

# install_tree PREFIX OPTIONS...
install_tree() {
  local prefix=$1 command=(setup "$build" "$root" -Dwerror=true -Dtorch=enabled "-Dtorch_prefix=$torch")

  shift
  [ ! -e "$build" ] || command=(configure "$build")
  meson "${command[@]}" --prefix "$prefix" "$@" >/dev/null
  ninja -C "$build" --quiet || fail "the build has errors or warnings"
  meson install -C "$build" --no-rebuild >/dev/null
}

# use PREFIX: from here on programs see that tree and no other.
use() {
  prefix=$1
  libdir=$(dirname "$(find "$prefix" -name 'libtlpipe-1.0.so')")
  export LD_LIBRARY_PATH=$libdir
  export GST_PLUGIN_PATH_1_0=$libdir/gstreamer-1.0
  export GST_REGISTRY_1_0=$prefix/registry.bin
  export PKG_CONFIG_PATH=$libdir/pkgconfig
  unset TLPIPE_SHIM TLPIPE_TORCH
}

check_libraries() {
  find "$prefix" -name '*.so*' -type f | while read -r library; do
    ! LC_ALL=C readelf -d "$library" | grep -E 'R(UN)?PATH' \
      || fail "$library has a search path"
  done
}

# The plugin has exactly the elements named, each with its page, and gives its
# version to those who ask for it.
check_elements() {
  local element listed page version

  listed=$(gst-inspect-1.0 tlpipe | sed -n 's/^  \([a-z]*\): .*/\1/p' | sort | tr '\n' ' ')
  [ "$listed" = "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ] \
    || fail "the installed plugin has the elements $listed"
  version=$(gst-inspect-1.0 tlpipe | sed -n 's/^  Version *//p')
  for element in "$@"; do
    page=$(gst-inspect-1.0 "$element" | sed -n 's#^  Doc-uri *file://##p')
    [ -s "$page" ] || fail "$element has no page at ${page:-a place that it names}"
    gst-inspect-1.0 --exists --atleast-version="$version" "$element" \
      || fail "$element does not exist in version $version"
    ! gst-inspect-1.0 --exists --atleast-version=999.0.0 "$element" \
      || fail "$element exists in version 999"
  done
}

# compile LANGUAGE SOURCE PROGRAM PACKAGE...
compile() {
  local language=$1 source=$2 program=$3

  shift 3
  # shellcheck disable=SC2046
  cc -x "$language" -Wall -Wextra -Werror -o "$program" "$source" -x none \
    $(pkg-config --cflags --libs "$@")
}

# Every installed header stands alone, also in C++.
check_headers() {
  find "$prefix/include" -name '*.h' | while read -r header; do
    for language in c c++; do
      # shellcheck disable=SC2046
      cc -x "$language" -Wall -Werror -fsyntax-only "$header" \
        $(pkg-config --cflags tlpipe-1.0) 2>"$work/log" \
        || fail "$header as $language: $(head -n 1 "$work/log")"
    done
  done
}

# check_program FILE...: tlpipe, from that tree alone, has just these files in its
# catalog, and they are good with the elements there are.
check_program() {
  local tlpipe=$prefix/bin/tlpipe catalog=$prefix/share/tlpipe/catalog listed

  "$tlpipe" --version | grep -qE '^tlpipe [0-9]+\.[0-9]+\.[0-9]+$' || fail "tlpipe has no version"
  listed=$(cd "$catalog" 2>/dev/null && echo *) || true
  [ "$listed" = "$*" ] || fail "the catalog has $listed"
  [ $# = 0 ] || "$tlpipe" check "$catalog"/*.yaml || fail "the installed catalog is not good"
  "$tlpipe" inspect imagedecode >"$work/log"
  grep -q '^width ' "$work/log" || fail "tlpipe inspect knows no imagedecode"
  "$tlpipe" doctor >"$work/log" || [ "$prefix" = "$work/device" ] || fail "$(cat "$work/log")"
  grep -q "^ok  *plugin .*$prefix" "$work/log" || fail "another plugin: $(cat "$work/log")"
  grep -q '^ok  *libtorch ' "$work/log" || fail "no libtorch: $(cat "$work/log")"
  [ -z "${GST_PLUGIN_PATH_1_0-}" ] || (
    # Beside its library it finds the plugin without being told.
    unset GST_PLUGIN_PATH_1_0
    GST_REGISTRY_1_0=$work/other.bin check_program "$@"
  )
}

# The shim alone, linked: libtorch is then the program's to find.
check_shim() {
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
}

train() {
  gst-launch-1.0 -q datasetsrc "location=$work/data/frames" epochs=1 \
    ! imagedecode width=32 height=32 ! augment ! batcher batch-size=4 \
    ! resnetfinetune weights=random arch=resnet18 \
    ! checkpointsink "location=$1" || fail "training fails"
  [ -s "$1/last.safetensors" ] || fail "training left no checkpoint"
}

# What an application does: a line of its own, results from the buffers and
# from the bus.
write_application() {
  cat >"$work/application.c" <<'SOURCE'
#include <gst/gst.h>
#include <tlmessages.h>
#include <tlresultmeta.h>
#include <tlshimloader.h>

static gint n_metas;

static GstPadProbeReturn
count_meta (GstPad *pad, GstPadProbeInfo *info, gpointer user_data)
{
  TlResultMeta *result =
      tl_buffer_get_result_meta (GST_PAD_PROBE_INFO_BUFFER (info));

  (void) pad;
  (void) user_data;
  if (result && result->state == TL_RESULT_VALID && result->n > 0
      && g_quark_to_string (result->top[0].name))
    n_metas++;
  return GST_PAD_PROBE_OK;
}

int
main (int argc, char **argv)
{
  GError *error = NULL;
  GstElement *pipeline, *sink;
  GstMessage *message = NULL;
  GstPad *pad;
  GstBus *bus;
  gint n_results = 0;

  gst_init (&argc, &argv);
  pipeline = gst_parse_launch (argv[1], &error);
  if (!pipeline)
    return 1;
  bus = gst_element_get_bus (pipeline);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, count_meta, NULL, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  do {
    gst_clear_message (&message);
    message = gst_bus_timed_pop (bus, 60 * GST_SECOND);
    if (message && gst_message_has_name (message, "tl-result"))
      n_results++;
  } while (message && GST_MESSAGE_TYPE (message) != GST_MESSAGE_EOS
      && GST_MESSAGE_TYPE (message) != GST_MESSAGE_ERROR);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_print ("%d results in buffers, %d on the bus, by %s with %s\n", n_metas,
      n_results, tl_shim_library_path (), tl_shim_torch_path ());
  return message && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS && n_metas > 0
          && n_metas == n_results
      ? 0
      : 1;
}
SOURCE
}

# Compiled as C and as C++, against what is installed.
check_application() {
  local line="datasetsrc location=$work/data/frames splits=valid ! imagedecode
    ! resnetinfer checkpoint=$work/run/last.safetensors ! fakesink name=sink"
  local language

  for language in c c++; do
    compile $language "$work/application.c" "$work/application" tlpipe-1.0
    "$work/application" "$line" || fail "the application in $language does not get its results"
  done
}

install_tree "$work/all"
# Its tests are compiled by the tests of that build, not here.
install_tree "$work/device" -Dtraining=disabled -Dtests=disabled
"$build/examples/draw-frames" --videos=2 --frames=3 "$work/data"
rm -rf "$build"
write_application

use "$work/all"
check_libraries
check_elements "${all[@]}"
check_shim
check_headers
check_program decode-benchmark.yaml evaluate.yaml finetune-layer4.yaml finetune.yaml live.yaml \
  record.yaml
train "$work/run"
TLPIPE_TORCH=$torch train "$work/named"
cmp "$work/run/last.safetensors" "$work/named/last.safetensors"
check_application

use "$work/device"
check_libraries
check_elements "${device[@]}"
check_headers
check_program live.yaml record.yaml
check_application
