#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares whole lines, datasetsrc ! imagedecode, with Pillow.

Every format, EXIF orientation, crop, filter and region; pictures of lossless
files to the bit. Exits 77 without Pillow and numpy, 1 if anything differs.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from PIL import Image, ImageOps
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

from image_parity import FILTERS, center_crop, resize_short, smooth

ORIENTATION = 0x0112
LOSSY = (".jpg",)
# Another version of libjpeg may round otherwise.
LOSSY_LIMIT = 2
# crop, interpolation, region (as given, and as left, top, right, bottom in
# hundredths), auto-orient, width, height; rows of width pixels need no padding.
SETTINGS = [
    ("center", 0, None, False, 64, 64),
    ("center", 1, None, True, 64, 48),
    ("none", 0, None, True, 100, 60),
    ("none", 1, (10, 0, 90, 100), False, 64, 64),
    ("pad", 0, None, False, 64, 64),
    ("pad", 1, None, True, 64, 64),
    ("pad", 0, (25, 30, 75, 100), True, 120, 31),
    ("pad", 1, None, False, 300, 200),
    ("pad", 0, None, True, 8, 8),
]


def make_files(folder, rng):
    """Paths, in the order in which they are played."""
    sizes = [(1, 1), (40, 1), (3, 90), (64, 64), (97, 61), (120, 200), (333, 100)]
    formats = [(".png", {}), (".jpg", {"quality": 95}), (".webp", {"lossless": True}),
               (".bmp", {}), (".tif", {}), (".ppm", {})]
    for width, height in sizes:
        image = Image.fromarray(smooth(rng, width, height, 3))
        for suffix, options in formats:
            image.save(os.path.join(folder, f"{width}x{height}{suffix}"), **options)
    image = Image.fromarray(smooth(rng, 90, 50, 3))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        for suffix, options in formats[:3]:
            image.save(os.path.join(folder, f"turned{orientation}{suffix}"), exif=exif, **options)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]


def line_of(location, setting, output):
    crop, interpolation, region, auto_orient, width, height = setting
    part = ""
    if region:
        left, top, right, bottom = region
        part = f"region={left}%,{top}%,{right - left}%,{bottom - top}%"
    return (f"datasetsrc location={location} splits=valid epochs=1 ! imagedecode crop={crop} "
            f"interpolation={('bilinear', 'bicubic')[interpolation]} {part} on-error=fail "
            f"auto-orient={str(auto_orient).lower()} width={width} height={height} ! "
            f"filesink location={output}").split()


def ours(location, setting, n, folder):
    output = os.path.join(folder, "pixels")
    width, height = setting[4:]
    subprocess.run(["gst-launch-1.0", "-q", *line_of(location, setting, output)], check=True)
    return np.fromfile(output, np.uint8).reshape(n, height, width, 3)


def theirs(path, setting):
    """None where Pillow makes nothing of a side that rounds to no pixel; we keep one."""
    crop, interpolation, region, auto_orient, width, height = setting
    image = Image.open(path)
    if auto_orient:
        image = ImageOps.exif_transpose(image)
    image = image.convert("RGB")
    if region:
        image = image.crop(tuple(int(side * share / 100 + 0.5) for side, share
                                 in zip(image.size * 2, region)))
    method = FILTERS[interpolation]
    if crop == "none":
        return image.resize((width, height), method)
    if crop == "pad":
        nothing = min(ImageOps.contain(image, (width, height), method).size) == 0
        return None if nothing else ImageOps.pad(image, (width, height), method)
    # imagedecode's resize=0: 256 for 224.
    short = (max(width, height) * 256 + 112) // 224
    return center_crop(resize_short(image, short, method), width, height)


def main():
    rng = np.random.default_rng(7)
    failures, cases, worst = [], 0, {}
    with tempfile.TemporaryDirectory(prefix="tlpipe-") as folder:
        pictures = os.path.join(folder, "data", "val", "all")
        os.makedirs(pictures)
        paths = make_files(pictures, rng)
        for setting in SETTINGS:
            pixels = ours(os.path.join(folder, "data"), setting, len(paths), folder)
            for path, mine in zip(paths, pixels):
                name, lossy = os.path.basename(path), path.endswith(LOSSY)
                wanted = theirs(path, setting)
                if wanted is None:
                    continue
                difference = np.abs(mine.astype(int) - np.asarray(wanted))
                cases += 1
                worst[lossy] = max(worst.get(lossy, 0), int(difference.max()))
                if difference.max() > (LOSSY_LIMIT if lossy else 0):
                    failures.append(f"{name} {setting}: up to {difference.max()} levels, "
                                    f"{(difference > 0).mean():.2%} of the values")
    for failure in failures:
        print("FAILED", failure)
    print(f"{cases} cases, {len(failures)} failed; worst difference {worst[False]}, "
          f"of JPEG {worst[True]}")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
