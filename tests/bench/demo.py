#!/usr/bin/env python3
"""The demo, as it tells it itself: commit to plan, and what each change takes on four Agents."""

import re

import common


def main():
    common.load()
    seconds, said = common.timed([common.program(), "demo"])
    text = re.sub(r"\x1b\[[0-9;]*m", "", said.decode())
    print(text.split("== Verdict", 1)[-1])
    # Each change says two times in its row of the verdict: commit to plan, commit to converged.
    rows = re.findall(r"(\d+\.\d) s\s+(?:\D\s+)?(\d+\.\d) s", text.split("== Verdict", 1)[-1])
    assert len(rows) == 3, text
    plans, changes = ([float(value) for value in column] for column in zip(*rows, strict=True))
    kept = common.verdict("commit to plan", max(plans), "< 2", max(plans) < 2, "s")
    upgrades = sum(changes[:2])
    kept &= common.verdict("both upgrades", f"{upgrades:.1f}", "< 60", upgrades < 60, "s")
    print(f"      the downgrade: {changes[2]:.1f} s; the whole demo: {seconds:.1f} s")
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
