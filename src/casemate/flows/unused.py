"""What a flow says and nothing here looks at: accepted, because other installations do, and told, never dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from casemate.documents import Path, printed


def told(unused: Mapping[Path, str]) -> Iterator[str]:
    """A sentence for each property that has no effect, however often it is given. `unused` has the reasons by place."""
    places: dict[tuple[object, str], list[Path]] = {}
    for path, reason in unused.items():
        places.setdefault((path[-1], reason), []).append(path)
    for (_, reason), paths in places.items():
        more = f" and {len(paths) - 1} more have" if len(paths) > 1 else " has"
        yield f"{printed(paths[0])}{more} no effect here: {reason}"
