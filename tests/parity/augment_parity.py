#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares every operation of augment with torchvision on PIL images.

Usage: augment_parity.py AUGMENTPEER

The same pictures and the same drawn parameters go through
torchvision.transforms.functional; the rectangles that are erased are compared
in distribution with those of torchvision's RandomErasing. Generated pictures
always, photographs where TLPIPE_MATERIAL is there. Exits 77 without
torchvision, Pillow and numpy, 1 if an operation differs by more than it may.
"""

import io
import math
import os
import subprocess
import sys
import tarfile

try:
    import numpy as np
    import torch
    from PIL import Image
    from torchvisionless import import_torchvision

    torchvision = import_torchvision()
    import torchvision.transforms.functional as F
    from torchvision.transforms import InterpolationMode, RandomErasing
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

SIZES = [(1, 1), (1, 2), (2, 1), (1, 37), (37, 1), (2, 2), (3, 5), (16, 16),
         (31, 33), (64, 63), (127, 96), (224, 224), (225, 223), (300, 200)]
PHOTOGRAPHS = 12
DRAWS = 4000
FILTERS = [InterpolationMode.NEAREST, InterpolationMode.BILINEAR]

# Name, torchvision's, amounts, how many levels they may differ.
OPERATIONS = [
    ("horizontal", lambda i, a: F.hflip(i), (0,), 0),
    ("vertical", lambda i, a: F.vflip(i), (0,), 0),
    ("nearest", lambda i, a: F.rotate(i, a, FILTERS[0]),
     (-180, -90, -33.3, -7.5, 0, 1e-3, 12.25, 45, 90, 123.4, 180), 0),
    ("bilinear", lambda i, a: F.rotate(i, a, FILTERS[1]),
     (-180, -90, -33.3, -7.5, 0, 1e-3, 12.25, 45, 90, 123.4, 180), 0),
    ("brightness", F.adjust_brightness, (0, 0.4, 0.99, 1, 1.7, 11), 0),
    ("contrast", F.adjust_contrast, (0, 0.3, 0.99, 1, 2.2, 11), 0),
    ("saturation", F.adjust_saturation, (0, 0.6, 0.99, 1, 1.9, 11), 0),
    ("hue", F.adjust_hue, (-0.5, -0.1, 0, 0.003, 0.03, 0.25, 0.5), 1),
]


class Peer:
    """The augmentpeer program, one request at a time."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, operation, size, amount, data=b""):
        line = f"{operation} {size[0]} {size[1]} {amount!r}\n"
        self.process.stdin.write(line.encode() + data)
        self.process.stdin.flush()

    def numbers(self):
        return [float(word) for word in self.process.stdout.readline().split()]

    def pixels(self, size):
        width, height = size
        data = self.process.stdout.read(width * height * 3)
        return np.frombuffer(data, np.uint8).reshape(height, width, 3)

    def apply(self, operation, image, amount):
        self.send(operation, image.size, amount, image.tobytes())
        return self.pixels(image.size)

    def apply_all(self, image, index):
        self.send("all", image.size, index, image.tobytes())
        return self.numbers(), self.pixels(image.size)


class Report:
    def __init__(self):
        self.worst, self.sum, self.n, self.cases = {}, {}, {}, {}
        self.failures = []

    def compare(self, group, name, ours, theirs, limit):
        difference = np.abs(ours.astype(int) - np.asarray(theirs).astype(int))
        worst = int(difference.max())
        self.cases[group] = self.cases.get(group, 0) + 1
        self.worst[group] = max(self.worst.get(group, 0), worst)
        self.sum[group] = self.sum.get(group, 0) + int(difference.sum())
        self.n[group] = self.n.get(group, 0) + difference.size
        if worst > limit:
            self.failures.append(f"{group} {name}: up to {worst} levels")

    def print(self):
        for group in self.worst:
            print(f"{group:20} {self.cases[group]:5} cases, max {self.worst[group]} "
                  f"levels, mean {self.sum[group] / self.n[group]:.5f}")
        for failure in self.failures:
            print("FAILED", failure)


