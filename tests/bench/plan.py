#!/usr/bin/env python3
"""`plan` offline over many clusters, files read and all.

    cargo build --release
    python3 tests/bench/plan.py [--clusters 1000] [--agents 10] [--packages 400] [--rounds 5] [--form yaml|json]

One manifest and one observation per cluster, one catalogue. The clusters stand on different releases and want others,
so that their plans are of every length. `plan` runs ROUNDS times, the median counts; the memory is the peak resident
set. The processor's time says more where other programs run beside it. What a single plan takes is the difference to a run that plans nothing, `validate` of the same files, divided by
their number. Exit code 0 only if every limit holds.
"""

import argparse
import json
import hashlib
import pathlib
import subprocess
import sys
import tempfile

import common
import validate

LIMIT_SECONDS, LIMIT_MIB, LIMIT_PLAN_MICROSECONDS = 1.0, 150, 200
NOW = "2026-11-21T10:00:00Z"
# Where clusters stand and where they shall go: a CU, a major, four majors with a migration, tracks, a downgrade.
WAYS = [
    ("10.5.0 CU12", "10.5.0 CU18"),
    ("10.4.0 CU16", "10.5.0 CU18"),
    ("10.1.0 CU9", "10.6.0 CU6"),
    ("10.4.12", "10.6.4"),
    ("10.5.12", "10.6.9"),
    ("10.5.0 CU18", "10.5.0 CU18"),
    ("10.5.0 CU18", "10.4.0 CU21"),
]


def releases():
    """The full and web packages of the newest releases of every line, by month and CU."""
    for minor in range(6, -1, -1):
        last = {0: 21, 1: 21, 2: 21, 3: 22, 4: 21, 5: 18, 6: 6}[minor]
        for cu in range(last, -1, -1):
            yield f"10.{minor}.0", cu
        for feature in range(12 if minor < 6 else 9, 0, -1):
            # A few came out a second time.
            yield from ((f"10.{minor}.{feature}", cu) for cu in ([1, None] if minor > 1 else [None]))


def package(line, cu, kind, number):
    label = "" if cu is None else f"(CU{cu})"
    file = f"DataMiner {line}.0{label}-{number} {kind} Upgrade.dmupgrade"
    return {"file": file, "sha256": hashlib.sha256(file.encode()).hexdigest(), "size": 1 << 30}


def month(line, cu):
    _, minor, feature = map(int, line.split("."))
    return 12 * minor + (cu + 3 if feature == 0 else feature)


def build(line, cu):
    minor, feature = map(int, line.split(".")[1:])
    return 20000 + month(line, cu) * 100 + minor * 10 + (0 if feature == 0 else 5 + (cu or 0))


def catalogue(count):
    tools = ["VerifyClusterPorts", "NATSMigration - Prerequisite only", "NATSMigration"]
    packages = [
        {"file": f"{tool}.dmupgrade", "sha256": hashlib.sha256(tool.encode()).hexdigest(), "size": 1 << 20}
        for tool in tools
    ]
    for line, cu in releases():
        kinds = ["Full", "Web"] if int(line.split(".")[1]) >= 3 else ["Full"]
        packages += [package(line, cu, kind, build(line, cu)) for kind in kinds]
    if len(packages) < count:
        sys.exit(f"there are only {len(packages)} packages to list")
    return {
        "apiVersion": "dataminer.gitops/v1",
        "kind": "PackageCatalog",
        "metadata": {"name": "bench"},
        "spec": {"packages": packages[:count]},
    }


