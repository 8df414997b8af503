"""Learning: run with a wide policy, see what each task touches, and say the narrowest policy that lets just that pass.

`widened` gives the settings to learn under, `lessons` what the isolation reports tell, `document` the configuration.
"""

from __future__ import annotations

import glob
import json
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, Final

from casemate.sandbox import OWN_FOLDERS, Egress, is_everywhere, permits
from casemate.settings import EgressRules, Isolation, Settings

MARK: Final = "# Written by casemate run --learn"
_NEVER: Final = ("/tmp", "/work", "/dev", "/proc", "/sys", "/run", "/boot", "/var/run", "/var/tmp", "/var/lock")  # noqa: S108 - places of the machine
_KEYS: Final = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".pgpass", ".git-credentials", ".vault-token"),
    *(".config/gcloud", ".config/gh", ".local/share/keyrings"),
)
_MACHINE_KEYS: Final = ("/etc/ssh", "/etc/shadow*", "/etc/gshadow*", "/etc/sudoers*", "/etc/kubernetes")
_PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
_CROWD: Final = 20
"""When more entries than these lie in one folder, the folder stands for them."""
_RESOLVER: Final = "resolver of the worker"


def widened(settings: Settings) -> Settings:
    """The settings to learn under: what tasks may see and reach is wide, what is forbidden stays so."""
    isolation = settings.isolation
    egress = replace(isolation.egress, open=True, public=True, allow=(*isolation.egress.allow, *_PRIVATE))
    return replace(settings, isolation=_wide(isolation, egress))


def _wide(isolation: Isolation, egress: EgressRules) -> Isolation:
    shown = tuple(dict.fromkeys((*isolation.visible_paths, *wide_paths())))
    return replace(
        isolation, egress=egress, visible_paths=shown, threads=True, processes=True, profiles=(), learning=True
    )


def wide_paths() -> Iterator[str]:
    """Everything of the machine but what sandboxes have anyway, and places that are nobody's to look at."""
    for folder in OWN_FOLDERS:
        for name in sorted(os.listdir(folder)):
            path = os.path.join(folder, name)
            if path not in (*OWN_FOLDERS, *_NEVER) and not is_everywhere(path) and os.path.exists(path):
                yield path


def keys_of_people() -> tuple[str, ...]:
    """Where people and programs keep keys: never shown to a task that is only being learned from."""
    homes = {*glob.glob("/home/*"), "/root", os.path.expanduser("~")}
    found = [os.path.join(home, name) for home in sorted(homes) for name in _KEYS]
    return tuple(path for path in (*found, *(p for each in _MACHINE_KEYS for p in glob.glob(each))) if _exists(path))


