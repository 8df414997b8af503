"""Which versions of plugins a document names, once plugin defaults are in it."""

from __future__ import annotations

from collections.abc import Iterator

from casemate.documents import Mapping, Node, Path, Scalar, Sequence


def versions_in(node: Node, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The place of each object that has a type and a version, with that version."""
    match node:
        case Mapping(entries=entries):
            texts = {entry.key: entry.value.text for entry in entries if isinstance(entry.value, Scalar)}
            if "type" in texts and texts.get("version"):
                yield path, texts["version"]
            for entry in entries:
                yield from versions_in(entry.value, (*path, entry.key))
        case Sequence(items=items):
            for index, item in enumerate(items):
                yield from versions_in(item, (*path, index))