def observation(number, agents, core):
    address = lambda agent: f"10.{number // 250 % 250}.{number % 250}.{agent + 1}"
    return {
        "apiVersion": "dataminer.gitops/v1",
        "kind": "Observation",
        "metadata": {"name": f"cluster-{number:05}"},
        "spec": {
            "takenAt": NOW,
            "topology": [{"id": 100 + agent, "address": address(agent)} for agent in range(agents)],
            "agents": [
                {
                    "name": f"c{number:05}-dma-{agent:02}",
                    "reachable": True,
                    "address": address(agent),
                    "core": core,
                    "webApps": core,
                    "state": "Running",
                    "brokerGateway": False,
                    "expiredUsers": False,
                    "defaultUpgradeOptions": False,
                    "pendingReboot": False,
                    "freeDisk": "200GiB",
                    "dotnet": ["8.0.11", "10.0.1"],
                    "backups": [
                        {
                            "file": f"backup-{backup}.zip",
                            "at": f"2026-0{backup + 1}-01T00:00:00Z",
                            "sha256": hashlib.sha256(f"{number} {agent} {backup}".encode()).hexdigest(),
                            "size": 1 << 20,
                        }
                        for backup in range(5)
                    ],
                }
                for agent in range(agents)
            ],
        },
    }


def as_yaml(value, indent=""):
    """A document in the form that `observe` writes, line by line; every text in quotes."""
    for key, item in value.items():
        if isinstance(item, dict):
            yield f"{indent}{key}:"
            yield from as_yaml(item, indent + "  ")
        elif isinstance(item, list):
            yield f"{indent}{key}:"
            for one in item:
                if isinstance(one, dict):
                    first, *rest = as_yaml(one, indent + "  ")
                    yield f"{indent}- {first.strip()}"
                    yield from rest
                else:
                    yield f"{indent}- {json.dumps(one)}"
        else:
            yield f"{indent}{key}: {json.dumps(item)}"


def write(place, clusters, agents, packages, form="yaml"):
    forms = {"yaml": lambda value: "\n".join(as_yaml(value)) + "\n", "json": lambda value: json.dumps(value, indent=1)}
    fleet, observed = place / "fleet", place / "observed"
    fleet.mkdir()
    observed.mkdir()
    (fleet / "catalog.yaml").write_text(json.dumps(catalogue(packages), indent=1))
    for number in range(clusters):
        core, wanted = WAYS[number % len(WAYS)]
        text = validate.manifest(number, agents).replace("core: 10.5.0 CU12", f"core: {wanted}")
        (fleet / f"cluster-{number:05}.yaml").write_text(text)
        (observed / f"cluster-{number:05}.yaml").write_text(forms[form](observation(number, agents, core)))
    return fleet, observed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--packages", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--form", choices=["yaml", "json"], default="yaml", help="what the observations are written in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        fleet, observed = write(place, options.clusters, options.agents, options.packages, options.form)
        megabytes = sum(file.stat().st_size for file in place.rglob("*.yaml")) / 1e6
        files = ["-f", str(fleet), "--observed", str(observed)]
        plan = [common.program(), "plan", *files, "--now", NOW, "-o", "json"]
        common.load()
        first = subprocess.run(plan, capture_output=True, text=True)
        plans = json.loads(first.stdout)["plans"]
        if len(plans) != options.clusters:
            sys.exit(f"{len(plans)} plans in place of {options.clusters}:\n{first.stderr[:2000]}")
        seconds, peak, _ = common.measured(plan, options.rounds)
        processor = common.processor_seconds(plan, options.rounds)
        read, _, _ = common.measured([common.program(), "validate", str(fleet), str(observed)], options.rounds)
        each = max(seconds - read, 0) / options.clusters * 1e6
    what = f"plan, {options.clusters} clusters of {options.agents} Agents, {options.packages} packages, {megabytes:.0f} MB"
    kept = [
        common.verdict(what, f"{seconds:.2f}", f"< {LIMIT_SECONDS}", seconds < LIMIT_SECONDS, "s"),
        common.verdict("its memory", f"{peak:.0f}", f"< {LIMIT_MIB}", peak < LIMIT_MIB, "MiB"),
        common.verdict(
            "one plan, printed", f"{each:.0f}", f"< {LIMIT_PLAN_MICROSECONDS}", each < LIMIT_PLAN_MICROSECONDS, "µs"
        ),
    ]
    print(f"      reading and checking the same files takes {read:.2f} s", flush=True)
    print(f"      all of it takes {processor:.2f} s of processor, the least of {options.rounds} runs", flush=True)
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
