#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The collection of pictures that broke decoders as a data set, in one line.

Every file is decoded or reported, and the process stays small: its peak resident
memory is measured. Exits 77 without TLPIPE_MATERIAL.
"""
import os
import subprocess
import sys
import tarfile
import tempfile

N_FILES = 391
MAX_PEAK_MB = 300
# A header of 4.3 gigapixels, and nothing behind it.
BOMB = bytes.fromhex("ffd8ffc0001108ffdcffdc03011100021100031100ffda000c03010002000300003f00ffd9")


def make_data_set(archive, folder):
    """datasetsrc goes by the extension, the decoder by the first bytes."""
    os.makedirs(folder)
    with open(os.path.join(folder, "bomb.jpg"), "wb") as file:
        file.write(BOMB)
    with tarfile.open(archive) as tar:
        members = [member for member in tar.getmembers() if member.isfile()]
        for i, member in enumerate(members):
            name = f"{i:03d}-{os.path.basename(member.name)}.jpg"
            with open(os.path.join(folder, name), "wb") as file:
                file.write(tar.extractfile(member).read())
    return len(members)


def run(location, log):
    """Exit status, and peak resident memory in MB, of the line."""
    line = (f"datasetsrc location={location} splits=valid epochs=1 ! imagedecode n-threads=2 "
            "! batcher batch-size=1 ! fakesink name=sink silent=false")
    process = subprocess.Popen(["gst-launch-1.0", "-m", "-v", *line.split()], stdout=log,
                               stderr=subprocess.STDOUT)
    _, status, usage = os.wait4(process.pid, 0)
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024


def main():
    archive = os.path.join(os.environ.get("TLPIPE_MATERIAL", ""), "bad_images.tar.gz")
    if not os.path.exists(archive):
        print("skipped: TLPIPE_MATERIAL names no folder with bad_images.tar.gz")
        return 77
    with tempfile.TemporaryDirectory(prefix="tlpipe-") as folder:
        given = make_data_set(archive, os.path.join(folder, "val", "all")) + 1
        with open(os.path.join(folder, "log"), "w+", encoding="utf-8", errors="replace") as log:
            status, peak = run(folder, log)
            log.seek(0)
            lines = log.readlines()
    reported = [line for line in lines if "tl-sample-error, " in line]
    decoded = sum("last-message = chain" in line for line in lines)
    bombs = [line for line in reported if "65500x65500" in line]
    print(f"{given} given, {decoded} decoded, {len(reported)} reported; "
          f"exit status {status}, peak {peak:.0f} MB")
    ok = (status == 0 and given == N_FILES + 1 and decoded + len(reported) == given
          and len(bombs) == 1 and "max-pixels" in bombs[0] and peak < MAX_PEAK_MB)
    if not ok:
        sys.stdout.writelines(lines[-20:])
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
