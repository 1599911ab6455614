#!/usr/bin/env python3
"""An observation of four idle simulated Agents: the whole verb, from the start of the program to its end.

The first look also puts the scripts on the Agents; it is shown, and the rest is judged.
"""

import argparse
import pathlib
import tempfile

import common


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, common.simulator(pathlib.Path(name), 1, args.agents) as (_, config):
        verb = [common.program(), "observe", "-f", str(config.parent / "fleet"), "--config", str(config), "-o", "json"]
        first, _ = common.timed(verb)
        common.load()
        looks = []
        for _ in range(args.rounds):
            seconds, said = common.timed(verb)
            agents = common.as_json(said)[0]["agents"]
            assert len(agents) == args.agents and all(agent["reachable"] for agent in agents), agents
            looks.append(seconds)
    print(f"      first look {first:.2f} s; then {min(looks):.2f} to {max(looks):.2f} s")
    middle = common.median(looks)
    return 0 if common.verdict(f"observation of {args.agents} Agents", f"{middle:.2f}", "< 1", middle < 1, "s") else 1


if __name__ == "__main__":
    raise SystemExit(main())