def _exists(path: str) -> bool:
    try:
        os.lstat(path)
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What the tasks of one type in one namespace touched. `hosts` are entries for `egress.allow`."""

    type: str
    namespace: str
    paths: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    threads: bool = False
    processes: bool = False
    written: tuple[str, ...] = ()
    """Paths that they wanted to write, which learning does not let them."""
    refused: tuple[str, ...] = ()
    """Destinations that stay closed."""
    complete: bool = True
    """False if more was touched than could be taken down."""


def lessons(reports: Iterable[Mapping[str, Any]]) -> tuple[Lesson, ...]:
    """What isolation reports of task runs tell, by type and namespace."""
    by_task: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for report in reports:
        if learned := report.get("learned"):
            by_task.setdefault((learned["type"], learned["namespace"]), []).append(report)
    return tuple(_lesson(*key, told) for key, told in sorted(by_task.items()))


def _lesson(task_type: str, namespace: str, reports: Sequence[Mapping[str, Any]]) -> Lesson:
    touched = [report["touched"] for report in reports]
    used = {path for each in touched for path in each["paths"]}
    listed = {path for each in touched for path in each["folders"]}
    return Lesson(
        type=task_type,
        namespace=namespace,
        paths=narrowest(filter(_open_to_tasks, used), filter(_open_to_tasks, listed)),
        hosts=tuple(sorted({host for report in reports for host in _hosts(report["reached"])})),
        threads=any(each["threads"] for each in touched),
        processes=any(each["processes"] for each in touched),
        written=tuple(sorted({path for each in touched for path in each["written"]})),
        refused=tuple(sorted({_place(one) for report in reports for one in report["denied"]})),
        complete=all(each["complete"] for each in touched),
    )


def narrowest(used: Iterable[str], listed: Iterable[str]) -> tuple[str, ...]:
    """The fewest paths that show what was used. A folder whose names were listed is shown with all that is in it; one
    that was only looked at is there as soon as something in it is shown.
    """
    whole = _outermost(set(listed) - {*OWN_FOLDERS})
    single = {path for path in used if not _within(path, whole)}
    crowds = Counter(os.path.dirname(path) for path in single)
    whole = _outermost({*whole, *(folder for folder, n in crowds.items() if n > _CROWD and folder not in OWN_FOLDERS)})
    single = {path for path in single if not _within(path, whole)}
    entries = sorted({*whole, *single})
    return tuple(path for path in entries if path in whole or not any(_beneath(other, path) for other in entries))


def _outermost(folders: set[str]) -> set[str]:
    return {path for path in folders if not any(_beneath(path, other) for other in folders)}


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or _beneath(path, folder) for folder in folders)


def _beneath(path: str, folder: str) -> bool:
    return path != folder and path.startswith(folder.rstrip("/") + "/")


def _open_to_tasks(path: str) -> bool:
    """Could the task read it? As root, tasks have users of their own, who are "others" everywhere."""
    if "${" in path:  # a configuration would take it for a placeholder
        return False
    if os.geteuid() != 0:
        return os.access(path, os.R_OK)
    try:
        modes = [os.stat(place).st_mode for place in _upwards(path)]
    except OSError:
        return False
    return bool(modes[0] & (stat.S_IROTH | stat.S_IXOTH)) and all(mode & stat.S_IXOTH for mode in modes[1:])


def _upwards(path: str) -> Iterator[str]:
    yield path
    while path != "/":
        path = os.path.dirname(path)
        yield path


def _hosts(reached: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in reached:
        if one.get("rule") != _RESOLVER and one.get("port"):
            yield _entry(str(one["address"]), int(one["port"]), str(one.get("host", "")))


def _entry(address: str, port: int, host: str) -> str:
    """By name where names may open it: a name never opens a private address."""
    if host and permits(address, port, Egress(open=True)).allowed:
        return f"{host}:{port}"
    return f"[{address}]:{port}" if ip_address(address).version == 6 else f"{address}:{port}"


def _place(denied: Mapping[str, Any]) -> str:
    name = denied.get("host") or denied.get("address")
    return f"{name}:{denied['port']}" if denied.get("port") else str(name)


def document(learned: Sequence[Lesson], about: str) -> str:
    """The configuration: everything closed, and for each type and namespace open what was touched."""
    lines = [
        f"{MARK} {about}",
        "# It lets tasks do what they did then, and nothing else. What runs with --learn again writes it anew.",
        "casemate:",
        "  isolation:",
        "    threads: false",
        "    processes: false",
        "    egress:",
        "      open: false",
    ]
    profiles = [line for lesson in learned for line in _profile(lesson)]
    return "\n".join([*lines, *(["    profiles:", *profiles] if profiles else []), ""])


def _profile(lesson: Lesson) -> Iterator[str]:
    said = [*_rights(lesson), *_egress(lesson), *_paths(lesson)]
    if said:
        yield f"      - types: [{_quoted(lesson.type)}]"
        yield f"        namespaces: [{_quoted(lesson.namespace)}]"
        yield from (f"        {line}" for line in said)


def _rights(lesson: Lesson) -> Iterator[str]:
    if lesson.threads:
        yield "threads: true"
    if lesson.processes:
        yield "processes: true"


def _egress(lesson: Lesson) -> Iterator[str]:
    if lesson.hosts:
        yield from ("egress:", "  open: true", "  public: false", "  allow:")
        yield from (f"    - {_quoted(host)}" for host in lesson.hosts)


def _paths(lesson: Lesson) -> Iterator[str]:
    if lesson.paths:
        yield "visible-paths:"
        yield from (f"  - {_quoted(path)}" for path in lesson.paths)


def _quoted(text: str) -> str:
    """A YAML text; `${` would be a placeholder."""
    return json.dumps(text, ensure_ascii=False)


def words(learned: Sequence[Lesson]) -> Iterator[str]:
    """What was learned, for a person."""
    for lesson in learned:
        yield f"{lesson.type} in {lesson.namespace}"
        yield f"  reads {_list(lesson.paths) or 'nothing beside what every sandbox has'}"
        yield f"  connects to {_list(lesson.hosts) or 'nothing'}"
        yield f"  starts {_started(lesson)}"
        if lesson.written:
            yield f"  wanted to write {_list(lesson.written)}: name them in writable-paths, if it shall"
        if lesson.refused:
            yield f"  was refused {_list(lesson.refused)}, and will be"
        if not lesson.complete:
            yield "  touched more than was taken down: what is missing has to be added by hand"


def _started(lesson: Lesson) -> str:
    started = [name for name, did in (("threads", lesson.threads), ("processes", lesson.processes)) if did]
    return " and ".join(started) or "neither threads nor processes"


def _list(items: Sequence[str]) -> str:
    return ", ".join(items)
