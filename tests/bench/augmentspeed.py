#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Microseconds per picture of 224x224 of augment and of torchvision on PIL images.

    tests/bench/augmentspeed.py build/tests/bench/augmentspeed

One thread each, in turns; the fastest of the rounds counts, in CPU time of the
thread, so that a busy machine disturbs little. Then the element with one thread
and with two, in pictures per second, which needs an idle machine.
"""
import argparse
import pathlib
import random
import subprocess
import sys
import time

import numpy as np
from PIL import Image

sys.path.append(str(pathlib.Path(__file__).parent.parent / "parity"))
from torchvisionless import import_torchvision

import_torchvision()
import torch
import torchvision.transforms.functional as F
from torchvision.transforms import InterpolationMode, RandomErasing

PICTURES = 50


def factor():
    return random.uniform(0.6, 1.4)


def erase(tensor):
    return RandomErasing(p=1)(tensor)


OPERATIONS = {
    "horizontal": F.hflip,
    "vertical": F.vflip,
    "nearest": lambda i: F.rotate(i, random.uniform(-30, 30), InterpolationMode.NEAREST),
    "bilinear": lambda i: F.rotate(i, random.uniform(-30, 30), InterpolationMode.BILINEAR),
    "brightness": lambda i: F.adjust_brightness(i, factor()),
    "contrast": lambda i: F.adjust_contrast(i, factor()),
    "saturation": lambda i: F.adjust_saturation(i, factor()),
    "hue": lambda i: F.adjust_hue(i, random.uniform(-0.1, 0.1)),
    "erase": erase,
}


def time_torchvision():
    y, x = np.mgrid[0:224, 0:224]
    pixels = np.stack([x, y, (x + y) // 2], -1) + np.random.default_rng(1).integers(0, 16, (224, 224, 3))
    image = Image.fromarray(pixels.astype(np.uint8))
    tensor = F.to_tensor(image)
    result = {}
    for name, operation in OPERATIONS.items():
        start = time.thread_time()
        for _ in range(PICTURES):
            operation(tensor if name == "erase" else image)
        result[name] = (time.thread_time() - start) / PICTURES * 1e6
    return result


def time_ours(program):
    lines = subprocess.check_output([program, "operations"], text=True).splitlines()
    return {name: float(value) for name, value in map(str.split, lines)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="build/tests/bench/augmentspeed")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    ours, theirs = {}, {}
    for _ in range(args.rounds):
        for best, measured in ((ours, time_ours(args.program)), (theirs, time_torchvision())):
            for name, value in measured.items():
                best[name] = min(value, best.get(name, value))
    for name, value in ours.items():
        print(f"{name:12} {value:7.1f} us, torchvision {theirs[name]:7.1f} us, "
              f"{theirs[name] / value:5.1f} times")
    print(subprocess.check_output([args.program, "threads"], text=True), end="")


if __name__ == "__main__":
    main()
