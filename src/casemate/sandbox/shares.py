"""What one sandbox takes of the disk, in bytes and in files: looked at while it runs and once when it has ended.

A file system that has quotas for single folders is rarely to be had, so this is watched, not walled: who is quick takes
more before it is noticed, and what is written to a file without a name is not counted. No single file can be larger.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from casemate.sandbox import folders
from casemate.sandbox.model import Limits


async def exceeded(work: Path, limits: Limits) -> str | None:
    """The limit that a launch folder is over, by its name in `Limits`."""
    if folders.is_small(work) and folders.within_small(limits.disk, limits.inodes):
        return None
    taken = await asyncio.to_thread(folders.taken, work)
    if limits.disk is not None and taken.size > limits.disk:
        return "disk"
    if limits.inodes is not None and taken.files > limits.inodes:
        return "inodes"
    return None
