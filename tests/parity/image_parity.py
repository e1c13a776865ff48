#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares decoding, cropping and resizing with Pillow.

Usage: image_parity.py IMAGEPEER

Generated pictures always; those of TLPIPE_MATERIAL where it is there. Exits 77
without Pillow and numpy, 1 if any case differs by more than it may.
"""

import io
import math
import os
import subprocess
import sys
import tarfile
import tempfile

try:
    import numpy as np
    from PIL import Image, ImageOps
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

FILTERS = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC]
REAL_PICTURES = 60
ORIENTATION = 0x0112


class Peer:
    """The imagepeer program, one request at a time."""

    def __init__(self, *command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        line = " ".join(str(word) for word in words) + "\n"
        self.process.stdin.write(line.encode())
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().split(maxsplit=1)

    def pixels(self, *words):
        verdict, rest = self.ask(*words)
        if verdict != "ok":
            return rest.strip()
        width, height = map(int, rest.split())
        data = self.process.stdout.read(width * height * 3)
        return np.frombuffer(data, np.uint8).reshape(height, width, 3)


class Report:
    def __init__(self):
        self.cases = 0
        self.failures = []
        self.worst = {}

    def compare(self, group, name, ours, theirs, limit):
        """Differences above limit - 1 levels on at most 0.1 % of the values."""
        self.cases += 1
        if isinstance(ours, str) or ours.shape != theirs.shape:
            self.failures.append(f"{group} {name}: {ours if isinstance(ours, str) else ours.shape}")
            return
        difference = np.abs(ours.astype(int) - theirs.astype(int))
        worst = int(difference.max(initial=0))
        share = float((difference >= limit).mean()) if limit else 0.0
        self.worst[group] = max(self.worst.get(group, 0), worst)
        if worst > limit or (limit > 1 and share > 1e-3):
            self.failures.append(f"{group} {name}: up to {worst} levels, {share:.2%}")


def resize_short(image, size, pil_filter):
    """torchvision's Resize(int)."""
    width, height = image.size
    if width <= height:
        target = size, int(size * height / width)
    else:
        target = int(size * width / height), size
    return image if target == image.size else image.resize(target, pil_filter)