def generated(rng):
    """Noise, a gradient, stripes and one colour, of every size."""
    for width, height in SIZES:
        y, x = np.mgrid[0:height, 0:width]
        ramp = np.stack([x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1),
                         (x + y) * 255 // max(width + height - 2, 1)], -1)
        stripes = np.where(((x // 3 + y // 2) % 2)[..., None], [255, 0, 80], [0, 255, 7])
        for name, pixels in [("noise", rng.integers(0, 256, (height, width, 3))),
                             ("ramp", ramp), ("stripes", stripes),
                             ("flat", np.full((height, width, 3), [200, 30, 90]))]:
            yield f"{name} {width}x{height}", Image.fromarray(pixels.astype(np.uint8))


def colour_cube():
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1)
    return Image.fromarray(np.ascontiguousarray(cube.reshape(-1, 208, 3)))


def photographs():
    material = os.environ.get("TLPIPE_MATERIAL", "")
    if not os.path.isdir(material):
        print("no TLPIPE_MATERIAL: generated pictures only")
        return
    for archive in ("hymenoptera_data.tar", "pocus_lung_ultrasound_frames.tar"):
        with tarfile.open(os.path.join(material, archive)) as tar:
            members = [m for m in tar.getmembers()
                       if m.name.lower().endswith((".jpg", ".png"))]
            for member in members[::len(members) // PHOTOGRAPHS][:PHOTOGRAPHS]:
                image = Image.open(io.BytesIO(tar.extractfile(member).read()))
                yield os.path.basename(member.name), image.convert("RGB")


def erase(image, box):
    """torchvision erases tensors: here one of bytes."""
    x, y, width, height = map(int, box)
    tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    tensor = F.erase(tensor, y, x, height, width, torch.zeros(1, dtype=torch.uint8))
    return Image.fromarray(tensor.permute(1, 2, 0).contiguous().numpy())


def replay(image, numbers):
    """All operations in torchvision with parameters that augment drew. Returns
    the picture and by how much later steps widen a difference in hue."""
    flip_h, flip_v, pil_filter, degrees = numbers[:4]
    order, amounts, (erased, *box) = numbers[4:8], numbers[8:12], numbers[12:]
    widening = 0.0
    image = F.hflip(image) if flip_h else image
    image = F.vflip(image) if flip_v else image
    image = F.rotate(image, degrees, FILTERS[int(pil_filter)])
    for step in map(int, order):
        name, adjust, *_ = OPERATIONS[4 + step]
        if name == "hue" and amounts[step] == 0:
            continue
        image = adjust(image, amounts[step])
        # Saturation may subtract what it does not take from the grey.
        gain = abs(amounts[step]) + (abs(1 - amounts[step]) if name == "saturation" else 0)
        widening = 1.0 if name == "hue" else widening * max(gain, 1)
    return (erase(image, box) if erased else image), widening


def check_draws(peer, report):
    """Two-sample chi-square of area, ratio and place against RandomErasing."""
    torch.manual_seed(5)
    for width, height in [(224, 224), (61, 200)]:
        ours, theirs = [], []
        tensor = torch.empty(3, height, width)
        for index in range(DRAWS):
            peer.send("box", (width, height), index)
            erased, *box = peer.numbers()
            if erased:
                ours.append(box)
            y, x, h, w, _ = RandomErasing.get_params(tensor, (0.02, 0.33), (0.3, 3.3), [0.0])
            if (h, w) != (height, width):
                theirs.append([x, y, w, h])
        compare_boxes(report, f"{width}x{height}", np.array(ours), np.array(theirs, float),
                      width, height)


def compare_boxes(report, name, ours, theirs, width, height):
    measures = {
        "left": lambda b: b[:, 0] / (width - b[:, 2]),
        "top": lambda b: b[:, 1] / (height - b[:, 3]),
        "area": lambda b: b[:, 2] * b[:, 3] / (width * height),
        "ratio": lambda b: np.log(b[:, 3] / b[:, 2]),
    }
    if abs(len(ours) - len(theirs)) > 5 * math.sqrt(DRAWS):
        report.failures.append(f"boxes {name}: {len(ours)} erased, torchvision {len(theirs)}")
    for measure, of in measures.items():
        a, b = of(ours), of(theirs)
        edges = np.quantile(np.concatenate([a, b]), np.linspace(0, 1, 11))
        counts_a, _ = np.histogram(a, edges)
        counts_b, _ = np.histogram(b, edges)
        expected = counts_a.sum() / counts_b.sum() * counts_b
        chi = float(((counts_a - expected) ** 2 / (expected * (1 + len(a) / len(b)))).sum())
        print(f"erased boxes {name}: {measure} chi-square {chi:.1f} (27.9: one in a thousand)")
        if chi > 27.9:
            report.failures.append(f"boxes {name}: {measure} chi-square {chi:.1f}")


def main():
    peer = Peer(sys.argv[1])
    report = Report()
    pictures = [*generated(np.random.default_rng(3)), ("cube", colour_cube()), *photographs()]
    for i, (name, image) in enumerate(pictures):
        for group, theirs, amounts, limit in OPERATIONS:
            for amount in amounts:
                ours = peer.apply(group, image, float(amount))
                report.compare(group, f"{name} {amount}", ours, theirs(image, amount), limit)
        for index in range(4 * i, 4 * i + 4):
            numbers, ours = peer.apply_all(image, index)
            theirs, widening = replay(image, numbers)
            group = "all, hue too" if widening else "all but hue"
            report.compare(group, f"{name} {index}", ours, theirs, math.ceil(widening))
    check_draws(peer, report)
    report.print()
    print(f"{sum(report.cases.values())} cases, {len(report.failures)} failed")
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
