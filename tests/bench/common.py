"""What the measurements share: the release binary, processes that end, and figures of a process from /proc."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROGRAM = pathlib.Path(os.environ.get("DATAMINER_RECONCILER", TARGET / "release" / "dataminer-reconciler"))


def program():
    if not PROGRAM.exists():
        sys.exit(f"{PROGRAM} is missing; run `cargo build --release` first")
    return str(PROGRAM)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, check, seconds=120):
    """Waits for a true answer of `check` and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = check()
        if answer:
            return answer
        time.sleep(0.05)
    sys.exit(f"waited {seconds} s for {what}")


@contextlib.contextmanager
def running(command, log, **options):
    """A process that ends with the block."""
    with open(log, "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **options)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM if command[1:2] != ["simulate"] else signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def timed(command, **options):
    """Runs to the end; seconds and standard output."""
    begun = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    seconds = time.monotonic() - begun
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout.decode()}\n{done.stderr.decode()}")
    return seconds, done.stdout


def measured(command, rounds=1):
    """Runs to the end ROUNDS times: seconds (median), peak resident MiB, and the last exit code."""
    seconds, peak, status = [], 0, 0
    for _ in range(rounds):
        ended = subprocess.run(
            ["/usr/bin/time", "-f", "%e %M", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        elapsed, kib = ended.stderr.strip().splitlines()[-1].split()
        seconds.append(float(elapsed))
        peak = max(peak, int(kib) / 1024)
        status = ended.returncode
    return statistics.median(seconds), peak, status


def processor_seconds(command, rounds=1):
    """User and system time of a run, the least of ROUNDS."""
    spent = []
    for _ in range(rounds):
        before = os.times()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(spent)


def memory(pid):
    """VmRSS and VmHWM in MiB."""
    fields = dict(
        line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def simulator(folder, clusters, agents):
    """`simulate` in a process of its own with so many Agents in each cluster; gives it once its fleet is written."""
    spec, log = folder / "simulation.yaml", folder / "simulate.log"
    # JSON is YAML.
    spec.write_text(json.dumps({"clusters": [cluster(number, agents) for number in range(1, clusters + 1)]}))
    command = [program(), "simulate", "--spec", str(spec), "--write", str(folder / "lab")]
    with running(command, log) as process:
        until("the simulator", lambda: process.poll() is not None or "simulating" in read(log))
        if process.poll() is not None:
            sys.exit(f"the simulator ended:\n{read(log)}")
        yield process, folder / "lab" / "reconciler.yaml"


def cluster(number, agents):
    one = lambda at: {
        "name": f"dma-{number:02}-{at:03}",
        "id": 100 + at,
        "address": f"10.{number}.0.{at}",
        "core": "10.5.0 CU12 (build 16889)",
    }
    return {"name": f"cluster-{number:02}", "agents": [one(at) for at in range(1, agents + 1)]}


def read(path):
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(errors="replace")
    return ""


def get(url):
    with contextlib.suppress(OSError):
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    return None


def median(values):
    return statistics.median(values)


def verdict(name, value, limit, good, unit):
    """Prints one line of the table and returns whether the number is kept."""
    print(f"{'ok  ' if good else 'MISS'}  {name}: {value} {unit} (wanted: {limit})", flush=True)
    return good


def load():
    print(f"      load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors", flush=True)


def as_json(text):
    return json.loads(text)
