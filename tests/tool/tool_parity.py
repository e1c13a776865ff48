#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe parity: pictures as video against pictures as they were trained."""
import os

from toolbench import main
from tapcases import check


def pictures_of(bench, n):
    folder = os.path.join(bench.frames, "normal")
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))[:n]]


def case_parity_finds_rgb_the_same_and_yuv_near(bench):
    checkpoint = bench.train()
    pictures = pictures_of(bench, 3)
    lines = bench.run("parity", checkpoint, *pictures, "--json").of_type("parity")
    check([l["path"] for l in lines[::13]] == pictures and len(lines) == 39, f"{lines}")
    for line in lines:
        if line["video"] == "RGB":
            check(line["levels"] == 0 and line["difference"] == 0, f"{line}")
        else:
            check(line["levels"] < 64 and line["difference"] < 0.5, f"{line}")
    check(len({l["video"] for l in lines}) == 13, f"{lines}")
    text = bench.run("parity", checkpoint, pictures[0]).out
    check(text.startswith(pictures[0]) and "  RGB                     0  0.000000" in text, text)


def case_parity_gives_bad_pictures_a_line(bench):
    checkpoint = bench.train()
    bench.write("junk.jpg", "no picture")
    picture, = pictures_of(bench, 1)
    result = bench.run("parity", checkpoint, "junk.jpg", picture, "missing.png", "--json", status=1)
    bad = result.of_type("sample-error")
    check({b["path"] for b in bad} == {"junk.jpg", "missing.png"}, str(result))
    check(all(b["reason"] for b in bad) and len(result.of_type("parity")) == 13, str(result))
    check("cannot be used" in bench.run("parity", checkpoint, "junk.jpg", status=1).out, "a line")


def case_parity_says_what_is_no_checkpoint(bench):
    bench.write("junk.safetensors", "no model")
    picture, = pictures_of(bench, 1)
    for name in ("junk.safetensors", "missing.safetensors"):
        result = bench.run("parity", name, picture, status=1)
        check(name in result.err and result.err.startswith("tlpipe: error: "), str(result))


if __name__ == "__main__":
    main(globals())
