"""Wheels of the example plugin, and of what no plugin should be, made in memory."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent.parent.parent / "examples" / "plugins"
TYPE = "com.example.greeting.Greet"


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """An archive of these files; the same for the same files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return whole.getvalue()


def metadata(version: str, name: str = "casemate-greeting", *further: str) -> str:
    """METADATA of a distribution."""
    return "\n".join(("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *further, "", "About it."))


def greeting(version: str = "1.0.0", *, source: str | None = None, **changed: Any) -> bytes:
    """The example in this version, from the sources of `source`; `changed` are keys of its one manifest."""
    package = SOURCES / f"greeting-{source or version}" / "casemate_greeting"
    files: dict[str, str] = {f"casemate_greeting/{each.name}": each.read_text() for each in package.glob("*.*")}
    about = json.loads(files["casemate_greeting/casemate-plugin.json"])
    about["types"][0] |= changed
    files["casemate_greeting/casemate-plugin.json"] = json.dumps(about)
    files[f"casemate_greeting-{version}.dist-info/METADATA"] = metadata(version)
    return zipped(files)


def plugin(files: Mapping[str, str | bytes], version: str = "1.0.0", **about: Any) -> bytes:
    """A wheel around a package `own` with these files beside its manifest."""
    manifest = {"group": "com.example", "types": [], **about}
    return zipped(
        {
            "own/__init__.py": "",
            "own/casemate-plugin.json": json.dumps(manifest),
            f"own-{version}.dist-info/METADATA": metadata(version, "own"),
            **files,
        }
    )


def task(name: str, body: str, **more: Any) -> dict[str, Any]:
    """A manifest of a task without properties."""
    return {"type": name, "kind": "task", "title": name, "properties": {}, "body": body, **more}


def digest(content: bytes) -> str:
    """The sha256 that installs it."""
    return hashlib.sha256(content).hexdigest()


def written(folder: Path, content: bytes, name: str = "casemate_greeting-1.0.0-py3-none-any.whl") -> Path:
    """The same as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_bytes(content)
    return file
