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
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib

try:
    import numpy as np
    from PIL import Image, ImageOps
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

FILTERS = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC]
REAL_PICTURES = 60
MAX_PIXELS = 50_000_000  # Pillow would fill the memory
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "TIFF", "PPM")
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


def generated_webps(folder, rng):
    for width, height in [(1, 1), (3, 2), (33, 65), (321, 200)]:
        four = smooth(rng, width, height, 4)
        rgb, rgba = Image.fromarray(four[..., :3]), Image.fromarray(four, "RGBA")
        name = f"{width}x{height}.webp"
        yield save(folder, "lossy_" + name, rgb, quality=80)
        yield save(folder, "lossless_" + name, rgb, lossless=True)
        yield save(folder, "lossy_alpha_" + name, rgba, quality=70)
        yield save(folder, "lossless_alpha_" + name, rgba, lossless=True, exact=True)
        yield save(folder, "palette_" + name, rgb.quantize(9).convert("RGB"), lossless=True)
        yield save(folder, "moving_" + name, rgba, save_all=True, lossless=True,
                   append_images=[Image.fromarray(255 - four[..., :3])])


def bmp(header, width, height, bits, pixels, compression=0, palette=b"", masks=b"", colours=0):
    """A bitmap of any kind; Pillow writes few of them."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression,
                           len(pixels), 0, 0, colours, 0)
        info += (masks if header > 40 else b"").ljust(header - 40, b"\0")
    if header == 40:
        palette = masks + palette
    start = 14 + len(info) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + info + palette + pixels


def bmp_rows(rng, width, height, bits):
    stride = (width * bits + 31) // 32 * 4
    return rng.integers(0, 256, stride * height, np.uint8).tobytes()


def run_lengths(rng, width, height, bits):
    """Runs, listed pixels and, to the end of each row, one of two markers."""
    data = bytearray()
    for y in range(height):
        x = 0
        while x < width - 12:
            n = int(rng.integers(1, 9))
            if rng.integers(2) or n < 3:
                data += bytes([n, int(rng.integers(256))])
            else:
                listed = rng.integers(0, 256, n if bits == 8 else (n + 1) // 2, np.uint8).tobytes()
                data += bytes([0, n]) + listed + b"\0" * (len(listed) % 2)
            x += n
        data += b"\0\0" if y % 3 else bytes([0, 2, width - x, 0])
    return bytes(data) + b"\0\1"


def generated_bmps(folder, rng):
    masks = {
        16: [(0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0)],
        32: [(0xFF0000, 0xFF00, 0xFF, 0), (0xFF000000, 0xFF0000, 0xFF00, 0),
             (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0, 0, 0, 0)],
    }
    files = {}
    for width, height in [(1, 1), (3, 2), (61, 47)]:
        for bits in (1, 4, 8):
            colours = rng.integers(0, 256, (2 ** bits, 4), np.uint8)
            rows = bmp_rows(rng, width, height, bits)
            size = f"{bits}_{width}x{height}"
            files["core_" + size] = bmp(12, width, height, bits, rows, palette=colours[:, :3].tobytes())
            for header in (40, 64, 108, 124):
                files[f"h{header}_{size}"] = bmp(header, width, height, bits, rows, palette=colours.tobytes())
            files["down_" + size] = bmp(40, width, -height, bits, rows, palette=colours.tobytes())
            if bits > 1 and width > 12:
                runs = run_lengths(rng, width, height, bits)
                files["rle_" + size] = bmp(40, width, height, bits, runs, 1 if bits == 8 else 2,
                                           colours.tobytes())
        for bits in (16, 24, 32):
            rows = bmp_rows(rng, width, height, bits)
            size = f"{bits}_{width}x{height}"
            files["raw_" + size] = bmp(40, width, height, bits, rows)
            files["down_" + size] = bmp(40, width, -height, bits, rows)
            for i, mask in enumerate(masks.get(bits, [])):
                if any(mask) or bits == 32:
                    packed = struct.pack("<4I", *mask)
                    files[f"mask{i}_{size}"] = bmp(124, width, height, bits, rows, 3, masks=packed)
                    files[f"mask{i}_short_{size}"] = bmp(40, width, height, bits, rows, 3, masks=packed[:12])
    few = rng.integers(0, 256, (5, 4), np.uint8)
    rows = (np.frombuffer(bmp_rows(rng, 61, 47, 8), np.uint8) % 5).tobytes()
    files["few_colours"] = bmp(40, 61, 47, 8, rows, palette=few.tobytes(), colours=5)
    for name, data in files.items():
        path = os.path.join(folder, f"bmp_{name}.bmp")
        with open(path, "wb") as file:
            file.write(data)
        yield path


def generated_tiffs(folder, rng):
    for width, height in [(1, 1), (3, 2), (61, 47), (300, 170)]:
        four = smooth(rng, width, height, 4)
        rgb, rgba = Image.fromarray(four[..., :3]), Image.fromarray(four, "RGBA")
        wide = Image.fromarray(four[..., 0].astype(np.uint16) * 257 + 3)
        pictures = {
            "rgb": rgb, "rgba": rgba, "grey": rgb.convert("L"), "la": rgba.convert("LA"),
            "bit": rgb.convert("1"), "palette": rgb.quantize(77), "wide": wide,
            "cmyk": Image.fromarray(four, "CMYK"), "ycbcr": rgb.convert("YCbCr"),
        }
        for mode, image in pictures.items():
            for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
                if compression == "jpeg" and mode not in ("rgb", "grey", "cmyk", "ycbcr"):
                    continue
                yield save(folder, f"{mode}_{compression}_{width}x{height}.tif", image,
                           compression=compression)
        for compression in ("group3", "group4", "tiff_ccitt"):
            yield save(folder, f"{compression}_{width}x{height}.tif", rgb.convert("1"),
                       compression=compression)
        yield save(folder, f"white_{width}x{height}.tif", rgb.convert("L"),
                   tiffinfo={262: 0}, compression="tiff_lzw")
        yield save(folder, f"big_{width}x{height}.tif", rgb, big_tiff=True)
        for bits in (8, 16):
            yield save_tiff(folder, f"planes{bits}_{width}x{height}.tif", rng, width, height, bits)
            yield save_tiff(folder, f"tiles{bits}_{width}x{height}.tif", rng, width, height, bits, tile=16)


def save_tiff(folder, name, rng, width, height, bits, tile=0):
    """RGB in planes or in tiles, which Pillow does not write."""
    values = rng.integers(0, 2 ** bits, (height, width, 3)).astype(f"<u{bits // 8}")
    if tile:
        rows, columns = -(-height // tile), -(-width // tile)
        room = np.zeros((rows * tile, columns * tile, 3), values.dtype)
        room[:height, :width] = values
        blocks = [room[y * tile:(y + 1) * tile, x * tile:(x + 1) * tile].tobytes()
                  for y in range(rows) for x in range(columns)]
        blocks = [zlib.compress(block) for block in blocks]
        shape = [(322, 3, [tile]), (323, 3, [tile]), (324, 4, None), (325, 4, [len(b) for b in blocks])]
    else:
        blocks = [values[..., c].tobytes() for c in range(3)]
        blocks = [zlib.compress(block) for block in blocks]
        shape = [(273, 4, None), (278, 4, [height]), (279, 4, [len(b) for b in blocks]), (284, 3, [2])]
    tags = sorted([(256, 4, [width]), (257, 4, [height]), (258, 3, [bits] * 3), (259, 3, [8]),
                   (262, 3, [2]), (277, 3, [3])] + shape)
    places = 8 + np.cumsum([0] + [len(b) for b in blocks])
    extra_at = int(places[-1]) + 2 + 12 * len(tags) + 4
    entries, extra = b"", b""
    for tag, kind, numbers in tags:
        numbers = [int(p) for p in places[:-1]] if numbers is None else numbers
        packed = struct.pack(f"<{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        if len(packed) > 4:
            packed, extra = struct.pack("<I", extra_at + len(extra)), extra + packed
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + packed.ljust(4, b"\0")
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, int(places[-1])) + b"".join(blocks)
                   + struct.pack("<H", len(tags)) + entries + b"\0" * 4 + extra)
    return path


def generated_pnms(folder, rng):
    files = {}
    for width, height in [(1, 1), (3, 2), (61, 47)]:
        size = f"{width}x{height}"
        head = f"# a comment\n{width} # another\n{height}\n"
        for maximum in (1, 7, 100, 255, 300, 1023, 65535):
            for kind, n in ((2, 1), (3, 3)):
                values = rng.integers(0, maximum + 1, (height, width * n))
                text = "\n".join(" ".join(map(str, row)) for row in values)
                packed = values.astype(">u2" if maximum > 255 else "u1").tobytes()
                files[f"p{kind}_{maximum}_{size}"] = f"P{kind}\n{head}{maximum}\n{text}\n".encode()
                files[f"p{kind + 3}_{maximum}_{size}"] = f"P{kind + 3} {head}{maximum}\n".encode() + packed
        bits = rng.integers(0, 2, (height, width))
        files["p1_" + size] = f"P1\n{head}".encode() + "\n".join(
            "".join(map(str, row)) for row in bits).encode()
        files["p4_" + size] = f"P4\n{head}".encode() + np.packbits(bits.astype(np.uint8), axis=1).tobytes()
    for name, data in files.items():
        path = os.path.join(folder, name + ".pnm")
        with open(path, "wb") as file:
            file.write(data)
        yield path


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
                       and m.name.lower().endswith(SUFFIXES)]
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
        if image.format not in FORMATS or image.width * image.height > MAX_PIXELS:
            return None
        mode = image.mode
        rgb = image.convert("RGB")
    except Exception:
        return None
    if mode.startswith("I"):
        # Pillow turns 16-bit grey above 255 white; the high byte is meant, of 12
        # bits the high 8.
        bits = getattr(image, "tag_v2", {}).get(258, (16,))[0]
        high = (np.asarray(image).astype(np.uint32) >> (bits - 8)).astype(np.uint8)
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
            # Of YCbCr without compression Pillow makes RGB itself, not by libtiff.
            if "ycbcr_raw" not in name:
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


ORIENTED = {"jpg": {"quality": 90, "subsampling": 2}, "png": {}, "webp": {"quality": 80},
            "tif": {"compression": "tiff_lzw"}}


def oriented_files(folder, rng):
    """Every orientation by EXIF, and by XMP where there is no EXIF."""
    for suffix, options in ORIENTED.items():
        for width, height in [(1, 1), (67, 41), (160, 233)]:
            rgb = Image.fromarray(smooth(rng, width, height, 3))
            for orientation in range(10):
                name = f"o{orientation}_{width}x{height}.{suffix}"
                exif = Image.Exif()
                exif[ORIENTATION] = orientation
                if suffix != "tif":
                    yield save(folder, name, rgb, exif=exif, **options)
                elif 1 <= orientation <= 8:  # libtiff writes no other
                    yield save(folder, name, rgb, tiffinfo={ORIENTATION: orientation}, **options)
    xmp = b'<x tiff:Orientation="6"/>'
    for suffix in ("jpg", "webp"):
        yield save(folder, f"xmp.{suffix}", rgb, xmp=xmp, **ORIENTED[suffix])


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


def check_dct_scaling(program, report, folder, rng, good):
    """How far a JPEG decoded at a smaller size is from Pillow's pixels."""
    peer = Peer(program, "shrink")
    large = save(folder, "large.jpg", Image.fromarray(smooth(rng, 1920, 1080, 3)), quality=90)
    real = [(path, image) for path, image in good if "hymenoptera" in path]
    means, worst = [], 0
    for path, image in [(large, Image.open(large)), *real]:
        theirs = center_crop(resize_short(image, 110, FILTERS[0]), 96, 96)
        ours = peer.pixels("center", 110, 96, 96, 0, path)
        difference = np.abs(ours.astype(int) - np.asarray(theirs).astype(int))
        if difference.any():
            means.append(difference.mean())
            worst = max(worst, int(difference.max()))
        report.cases += 1
    print(f"dct-scaling: {len(means)} of {1 + len(real)} pictures changed, by {np.mean(means):.2f} "
          f"levels in the mean, {max(means):.2f} in the worst picture, {worst} at most")
    # All of hymenoptera: 0.72, 2.4 and 37.
    if np.mean(means) > 1.5 or max(means) > 4 or worst > 60:
        report.failures.append("dct-scaling: further from Pillow than the documentation says")


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
                 *generated_webps(folder, rng), *generated_bmps(folder, rng),
                 *generated_tiffs(folder, rng), *generated_pnms(folder, rng),
                 *material_files(folder)]
        good = check_decoding(peer, report, paths)
        check_geometry(peer, report, good, rng)
        check_dct_scaling(sys.argv[1], report, folder, rng, good)
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
