#!/bin/sh
# link-plugins.sh FROM TO: fills the folder TO with links to the stock plugins
# that the tests use, as far as FROM has them.
set -eu
from=$1
to=$2
mkdir -p "$to"
for name in coreelements coretracers app typefindfunctions playback \
    videotestsrc videoconvertscale videoconvert videoscale videorate \
    videofilter videocrop jpeg png matroska avi multifile; do
  if [ -e "$from/libgst$name.so" ]; then
    ln -sf "$from/libgst$name.so" "$to/"
  fi
done
