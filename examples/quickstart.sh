#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# From nothing to a fine-tuned ResNet-18 that classifies a video: sets up,
# draws frames (or takes yours), trains, shows what was learned.

set -euo pipefail

examples=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$examples")
folder=$root/run/quickstart
model=$folder/model
weights_url=https://download.pytorch.org/models/resnet18-f37072fd.pth

data=
weights=
video=
epochs=

usage() {
  cat <<USAGE
usage: examples/quickstart.sh [--data FOLDER] [--weights FILE] [--video FILE]

Fine-tunes a ResNet-18 and shows the result as tables and a picture. Everything
lands in run/quickstart.

  --data FOLDER   pictures in one folder per class, or train/ and val/ with such
                  folders in them; without it, ultrasound-like frames of three
                  classes are drawn
  --weights FILE  pretrained weights, as torchvision has them:
                  $weights_url
                  without it, training starts from seeded random weights
  --video FILE    a video to classify; without --data, one is drawn

With TLPIPE_MATERIAL set and no --data, the photographs and weights of that
folder are taken.
USAGE
}

die() {
  echo "quickstart.sh: $*" >&2
  exit 1
}

say() {
  printf '\n== %s\n\n' "$*"
}

# Shows a command in a form that can be copied, then runs it with the elements
# of the build.
show_and_run() {
  local word

  printf '$'
  for word in "$@"; do
    if [ "$word" = ! ]; then printf " !"; else printf " %q" "$word"; fi
  done
  printf '\n\n'
  in_build "$@"
}

# Not under meson devenv itself, which answers Ctrl-C with a traceback.
in_build() (
  unset VIRTUAL_ENV PYTHONHOME PYTHONPATH CONDA_PREFIX
  # It extends variables that need not be set.
  set +u
  eval "$(/usr/bin/meson devenv -C "$root/build" --dump)"
  cd "$folder"
  exec "$@" </dev/null
)

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      -h | --help) usage && exit 0 ;;
      --data | --weights | --video)
        [ -n "${2-}" ] || die "$1 wants a value; see --help."
        # The path is the caller's; commands run elsewhere.
        printf -v "${1#--}" '%s' "$(realpath -m -- "$2")"
        shift 2
        ;;
      *) usage >&2 && exit 2 ;;
    esac
  done
  [ -z "$data" ] || [ -d "$data" ] || die "--data $data is not a folder."
  [ -z "$weights" ] || [ -f "$weights" ] || die "--weights $weights is not a file."
  [ -z "$video" ] || [ -f "$video" ] || die "--video $video is not a file."
}

take_material() {
  local archive=$TLPIPE_MATERIAL/hymenoptera_data.tar

  [ -f "$archive" ] || die "TLPIPE_MATERIAL has no hymenoptera_data.tar: $TLPIPE_MATERIAL"
  say "Photographs of ants and bees from TLPIPE_MATERIAL"
  tar -xf "$archive" -C "$folder"
  data=$folder/hymenoptera_data
  if [ -z "$weights" ]; then
    weights=$(find "$TLPIPE_MATERIAL" -maxdepth 1 -name 'resnet18*.pth' | head -n 1)
  fi
}

draw_data() {
  say "Drawing frames (they look like lung ultrasound; no patient is in them)"
  in_build draw-frames --videos=12 --frames=5 "$folder"
  data=$folder/frames
  [ -n "$video" ] || video=$folder/video.avi
}

train() {
  local decode=() learn=()

  if [ -n "$weights" ]; then
    say "Fine-tuning: only the classifier on top of the pretrained layers learns"
    epochs=5
    decode=(imagedecode)
    learn=("weights=$weights" lr=0.001)
  else
    say "Training from random weights, small pictures"
    cat <<TEXT
No pretrained weights were given: this starts from seeded random weights, and
that is not transfer learning. It shows that everything works. For the real
thing, get $weights_url
and pass it as --weights FILE.

TEXT
    epochs=8
    decode=(imagedecode width=64 height=64 scale-min=0.5)
    learn=(weights=random arch=resnet18 freeze=none train-bn=true lr=0.01)
  fi
  show_and_run gst-launch-1.0 datasetsrc "location=$data" "epochs=$epochs" seed=1 \
    ! "${decode[@]}" ! augment ! batcher batch-size=16 \
    ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 \
    ! resnetfinetune "${learn[@]}" ! checkpointsink "location=$model" \
    || die "training failed; the line that begins with ERROR says why."
}

show() {
  local arguments=("--checkpoint=$model/best.safetensors" "--data=$data"
    "--metrics=$model/metrics.jsonl" "--picture=$folder/results.png")

  [ -z "$video" ] || arguments+=("--video=$video")
  say "What it has learned"
  show_and_run show-results "${arguments[@]}" || die "the results could not be shown."
}

main() {
  parse_arguments "$@"
  trap 'printf "\nquickstart.sh: interrupted; what is there lies in %s\n" "$folder" >&2; exit 130' INT TERM
  say "Setting up"
  "$examples/setup.sh" </dev/null
  # Never a folder of the user's: only what an earlier quickstart left.
  rm -rf "$folder"
  mkdir -p "$folder"
  if [ -n "$data" ]; then
    :
  elif [ -n "${TLPIPE_MATERIAL-}" ]; then
    take_material
  else
    draw_data
  fi
  train
  show
  say "Done"
  cat <<TEXT
  $folder/results.png            all of it in one picture
  $model/best.safetensors  the model, ready for resnetinfer
  $model/metrics.jsonl     one line per epoch

A shell in which the line above works:  meson devenv -C '$root/build'
TEXT
}

main "$@"
