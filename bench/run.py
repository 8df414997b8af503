"""Measures the product against bare processes, side by side in one run.

    .venv/bin/python bench/run.py                all measures
    .venv/bin/python bench/run.py scripts logs   some of them
    .venv/bin/python bench/run.py --json         for a machine to read
    .venv/bin/python bench/run.py --plots DIR    with curves as pictures in that folder

Only numbers of one run can be compared: they share the machine and its mood.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Iterable
from pathlib import Path

from core import deciding, reading
from curve import Curve, Line, bars, write_svg
from large import LARGE
from measures import MEASURES
from resolving import resolving
from rotating import rotating
from validating import validating
from walls import walls

from containers import containers
from masking import masking
from product import server

OWN = {
    "reading": reading,
    "deciding": deciding,
    **LARGE,
    "validating": validating,
    "masking": masking,
    "walls": walls,
    "containers": containers,
    "resolving": resolving,
    "rotating": rotating,
}
"""What needs no server, or starts some of its own."""
NAMES = (*MEASURES, *OWN)
Found = Line | Curve | str
"""A text says why something was not measured."""


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(description="Measure casemate against bare processes.")
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=f"any of: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write curves as SVG pictures into this folder")
    arguments = parser.parse_args()
    unknown = set(arguments.measures) - set(NAMES)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    found: dict[str, list[Found]] = {}
    for name in arguments.measures or NAMES:
        found[name] = measured(name)
        if not arguments.json:
            show(name, found[name])
        for curve in found[name]:
            if arguments.plots and isinstance(curve, Curve):
                write_svg(curve, arguments.plots)
    if arguments.json:
        print(json.dumps({name: _values(lines) for name, lines in found.items()}))
    else:
        machine = f"{os.cpu_count()} cpus, {platform.release()}, Python {platform.python_version()}"
        print(f"\n{machine}, load {os.getloadavg()[0]:.1f}")


def measured(name: str) -> list[Found]:
    """What one measure finds."""
    if name in OWN:
        return list(OWN[name]())
    # A server of its own for each, so that none pays for what another left behind.
    with server() as running:
        return list(MEASURES[name](running))


def show(name: str, found: Iterable[Found]) -> None:
    """One measure as a small table."""
    print(f"\n{name}")
    for one in found:
        if isinstance(one, Curve):
            print(f"  {bars(one)}")
        elif isinstance(one, str):
            print(f"  {one}")
        else:
            what, value, unit = one
            print(f"  {what:<48}{value:>10.{0 if value == int(value) else 2}f} {unit}")


def _values(found: Iterable[Found]) -> dict[str, object]:
    return {
        one.name if isinstance(one, Curve) else one[0].strip(): one.points if isinstance(one, Curve) else one[1]
        for one in found
        if not isinstance(one, str)
    }


if __name__ == "__main__":
    main()
