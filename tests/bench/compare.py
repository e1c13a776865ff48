#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe beside the PyTorch recipe: accuracy and speed of whole epochs.

Runs the gst-launch line and recipe.py in turn, round after round, with a new seed
each, and prints both tables and the ratios of each round. Whole epochs are timed
from outside: the wall time of a run of --epochs epochs minus that of one epoch,
so that start-up is not in it. Run it in `meson devenv -C build`:

    meson devenv -C build tests/bench/compare.py --data DIR --weights FILE
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
FREEZE = {"fc": "all-but-fc", "layer4": "layer3", "all": "none"}


def python():
    venv = os.path.join(ROOT, ".venv", "bin", "python")
    return venv if os.path.exists(venv) else sys.executable


def timed(command):
    begin = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return time.perf_counter() - begin, done.stdout


def tlpipe(args, seed, epochs):
    """Seconds, and validation accuracy of the last epoch."""
    with tempfile.TemporaryDirectory() as run:
        line = (f"datasetsrc location={args.data} epochs={epochs} seed={seed} ! "
                f"imagedecode ! augment flip=horizontal ! batcher batch-size={args.batch_size} ! "
                "queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 ! "
                f"resnetfinetune weights={args.weights} lr={args.lr} "
                f"freeze={FREEZE[args.train]} ! checkpointsink location={run}/run")
        seconds, _ = timed(["gst-launch-1.0", *line.split()])
        with open(f"{run}/run/metrics.jsonl", encoding="utf-8") as file:
            last = json.loads(file.readlines()[-1])
    return seconds, last["valid"]["accuracy"]


def recipe(args, seed, epochs, workers):
    command = [python(), os.path.join(HERE, "recipe.py"), "--data", args.data,
               "--weights", args.weights, "--train", args.train, "--epochs", str(epochs),
               "--batch-size", str(args.batch_size), "--lr", str(args.lr), "--seed", str(seed),
               "--workers", str(workers)]
    if args.channels_last:
        command.append("--channels-last")
    seconds, out = timed(command)
    return seconds, json.loads(out.splitlines()[-1])["valid_accuracy"]


def images(folder):
    suffixes = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
    return sum(name.lower().endswith(suffixes)
               for _, _, names in os.walk(folder, followlinks=True) for name in names)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--data", required=True, help="folder with train/ and val/")
    p.add_argument("--weights", required=True, help="state dict (.pth)")
    p.add_argument("--train", default="fc", choices=list(FREEZE))
    p.add_argument("--epochs", type=int, default=4)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--batch-size", type=int, default=8)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--workers", default="0,2", help="loader workers to try; the best counts")
    p.add_argument("--channels-last", action="store_true", help="in the recipe")
    args = p.parse_args()
    n = (args.epochs - 1) * images(args.data)
    peers = {f"recipe, {w} workers": int(w) for w in args.workers.split(",")}
    rates = {name: [] for name in ["tlpipe", *peers]}
    accuracies = {name: [] for name in rates}
    starts = {name: [] for name in rates}
    for seed in range(args.rounds):
        for name in rates:
            def once(epochs, which=name):
                return (tlpipe(args, seed, epochs) if which == "tlpipe"
                        else recipe(args, seed, epochs, peers[which]))
            one, _ = once(1)
            whole, accuracy = once(args.epochs)
            rates[name].append(n / (whole - one))
            starts[name].append(one - (whole - one) / (args.epochs - 1))
            accuracies[name].append(accuracy)
            print(f"seed {seed}: {name}: {rates[name][-1]:.1f} images/s, "
                  f"valid accuracy {accuracy:.4f}", flush=True)
    print(f"\n{'':22} {'images/s':>9} {'start-up s':>11} {'valid accuracy, mean (each)'}")
    for name, values in rates.items():
        each = " ".join(f"{a:.4f}" for a in accuracies[name])
        print(f"{name:22} {statistics.median(values):9.1f} "
              f"{statistics.median(starts[name]):11.2f} "
              f"{statistics.mean(accuracies[name]):.4f} ({each})")
    best = [max(rates[peer][i] for peer in peers) for i in range(args.rounds)]
    ratios = [ours / peer for ours, peer in zip(rates["tlpipe"], best)]
    print(f"tlpipe / best recipe of the round: median {statistics.median(ratios):.2f} "
          f"({' '.join(f'{r:.2f}' for r in ratios)})")


if __name__ == "__main__":
    main()
