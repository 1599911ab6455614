#!/usr/bin/env python3
"""`catalog scan` of a large package against `sha256sum` of the same file, in turns.

The package does not compress and has no holes. Two are made: one whose Update.zip is stored (its directory is read in
place) and one whose Update.zip is compressed itself (it is inflated as a stream). Both programs run in turns, so that
what else the machine does falls on both; each file is read once before, so that all turns meet it where it was left.
Speed and largest memory are printed; ends with 1 if a number is missed.
"""

import argparse
import os
import pathlib
import struct
import subprocess
import tempfile
import time
import zlib

import common

FULL = "DataMiner 10.5.0.0(CU9)-16700 Full Upgrade.dmupgrade"
BLOCK = 8 << 20
SMALL = {
    "UpdateContent.txt": b"Disable\r\nKill\r\nUpdate Files\r\nUpdate Webpages\r\nStart\r\n",
    "Files/SLNet.exe": b"MZ core",
    "Webpages/API/bin/Skyline.DataMiner.Web.dll": b"MZ web",
    "Prerequisites/VerifyNatsCluster.dll": b"MZ check",
    "Prerequisites/Executor/StandaloneBpaExecutor.exe": b"MZ executor",
}


def noise(size):
    """Bytes that do not compress, fast: one random block with a number in it."""
    block = bytearray(os.urandom(BLOCK))
    number = 0
    while size:
        block[:8] = struct.pack("<Q", number)
        number += 1
        count = min(size, BLOCK)
        yield bytes(block[:count])
        size -= count


class Zip:
    """Writes an archive of stored members, as a stream, with zip64 sizes throughout."""

    def __init__(self, out):
        self.out, self.at, self.entries = out, 0, []

    def put(self, data):
        self.out(data)
        self.at += len(data)

    def member(self, name, size, crc, chunks, method=0, packed=None):
        packed = size if packed is None else packed
        offset, name = self.at, name.encode()
        extra = struct.pack("<HHQQ", 1, 16, size, packed)
        head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 0, method, 0, 0, crc, 2**32 - 1, 2**32 - 1, len(name), 20)
        self.put(head + name + extra)
        for chunk in chunks:
            self.put(chunk)
        self.entries.append((name, size, packed, crc, method, offset))

    def end(self):
        start = self.at
        for name, size, packed, crc, method, offset in self.entries:
            extra = struct.pack("<HHQQQ", 1, 24, size, packed, offset)
            full = 2**32 - 1
            self.put(
                struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, 0, method, 0, 0, crc, full, full, len(name), 28, 0, 0, 0, 0, full)
                + name
                + extra
            )
        size, end = self.at - start, self.at
        count = len(self.entries)
        self.put(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, start))
        self.put(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
        self.put(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0))


def crc_of(chunks):
    crc = 0
    for chunk in chunks:
        crc = zlib.crc32(chunk, crc)
    return crc


def update_zip(path, size):
    """Update.zip with its ballast in one member of `Files`."""
    ballast = pathlib.Path(f"{path}.noise")
    with ballast.open("wb") as out:
        for chunk in noise(size):
            out.write(chunk)
    crc = crc_of(read(ballast))
    with path.open("wb") as out:
        inner = Zip(out.write)
        for name, data in SMALL.items():
            inner.member(name, len(data), zlib.crc32(data), [data])
        inner.member("Files/ballast.dat", size, crc, read(ballast))
        inner.end()
    ballast.unlink()


def read(path):
    with path.open("rb") as file:
        while chunk := file.read(BLOCK):
            yield chunk


def deflated(chunks):
    squeeze = zlib.compressobj(1, zlib.DEFLATED, -15)
    for chunk in chunks:
        yield squeeze.compress(chunk)
    yield squeeze.flush()


def package(folder, size, method):
    update = folder.parent / "Update.zip"
    update_zip(update, size)
    length, crc = update.stat().st_size, crc_of(read(update))
    if method:
        packed = folder.parent / "Update.deflate"
        with packed.open("wb") as out:
            for chunk in deflated(read(update)):
                out.write(chunk)
        update.unlink()
        update = packed
    file = folder / FULL
    with file.open("wb") as out:
        outer = Zip(out.write)
        text = b"DataMiner Upgrade (Full)\r\n"
        outer.member("Description.txt", len(text), zlib.crc32(text), [text])
        outer.member("Update.zip", length, crc, read(update), method, update.stat().st_size)
        outer.member("SLUpgrade.dll", 2, zlib.crc32(b"MZ"), [b"MZ"])
        outer.end()
    update.unlink()
    return file


def measured(command):
    """Seconds and the largest memory in MiB; the program must say that all is well."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    if process.returncode != 0:
        raise SystemExit(f"{command} ended with {process.returncode}:\n{said}")
    return seconds, usage.ru_maxrss / 1024


def measure(name, folder, file, rounds):
    megabytes = file.stat().st_size / 1e6
    for _ in read(file):
        pass
    rows = []
    for number in range(rounds):
        common.load()
        theirs, _ = measured(["sha256sum", str(file)])
        ours, memory = measured([common.program(), "catalog", "scan", str(folder)])
        rows.append((megabytes / theirs, megabytes / ours, memory))
        print(
            f"      {name}, round {number + 1}: sha256sum {theirs:.2f} s = {rows[-1][0]:.0f} MB/s, "
            f"catalog scan {ours:.2f} s = {rows[-1][1]:.0f} MB/s, {memory:.0f} MiB at most",
            flush=True,
        )
    theirs, ours, memory = (common.median(column) for column in zip(*rows, strict=True))
    share = 100 * ours / theirs
    speed = f"{ours:.0f} MB/s against sha256sum's {theirs:.0f} = {share:.0f}"
    good = common.verdict(f"scan, Update.zip {name}", speed, ">= 80", share >= 80, "%")
    return common.verdict(f"memory, Update.zip {name}", f"{memory:.0f}", "< 100", memory < 100, "MiB") and good


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=4000, help="megabytes of the package (4000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=pathlib.Path, help="where the files are made; needs twice the size")
    args = parser.parse_args()
    good = True
    for name, method in (("stored", 0), ("deflated", 8)):
        with tempfile.TemporaryDirectory(dir=args.folder) as root:
            folder = pathlib.Path(root) / "packages"
            folder.mkdir()
            file = package(folder, args.size * 1_000_000, method)
            good &= measure(name, folder, file, args.rounds)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
