# SPDX-License-Identifier: BSD-3-Clause
"""Adds up meson's test logs.

summary.py LOG...: each LOG is the path of a log without its ending (meson adds
the name of the setup). Lists the failed tests and why others were skipped; the
last line is "N passed, N failed, N skipped". A log that is not there is a
failure: its tests did not run.
"""

import glob
import json
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}


def read_log(base):
    """The results in the log, or None if meson wrote none."""
    paths = glob.glob(glob.escape(base) + "*.json")
    if not paths:
        return None
    results = []
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            results += [json.loads(line) for line in lines]
    return results


def reason(result):
    """The last line a skipped test printed."""
    lines = (result.get("stdout", "") + result.get("stderr", "")).split("\n")
    lines = [line.strip() for line in lines if line.strip()]
    return lines[-1] if lines else "no reason given"


def main(bases):
    passed = failed = skipped = 0
    for base in bases:
        run = base.rsplit("/", 1)[-1]
        results = read_log(base)
        if not results:
            print(f"failed: {run}: no test ran")
            failed += 1
            continue
        for result in results:
            if result["result"] in PASSED:
                passed += 1
            elif result["result"] in SKIPPED:
                skipped += 1
                print(f"skipped: {run}: {result['name']}: {reason(result)}")
            else:
                failed += 1
                print(f"failed: {run}: {result['name']}: {result['result']}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