def center_crop(image, width, height):
    """torchvision's CenterCrop on a PIL image."""
    have_w, have_h = image.size
    left = max((width - have_w) // 2, 0)
    top = max((height - have_h) // 2, 0)
    if left or top or have_w < width or have_h < height:
        padded = Image.new("RGB", (max(width, have_w), max(height, have_h)))
        padded.paste(image, (left, top))
        image = padded
        have_w, have_h = image.size
    x = int(round((have_w - width) / 2.0))
    y = int(round((have_h - height) / 2.0))
    return image.crop((x, y, x + width, y + height))


def smooth(rng, width, height, channels):
    """Gradients, edges and some noise: more like a picture than noise alone."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        a, b, phase = rng.uniform(0.01, 0.3, 3)
        plane = 128 + 90 * np.sin(a * x + b * y + phase) + rng.normal(0, 12, x.shape)
        planes.append(np.where((x // 17 + y // 13) % 7 == 0, 250, plane))
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def save(folder, name, image, **options):
    path = os.path.join(folder, name)
    image.save(path, **options)
    return path


def generated_jpegs(folder, rng):
    sizes = [(1, 1), (2, 3), (7, 500), (500, 7), (16, 16), (17, 15), (223, 225),
             (224, 224), (500, 375), (375, 500), (641, 479), (1280, 720)]
    for width, height in sizes:
        rgb = Image.fromarray(smooth(rng, width, height, 3))
        for subsampling in (0, 1, 2):
            yield save(folder, f"rgb_{width}x{height}_{subsampling}.jpg", rgb,
                       quality=88, subsampling=subsampling)
        yield save(folder, f"progressive_{width}x{height}.jpg", rgb, progressive=True)
        yield save(folder, f"grey_{width}x{height}.jpg", rgb.convert("L"))
    cmyk = Image.fromarray(smooth(rng, 300, 200, 4), "CMYK")
    yield save(folder, "cmyk.jpg", cmyk)
    yield save(folder, "keep_rgb.jpg", Image.fromarray(smooth(rng, 300, 200, 3)), keep_rgb=True)
    yield save(folder, "restarts.jpg", Image.fromarray(smooth(rng, 300, 200, 3)),
               restart_marker_rows=1)


def generated_pngs(folder, rng):
    for width, height in [(1, 1), (3, 2), (33, 65), (500, 375), (97, 640)]:
        four = smooth(rng, width, height, 4)
        rgb = Image.fromarray(four[..., :3])
        name = f"{width}x{height}.png"
        yield save(folder, "rgb_" + name, rgb)
        yield save(folder, "rgba_" + name, Image.fromarray(four, "RGBA"))
        yield save(folder, "grey_" + name, rgb.convert("L"))
        yield save(folder, "la_" + name, Image.fromarray(four, "RGBA").convert("LA"))
        yield save(folder, "bit_" + name, rgb.convert("1"))
        for bits in (1, 2, 4, 8):
            palette = rgb.quantize(min(2 ** bits, 200))
            yield save(folder, f"palette{bits}_" + name, palette, bits=bits)
        yield save(folder, "trns_" + name, rgb.quantize(16), transparency=3)
        yield save(folder, "trnsrgb_" + name, rgb, transparency=(1, 2, 3))


def material_files(folder):
    """Some real photographs and ultrasound frames, and PngSuite."""
    material = os.environ.get("TLPIPE_MATERIAL", "")
    if not os.path.isdir(material):
        print("no TLPIPE_MATERIAL: generated pictures only")
        return
    for name, n in [("hymenoptera_data.tar", REAL_PICTURES),
                    ("pocus_lung_ultrasound_frames.tar", REAL_PICTURES),
                    ("bad_images.tar.gz", None)]:
        with tarfile.open(os.path.join(material, name)) as tar:
            members = [m for m in tar.getmembers() if m.isfile()
                       and m.name.lower().endswith((".jpg", ".jpeg", ".png"))]
            step = max(1, len(members) // n) if n else 1
            for i, member in enumerate(members[::step]):
                path = os.path.join(folder, f"{name.split('.')[0]}_{i:03d}_{os.path.basename(member.name)}")
                with open(path, "wb") as file:
                    file.write(tar.extractfile(member).read())
                yield path


def pillow_rgb(path):
    """What a user of torchvision's ImageFolder gets, or None."""
    try:
        image = Image.open(path)
        if image.format not in ("JPEG", "MPO", "PNG"):
            return None
        mode = image.mode
        rgb = image.convert("RGB")
    except Exception:
        return None
    if mode.startswith("I"):
        # Pillow turns 16-bit grey above 255 white; the high byte is meant.
        high = (np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)
        rgb = Image.fromarray(high).convert("RGB")
    return rgb


def check_decoding(peer, report, paths):
    """Returns the paths that both sides decode to the same pixels."""
    good, stricter, refused = [], [], 0
    for path in paths:
        image = pillow_rgb(path)
        ours = peer.pixels("decode", path)
        name = os.path.basename(path)
        if image is None:
            refused += isinstance(ours, str)
        elif isinstance(ours, str) and "bad_images" in name:
            stricter.append(f"{name}: {ours}")
        else:
            report.compare("decode", name, ours, np.asarray(image), 2)
            good.append((path, image))
    print(f"decoded alike: {len(good)}, refused by both: {refused}, "
          f"refused by us alone: {len(stricter)}")
    for line in stricter:
        print("  refused:", line)
    return good


def check_geometry(peer, report, good, rng):
    for i, (path, image) in enumerate(good):
        name = os.path.basename(path)
        ratio = max(image.size) / min(image.size)
        for resize, width, height in [(256, 224, 224), (64, 96, 80), (33, 31, 33)]:
            f = (i + resize) % 2
            if ratio > 100:
                continue
            theirs = center_crop(resize_short(image, resize, FILTERS[f]), width, height)
            ours = peer.pixels("center", resize, width, height, f, path)
            report.compare("center", f"{name} {resize}", ours, np.asarray(theirs), 1)
        for f in (0, 1):
            w = int(rng.integers(1, image.width + 1))
            h = int(rng.integers(1, image.height + 1))
            x = int(rng.integers(0, image.width - w + 1))
            y = int(rng.integers(0, image.height - h + 1))
            theirs = image.crop((x, y, x + w, y + h)).resize((224, 160), FILTERS[f])
            ours = peer.pixels("crop", x, y, w, h, 224, 160, f, path)
            report.compare("crop", f"{name} {x},{y},{w},{h}", ours, np.asarray(theirs), 1)


ORIENTED = {"jpg": {"quality": 90, "subsampling": 2}, "png": {}}


def oriented_files(folder, rng):
    """Every orientation by EXIF, and by XMP where there is no EXIF."""
    for suffix, options in ORIENTED.items():
        for width, height in [(1, 1), (67, 41), (160, 233)]:
            rgb = Image.fromarray(smooth(rng, width, height, 3))
            for orientation in range(10):
                exif = Image.Exif()
                exif[ORIENTATION] = orientation
                yield save(folder, f"o{orientation}_{width}x{height}.{suffix}", rgb,
                           exif=exif, **options)
    xmp = b'<x tiff:Orientation="6"/>'
    yield save(folder, "xmp.jpg", rgb, xmp=xmp, **ORIENTED["jpg"])


def check_orientation(program, report, folder, rng):
    peer = Peer(program, "orient")
    files = list(oriented_files(folder, rng))
    turned = [(path, ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
              for path in files]
    for path, image in turned:
        limit = 2 if path.endswith(".jpg") else 0
        report.compare("orient", os.path.basename(path), peer.pixels("decode", path),
                       np.asarray(image), limit)
    check_geometry(peer, report, turned, rng)


def check_random_crops(peer, report):
    """The distribution of torchvision's RandomResizedCrop: range and mean."""
    area, log_ratio = [], []
    for index in range(4000):
        _, rest = peer.ask("random", 7, index % 3, index, 500, 400)
        x, y, w, h = map(int, rest.split())
        if x + w > 500 or y + h > 400:
            report.failures.append(f"random crop {x},{y},{w},{h} outside the picture")
        area.append(w * h / 200000)
        log_ratio.append(math.log(w / h))
    report.cases += 1
    # torchvision itself, 20,000 draws on 500x400: area 0.452, log ratio 0.028.
    if abs(np.mean(area) - 0.452) > 0.02 or abs(np.mean(log_ratio) - 0.028) > 0.02:
        report.failures.append(f"random crops: mean area {np.mean(area):.3f}, "
                               f"log ratio {np.mean(log_ratio):.3f}")


def main():
    peer = Peer(sys.argv[1])
    report = Report()
    rng = np.random.default_rng(5)
    Image.MAX_IMAGE_PIXELS = None
    with tempfile.TemporaryDirectory() as folder:
        paths = [*generated_jpegs(folder, rng), *generated_pngs(folder, rng),
                 *material_files(folder)]
        good = check_decoding(peer, report, paths)
        check_geometry(peer, report, good, rng)
        check_orientation(sys.argv[1], report, folder, rng)
    check_random_crops(peer, report)
    for group, worst in sorted(report.worst.items()):
        print(f"{group}: worst difference {worst}")
    for failure in report.failures:
        print("FAILED", failure)
    print(f"{report.cases} cases, {len(report.failures)} failed")
    return bool(report.failures)


if __name__ == "__main__":
    sys.exit(main())
