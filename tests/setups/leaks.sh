#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs a test under GStreamer's leaks tracer: fails if the test does, or if a
# GStreamer object outlives it.

trace=$(mktemp) || exit 1
trap 'rm -f "$trace"' EXIT

# Not the tracer's description of its own records, "type-name=(string)%s".
alive='object-alive, type-name=(string)[^%]'

# With G_DEBUG=fatal-criticals the tracer itself ends the test: the list comes
# before the status.
GST_DEBUG_FILE=$trace GST_DEBUG_NO_COLOR=1 "$@"
status=$?
if grep -q "$alive" "$trace"; then
  echo "objects that outlive the test:" >&2
  grep -o "$alive.*" "$trace" >&2
  exit 1
fi
exit $status
