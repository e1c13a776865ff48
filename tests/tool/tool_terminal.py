#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tlpipe run on a terminal: the bar, colours, keys."""
import re
import shutil

from toolbench import SLOW, interrupted, main, wait_for
from tapcases import check
from terminal import Terminal


def case_the_bar_fits_every_width(bench):
    for columns in (40, 41, 60, 80, 120, 200):
        shutil.rmtree(bench.path("run"), ignore_errors=True)
        terminal = Terminal([bench.tlpipe, "run", bench.finetune(), "--set", "epochs=2"],
                            columns, bench.folder, SLOW)
        check(terminal.finish() == 0, terminal.text)
        bars = terminal.bars()
        check(len(bars) > 3, f"no bar at {columns}: {terminal.text!r}")
        wide = [b for b in bars if len(b) >= columns]
        check(not wide, f"{columns}: {wide}")
        check(any("%" in b for b in bars), f"{columns}: {bars}")
        lines = terminal.lines()
        check(sum(bool(re.match(r"epoch \d/2: train loss", l)) for l in lines) == 2, f"{lines}")
        check(not any("[=" in l or "[>" in l for l in lines), f"a bar stays: {lines}")


def case_the_bar_shows_the_training(bench):
    terminal = Terminal([bench.tlpipe, "run", bench.finetune(), "--set", "epochs=5"], 120,
                        bench.folder, {"TLPIPE_REFERENCE_FAIL": "step-ms:120"})
    check(terminal.finish() == 0, terminal.text)
    last = [b for b in terminal.bars() if "epoch" in b][-1]
    for part in (r"epoch \d/5", r"\[=+>? *\]", r"\d+ %", r"loss \d\.\d{3}", r"acc \d+\.\d %",
                 r"\d+ images/s", r"ETA \d+ s"):
        check(re.search(part, last), f"no {part} in {last!r}")
    percents = [int(p) for p in re.findall(r"(\d+) %", " ".join(
        re.sub(r"acc [\d.]+ %", "", b) for b in terminal.bars()))]
    check(percents == sorted(percents), f"{percents}")


def case_ctrl_c_on_a_terminal(bench):
    terminal = Terminal([bench.tlpipe, "run", bench.finetune(), "--set", "epochs=1000"], 80,
                        bench.folder, SLOW)
    terminal.wait_for("epoch 2/1000")
    terminal.type("\x03")
    check(terminal.finish() == 130, terminal.text)
    check(any(l.startswith("interrupted after") for l in terminal.lines()), terminal.text)
    check("once more to stop at once" in terminal.text, terminal.text)


def case_colours_only_where_they_are_wanted(bench):
    words = [bench.tlpipe, "run", bench.finetune()]
    for env, color, bar in (({}, True, True), ({"NO_COLOR": "1"}, False, True),
                            ({"NO_COLOR": ""}, True, True), ({"TERM": "dumb"}, False, False)):
        terminal = Terminal(words, 80, bench.folder, {**SLOW, **env})
        check(terminal.finish() == 0, terminal.text)
        check(("\033[1;" in terminal.text) == color, f"{env}: {terminal.text!r}")
        check(bool(terminal.bars()) == bar, f"{env}: {terminal.text!r}")


def case_no_bar_with_json_or_quiet(bench):
    for option in ("--json", "--quiet"):
        terminal = Terminal([bench.tlpipe, "run", bench.finetune(), option], 80, bench.folder, SLOW)
        check(terminal.finish() == 0 and not terminal.bars(), terminal.text)


if __name__ == "__main__":
    main(globals())
