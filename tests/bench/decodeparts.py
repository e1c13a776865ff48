#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What it costs to decode a JPEG for a crop, and what dct-scaling changes.

Usage: decodeparts.py IMAGEPEER FOLDER

FOLDER has JPEG pictures in it. Times are CPU seconds of the whole program
(reading, decoding, resizing to 224x224), the two ways one after the other, the
best of five; only their ratio is worth keeping.
"""

import glob
import math
import os
import random
import resource
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

ROUNDS = 5


def draw_crop(rng, width, height):
    """torchvision's RandomResizedCrop."""
    for _ in range(10):
        area = width * height * rng.uniform(0.08, 1)
        ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < w <= width and 0 < h <= height:
            return rng.randint(0, width - w), rng.randint(0, height - h), w, h
    return 0, 0, width, height


def cpu_time(program, requests, *words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([program, "no-pixels", *words], input="\n".join(requests).encode() + b"\n",
                   stdout=subprocess.DEVNULL, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def compare_times(program, name, requests):
    # Of a file that may be damaged every block is decoded.
    times = [(cpu_time(program, requests, "truncated"), cpu_time(program, requests))
             for _ in range(ROUNDS)]
    whole, part = (min(column) / len(requests) * 1e3 for column in zip(*times))
    print(f"{name}: all blocks {whole:.2f} ms, those of the crop {part:.2f} ms: {whole / part:.2f} times")


def pixels(program, request, *words):
    answer = subprocess.run([program, *words], input=request.encode() + b"\n",
                            stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(answer[answer.index(b"\n") + 1:], np.uint8).astype(int)


def compare_scaling(program, name, files, resize, side):
    means, worst = [], 0
    for path in files:
        request = f"center {resize} {side} {side} 0 {path}"
        difference = np.abs(pixels(program, request) - pixels(program, request, "shrink"))
        if difference.any():
            means.append(difference.mean())
            worst = max(worst, int(difference.max()))
    print(f"dct-scaling, {name} to {side}x{side}: {len(means)} of {len(files)} changed, mean "
          f"{np.mean(means or [0]):.2f} levels, worst picture {max(means, default=0):.2f}, most {worst}")


def main():
    program, folder = sys.argv[1:]
    files = sorted(glob.glob(os.path.join(folder, "**", "*.jpg"), recursive=True))
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as scratch:
        large = os.path.join(scratch, "large.jpg")
        picture = np.asarray(Image.open(files[0]).convert("RGB").resize((1920, 1080), Image.BICUBIC))
        noise = np.random.default_rng(1).normal(0, 6, picture.shape)
        Image.fromarray((picture + noise).clip(0, 255).astype(np.uint8)).save(large, quality=90)
        for name, paths in (("folder", files), ("1920x1080", [large] * 60)):
            crops = [draw_crop(rng, *Image.open(path).size) for path in paths]
            compare_times(program, f"{name}, random crops",
                          ["crop {} {} {} {} 224 224 0 {}".format(*crop, path)
                           for crop, path in zip(crops, paths)])
            compare_times(program, f"{name}, centre", [f"center 256 224 224 0 {path}" for path in paths])
        for resize, side in ((256, 224), (110, 96)):
            compare_scaling(program, "folder", files, resize, side)
            compare_scaling(program, "1920x1080", [large], resize, side)


if __name__ == "__main__":
    main()
