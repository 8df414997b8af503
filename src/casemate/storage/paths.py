"""Where files live (spec/engine 12.1), and which addresses are allowed. The tenant is never part of an address."""

from __future__ import annotations

import hashlib
import re

from casemate.expressions import slug
from casemate.identifiers import ExecutionId, FlowId, Namespace, TaskId, TaskRunId
from casemate.storage.errors import BadUri

SCHEME = "kestra:///"

_NAME_BYTES = 255
"""What file systems allow."""

# Characters that some store, shell or log could misread.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")


def key_of(uri: str) -> str:
    """The path behind an address, without a slash in front. Raises `BadUri`.

    Nothing is decoded: `%2e%2e` is an odd name, not a way up.
    """
    if not uri.startswith(SCHEME):
        raise BadUri(f"Invalid internal storage URI '{uri}': it must start with {SCHEME}")
    key = uri.removeprefix(SCHEME)
    if ".." in key.split("/"):
        raise BadUri("File should be accessed with their full path and not using relative '..' path.")
    if not all(_is_name(segment) for segment in key.split("/")):
        raise BadUri(f"Invalid internal storage URI '{uri}': empty, too long or unprintable part")
    return key


def _is_name(segment: str) -> bool:
    if segment in ("", ".") or _FORBIDDEN.search(segment):
        return False
    try:
        return len(segment.encode()) <= _NAME_BYTES
    except UnicodeEncodeError:
        return False


def uri_of(*segments: str) -> str:
    """The address made of these parts. Raises `BadUri`."""
    uri = SCHEME + "/".join(segments)
    key_of(uri)
    return uri


def folder_of(namespace: Namespace) -> str:
    """A namespace as a path; `a..b`, which may be a name, leads to the same folder as `a.b`."""
    return "/".join(part for part in namespace.split(".") if part)


def execution_folder(namespace: Namespace, flow: FlowId, execution: ExecutionId) -> str:
    """Everything that belongs to an execution."""
    return uri_of(folder_of(namespace), slug(flow), "executions", execution)


def task_folder(namespace: Namespace, flow: FlowId, execution: ExecutionId, task: TaskId, task_run: TaskRunId) -> str:
    """The files of one task run."""
    return f"{execution_folder(namespace, flow, execution)}/tasks/{slug(task)}/{task_run}"


def task_file(
    namespace: Namespace, flow: FlowId, execution: ExecutionId, task: TaskId, task_run: TaskRunId, name: str
) -> str:
    """One file of a task run."""
    return within(task_folder(namespace, flow, execution, task, task_run), name)


def input_file(namespace: Namespace, flow: FlowId, execution: ExecutionId, name: str, file: str) -> str:
    """The file submitted for an input."""
    return within(f"{execution_folder(namespace, flow, execution)}/inputs/{name}", file)


def cache_file(namespace: Namespace, flow: FlowId, task: TaskId, value: str | None) -> str:
    """What a WorkingDirectory keeps for its next execution; one file for each value of a loop around it."""
    digest = () if value is None else (hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()[:16],)
    return uri_of(folder_of(namespace), slug(flow), slug(task), "cache", *digest, "cache.zip")


def namespace_folder(namespace: Namespace) -> str:
    """The files of a namespace."""
    return uri_of(folder_of(namespace), "_files")


def namespace_file(namespace: Namespace, path: str) -> str:
    """One file of a namespace, by its path from there."""
    return within(namespace_folder(namespace), path.lstrip("/"))


def within(folder: str, path: str) -> str:
    """A file below a folder. Raises `BadUri` if the path leads elsewhere."""
    uri = f"{folder}/{path}"
    key_of(uri)
    return uri
