"""How something grows: a row of numbers, a curve in a terminal, and the same as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

Line = tuple[str, float, str]
"""What was measured, how much, in which unit."""

_BARS = " ▁▂▃▄▅▆▇█"
_WIDTH, _HEIGHT, _EDGE = 640, 320, 48


@dataclass(frozen=True)
class Curve:
    """Points from left to right; `up` and `along` say what the two axes are."""

    name: str
    up: str
    along: str
    points: list[tuple[float, float]]

    @property
    def most(self) -> float:
        """The highest point."""
        return max(y for _, y in self.points)


def bars(curve: Curve) -> str:
    """One line for a terminal; a flat curve is a flat line, as the lowest bar stands for nothing at all."""
    top = len(_BARS) - 1
    row = "".join(_BARS[round(y / curve.most * top)] for _, y in curve.points)
    return f"{row}  0 to {curve.most:.0f} {curve.up}, {curve.along}: 0 to {curve.points[-1][0]:.0f}"


def write_svg(curve: Curve, folder: Path) -> Path:
    """A picture of the curve in this folder; both axes begin at nothing."""
    right = curve.points[-1][0]
    wide, high = _WIDTH - 2 * _EDGE, _HEIGHT - 2 * _EDGE
    places = " ".join(
        f"{_EDGE + x / right * wide:.1f},{_HEIGHT - _EDGE - y / curve.most * high:.1f}" for x, y in curve.points
    )
    bottom = _HEIGHT - _EDGE
    texts = (
        (_EDGE, _EDGE - 16, "start", curve.up),
        (_EDGE - 6, _EDGE + 4, "end", f"{curve.most:.0f}"),
        (_EDGE - 6, bottom + 4, "end", "0"),
        (_WIDTH - _EDGE, bottom + 20, "end", f"{right:.0f} {curve.along}"),
    )
    written = "".join(f'<text x="{x}" y="{y}" text-anchor="{anchor}">{text}</text>' for x, y, anchor, text in texts)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{curve.name}.svg"
    file.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f'<path d="M{_EDGE} {_EDGE}V{bottom}H{_WIDTH - _EDGE}" fill="none" stroke="black"/>'
        f'<polyline points="{places}" fill="none" stroke="#c0392b" stroke-width="2"/>{written}</svg>\n'
    )
    return file
