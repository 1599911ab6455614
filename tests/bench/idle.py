#!/usr/bin/env python3
"""Memory and processor time of `run` that has nothing to do for 100 simulated Agents, and of their simulator.

Idle is: every cluster is Ready, and is observed once and again.
"""

import argparse
import pathlib
import re
import tempfile
import time

import common


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=25)
    parser.add_argument("--agents", type=int, default=4, help="Agents in each cluster")
    parser.add_argument("--rounds", type=int, default=5, help="observations to wait for")
    parser.add_argument("--observe", default="10s", help="time between two observations")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        return 0 if measure(pathlib.Path(name), args) else 1


def measure(folder, args):
    port = common.free_port()
    with common.simulator(folder, args.clusters, args.agents) as (simulator, config):
        command = [common.program(), "run", "--config", str(config)]
        command += ["--listen", f"127.0.0.1:{port}", "--observe", args.observe]
        with common.running(command, folder / "run.log") as process:
            looks = lambda: observations(port, process, folder) / args.clusters
            common.until("the first observation", lambda: looks() >= 1, 300)
            begun, busy, first = time.monotonic(), common.cpu_seconds(process.pid), looks()
            print(f"      after the first observation: {common.memory(process.pid)[0]:.0f} MiB", flush=True)
            common.until(f"{args.rounds} observations", lambda: looks() >= args.rounds, 900)
            rss, peak = common.memory(process.pid)
            spent = (common.cpu_seconds(process.pid) - busy) / (looks() - first) / args.clusters / args.agents
            seconds = (time.monotonic() - begun) / (looks() - first)
            fleet = common.as_json(common.get(f"http://127.0.0.1:{port}/api/v1/clusters"))["clusters"]
            common.load()
            simulated = common.memory(simulator.pid)
    states = sorted({cluster["state"] for cluster in fleet})
    assert len(fleet) == args.clusters and states == ["Ready"], states
    print(f"      all {len(fleet)} Ready; {args.rounds} looks, one in {seconds:.1f} s; {1000 * spent:.0f} ms of processor for each Agent")
    print(f"      simulator: {simulated[0]:.0f} MiB now, {simulated[1]:.0f} MiB at most")
    name = f"run with {args.clusters} x {args.agents} idle Agents"
    return common.verdict(name, f"{rss:.0f} now, {peak:.0f} at most", "< 150", peak < 150, "MiB")


def observations(port, process, folder):
    """Rounds over clusters; each begins with an observation."""
    if process.poll() is not None:
        raise SystemExit(f"the process ended:\n{common.read(folder / 'run.log')}")
    text = common.get(f"http://127.0.0.1:{port}/metrics") or ""
    found = re.findall(r"^dataminer_reconciler_reconcile_total(?:\{[^}]*\})? (\d+)", text, re.MULTILINE)
    return sum(int(count) for count in found)


if __name__ == "__main__":
    raise SystemExit(main())
