"""The functions that ask the world: secrets, values, files, encryption, randomness, logs (spec/engine 6.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from casemate.expressions import given as arguments
from casemate.expressions.errors import Fault
from casemate.expressions.given import Given
from casemate.expressions.run import Run
from casemate.expressions.slugs import slug
from casemate.expressions.values import Long, class_name, is_whole
from casemate.identifiers import friendly

Entry: TypeAlias = tuple[Callable[[Given, Run], object], tuple[str, ...]]

_SCHEME = "kestra:///"


def _secret(given: Given, run: Run) -> object:
    key = _key(given, "secret")
    namespace, subkey = arguments.optional_text(given, "namespace"), arguments.optional_text(given, "subkey")
    inherit = arguments.flag(given, "inherit", default=True)
    if arguments.flag(given, "full", default=False):
        if subkey is not None:
            raise Fault("The 'secret' function takes either 'subkey' or 'full', not both.")
        return run.session.world.full_secret(key, namespace, inherit)
    return run.session.world.secret(key, namespace, subkey, inherit)


def _kv(given: Given, run: Run) -> object:
    key, namespace = _key(given, "kv"), arguments.optional_text(given, "namespace")
    on_missing = arguments.flag(given, "errorOnMissing", default=False)
    return run.session.world.kv(key, namespace, on_missing)


def _key(given: Given, function: str) -> str:
    key = arguments.required(given, "key", f"The '{function}' function expects an argument 'key'.")
    return arguments.text(key)


# ---- files


def _read(given: Given, run: Run) -> str:
    path = _file(given, run, "read")
    text = run.session.world.read(path, arguments.optional_text(given, "namespace"))
    run.session.meter.charge(len(text))
    return text


def _file_size(given: Given, run: Run) -> int:
    path = _file(given, run, "fileSize")
    return run.session.world.file_size(path, arguments.optional_text(given, "namespace"))


def _file(given: Given, run: Run, function: str) -> str:
    expects = f"The '{function}' function expects an argument 'path' that is a path to a namespace file"
    path = arguments.required(given, "path", f"{expects} or an internal storage URI.")
    if not isinstance(path, str):
        raise Fault(f"Unable to read the file {path if path is not None else 'null'}")
    if refusal := file_refusal(path, run.session.given):
        raise Fault(refusal)
    return path


def file_refusal(path: str, variables: Mapping[str, object]) -> str | None:
    """Why these variables' execution may not read a file, None if it may (Kestra's texts).

    Allowed are relative paths of namespace files, files of the execution itself and of the parent that `trigger` names.
    """
    if ".." in path.split("/"):
        return f"Unable to read the file '{path}': a path must not contain '..'"
    if not path.startswith("kestra:"):
        return None
    trigger = variables.get("trigger")
    if _belongs(
        path, _of(variables, "flow", "namespace"), _of(variables, "flow", "id"), _of(variables, "execution", "id")
    ):
        return None
    if isinstance(trigger, Mapping) and _belongs(
        path, trigger.get("namespace"), trigger.get("flowId"), trigger.get("executionId")
    ):
        return None
    return f"Unable to read the file '{path}' as it didn't belong to the current execution"


def _of(variables: Mapping[str, object], name: str, key: str) -> object:
    inner = variables.get(name)
    return inner.get(key) if isinstance(inner, Mapping) else None


def _belongs(path: str, namespace: object, flow: object, execution: object) -> bool:
    if not (isinstance(namespace, str) and isinstance(flow, str) and isinstance(execution, str)):
        return False
    folder = namespace.replace(".", "/")
    return path.startswith(f"{_SCHEME}{folder}/{slug(flow)}/executions/{execution}/")


def _file_uri(given: Given, run: Run) -> str:
    expects = "The 'fileURI' function expects an argument 'path' that is a path to a namespace file."
    path = arguments.text(arguments.required(given, "path", expects))
    if "../" in path:
        raise Fault("Path must not contain '../'")
    namespace = _of(run.session.given, "flow", "namespace")
    return f"{_SCHEME}{str(namespace or '').replace('.', '/')}/_files/{path.removeprefix('/')}"


# ---- encryption


def _encrypt(given: Given, run: Run) -> str | None:
    key, text = _pair(given, "encrypt", "plaintext")
    return run.session.world.encrypt(key, text) if text else text


def _decrypt(given: Given, run: Run) -> str | None:
    key, text = _pair(given, "decrypt", "encrypted")
    return run.session.world.decrypt(key, text) if text else text


def _pair(given: Given, function: str, second: str) -> tuple[str, str | None]:
    if "key" not in given or second not in given:
        raise Fault(f"The '{function}' function expects two arguments 'key' and '{second}'.")
    return arguments.text(given["key"]), arguments.optional_text(given, second)


# ---- randomness and logs


def _uuid(_given: Given, run: Run) -> str:
    return str(run.session.world.uuid())


def _id(_given: Given, run: Run) -> str:
    return friendly(run.session.world.uuid())


def _random_int(given: Given, run: Run) -> int:
    lower, upper = _bound(given, "lower"), _bound(given, "upper")
    if upper < lower:
        raise Fault("In 'GenerateRandomNumber' upper is less than lower")
    return lower if upper == lower else run.session.world.random_int(lower, upper)


def _bound(given: Given, name: str) -> int:
    """A 32-bit integer; literals of the template are 64-bit and refused, as in Kestra."""
    expects = f"The 'GenerateRandomNumber' function expects an argument {name}"
    value = arguments.required(given, name, expects)
    if not is_whole(value) or isinstance(value, Long) or class_name(value) != "java.lang.Integer":
        raise Fault(f"{expects}with type Integer.")
    return value


def _error_logs(_given: Given, run: Run) -> list[object]:
    return list(run.session.world.error_logs())


OPAQUE = frozenset(("encrypt", "secret"))
"""Whose results tell nothing of what they were given, or are known to the mask already."""

WORLD_FUNCTIONS: Mapping[str, Entry] = {
    "secret": (_secret, ("key", "namespace", "subkey", "full", "inherit")),
    "kv": (_kv, ("key", "namespace", "errorOnMissing")),
    "read": (_read, ("path", "namespace")),
    "fileSize": (_file_size, ("path", "namespace")),
    "fileURI": (_file_uri, ("path",)),
    "encrypt": (_encrypt, ("key", "plaintext")),
    "decrypt": (_decrypt, ("key", "encrypted")),
    "uuid": (_uuid, ()),
    "id": (_id, ()),
    "randomInt": (_random_int, ("lower", "upper")),
    "errorLogs": (_error_logs, ()),
}
