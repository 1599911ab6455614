#!/usr/bin/env python3
"""`validate` beside `check-jsonschema` on the same files, in one run.

    pip install check-jsonschema
    cargo build --release
    python3 tests/bench/validate.py [--clusters 5000] [--agents 10] [--rounds 5]

One file per cluster. Each program runs ROUNDS times (the slow one once), the median counts; the memory is the peak
resident set. Exit code 0 only if every limit holds and both programs find nothing wrong.
"""

import argparse
import pathlib
import shutil
import sys
import tempfile

import common

LIMIT_SECONDS, LIMIT_MIB, LIMIT_SMALL_SECONDS, LIMIT_FACTOR = 2.0, 200, 0.1, 20


def manifest(number, agents):
    lines = [
        "# yaml-language-server: $schema=../../schema/json/cluster.schema.json",
        "apiVersion: dataminer.gitops/v1",
        "kind: Cluster",
        "metadata:",
        f"  name: cluster-{number:05}",
        f"  labels: {{ region: r{number % 7}, stage: production }}",
        "spec:",
        "  software:",
        "    core: 10.5.0 CU12",
        "    webApps: bundled",
        "  agents:",
    ]
    for agent in range(agents):
        address = f"10.{number // 250 % 250}.{number % 250}.{agent + 1}:{22 + number // 62500}"
        lines += [
            f"    - name: c{number:05}-dma-{agent:02}",
            f"      address: {address}",
            f'      hostKey: "SHA256:{number:021}{agent:022}"',
        ]
    lines += [
        "  connection:",
        "    ssh: { user: svc-gitops, identity: { file: /run/secrets/dms_key } }",
        "  windows:",
        '    - { kind: Allow, schedule: "0 22 * * SAT", duration: 6h, timeZone: Europe/Brussels, cutoff: 1h }',
        "    - { kind: Deny, from: 2026-12-20, to: 2027-01-04, timeZone: Europe/Brussels, reason: freeze }",
    ]
    return "\n".join(lines) + "\n"


def write(folder, clusters, agents):
    folder.mkdir()
    for number in range(clusters):
        (folder / f"cluster-{number:05}.yaml").write_text(manifest(number, agents))
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clusters", type=int, default=5000)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    other = shutil.which("check-jsonschema")
    if not other:
        sys.exit("check-jsonschema is missing: pip install check-jsonschema")
    schema = common.ROOT / "schema" / "json" / "cluster.schema.json"
    with tempfile.TemporaryDirectory() as place:
        many = write(pathlib.Path(place) / "many", options.clusters, options.agents)
        few = write(pathlib.Path(place) / "few", 200, options.agents)
        files = sorted(map(str, many.glob("*.yaml")))
        megabytes = sum(pathlib.Path(file).stat().st_size for file in files) / 1e6
        ours = common.measured([common.program(), "validate", str(many)], options.rounds)
        small = common.measured([common.program(), "validate", str(few)], options.rounds)
        theirs = common.measured([other, "--schemafile", str(schema), *files], 1)
    print(f"{options.clusters} files, {options.agents} Agents each, {megabytes:.1f} MB; median of {options.rounds}")
    print(f"{'':34}{'seconds':>10}{'peak MiB':>10}{'exit':>6}")
    for name, (seconds, peak, status) in [
        (f"validate, {options.clusters} files", ours),
        ("validate, 200 files", small),
        (f"check-jsonschema, {options.clusters} files", theirs),
    ]:
        print(f"{name:34}{seconds:10.2f}{peak:10.0f}{status:6}")
    factor = theirs[0] / max(ours[0], 0.005)
    print(f"validate is {factor:.0f} times faster")
    held = [
        ours[0] < LIMIT_SECONDS,
        ours[1] < LIMIT_MIB,
        small[0] < LIMIT_SMALL_SECONDS,
        factor >= LIMIT_FACTOR,
        ours[2] == small[2] == theirs[2] == 0,
    ]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
