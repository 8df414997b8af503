"""Measures the product against bare processes, side by side in one run.

    .venv/bin/python bench/run.py                all measures
    .venv/bin/python bench/run.py scripts logs   some of them
    .venv/bin/python bench/run.py --json         for a machine to read

Only numbers of one run can be compared: they share the machine and its mood.
"""

from __future__ import annotations

import argparse
import json
import os
import platform

from measures import MEASURES, Line

from product import server


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(description="Measure casemate against bare processes.")
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"any of: {', '.join(MEASURES)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    unknown = set(arguments.measures) - set(MEASURES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    wanted = arguments.measures or list(MEASURES)
    found: dict[str, list[Line]] = {}
    for name in wanted:
        # A server of its own for each, so that none pays for what another left behind.
        with server() as running:
            found[name] = list(MEASURES[name](running))
        if not arguments.json:
            show(name, found[name])
    if arguments.json:
        print(json.dumps({name: {what.strip(): value for what, value, _ in lines} for name, lines in found.items()}))
    else:
        machine = f"{os.cpu_count()} cpus, {platform.release()}, Python {platform.python_version()}"
        print(f"\n{machine}, load {os.getloadavg()[0]:.1f}")


def show(name: str, lines: list[Line]) -> None:
    """One measure as a small table."""
    print(f"\n{name}")
    for what, value, unit in lines:
        print(f"  {what:<40}{value:>10.{0 if value == int(value) else 2}f} {unit}")


if __name__ == "__main__":
    main()
