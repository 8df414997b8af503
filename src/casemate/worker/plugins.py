"""The code of plugins on its way behind the walls: copied as it is, held against its digest, read by nobody here."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path
from typing import Final

from casemate.catalog import Origin
from casemate.sandbox import folders
from casemate.worker.errors import TaskFailed
from casemate.worker.model import Job

WHEEL: Final = ".plugin.whl"
"""What the copy of the wheel is called in the working directory."""


async def bring(job: Job, origin: Origin) -> str:
    """Put the wheel into the working directory; where it lies as seen from inside. Raises `TaskFailed`."""
    job.hidden.add(WHEEL)
    await asyncio.to_thread(_copy, job.folder, origin)
    job.log.write("DEBUG", f"Using plugin {origin.coordinates} (sha256 {origin.sha256})")
    return f"{job.places.work}/{WHEEL}"


def _copy(folder: Path, origin: Origin) -> None:
    try:
        content = Path(origin.file).read_bytes()
    except OSError as error:
        raise TaskFailed(f"The plugin {origin.coordinates} cannot be read: {error.strerror}") from error
    # Whoever can write where plugins lie must not be able to change what they are.
    if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), origin.sha256):
        raise TaskFailed(f"The plugin {origin.coordinates} is not what was installed: its sha256 is another one.")
    try:
        with folders.create(folder, WHEEL) as file:
            file.write(content)
    except OSError as error:
        raise TaskFailed(f"Unable to write the file '{WHEEL}': {error.strerror}") from error
