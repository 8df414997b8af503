"""The command line and the environment of a script task (spec/isolation 6.3, spec/engine 8.6)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Final

from casemate.sandbox import Places
from casemate.worker.languages import Language
from casemate.worker.properties import flag

OUTPUT: Final = ".output"
"""Where a task with `outputDirectory` leaves its files, below its working directory."""

INTERPRETER: Final = ("/bin/sh", "-c")
SEARCH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_OF_IMAGES: Final = frozenset(("PATH", "LANG", "PWD"))
_CARRIER: Final = "CASEMATE_SCRIPT"
_LINES_FOLLOW: Final = re.compile(r"-[A-Za-z]*c")
_SHELLS: Final = frozenset(("sh", "bash", "dash", "ash", "ksh", "zsh"))


def argv(interpreter: tuple[str, ...], lines: Iterable[str], *, fail_fast: bool) -> tuple[str, ...]:
    """The interpreter with one argument: the lines, after `set -e` if the first failing one is to be the last."""
    first = ("set -e",) if fail_fast else ()
    return (*interpreter, "\n".join((*first, *lines)))


def speaks_shell(argv: tuple[str, ...]) -> bool:
    """Whether this is a shell with lines of its own as the last argument: `sh -c LINES`, `bash -ec LINES`."""
    return len(argv) > 2 and is_shell(argv) and _LINES_FOLLOW.fullmatch(argv[-2]) is not None


def unseen(argv: tuple[str, ...], env: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The same call of a shell, and its environment, with the lines out of the sight of other accounts.

    These see arguments, proc_pid_cmdline(5), and no environment, proc_pid_environ(5). Nothing that the lines start
    inherits the variable, and they keep their numbers; of their errors some shells say that they come from `eval`.
    """
    name = _CARRIER
    while name in env:
        name += "_"
    return (*argv[:-1], f'eval "unset {name};${name}"'), {**env, name: argv[-1]}


def wants_directory(properties: Mapping[str, object]) -> bool:
    """Whether the task is to have a folder whose whole content is a result, under either name of the property."""
    return any(flag(properties, name, default=False) for name in ("outputDirectory", "outputDirectoryEnabled"))


def is_shell(interpreter: tuple[str, ...]) -> bool:
    """Whether the interpreter understands POSIX shell."""
    return interpreter[0].rpartition("/")[2] in _SHELLS


def call(words: Iterable[str], *, shell: bool) -> str:
    """The line that runs an inline script from its file."""
    # `exec` spares a process, and lets a stop signal reach the script instead of the shell that waits for it.
    return f"{'exec ' if shell else ''}{shlex.join(words)}"


def call_in_image(language: Language, file: str) -> str:
    """The same for a script in an image, whose interpreter has the name that the shell there finds."""
    found = " || ".join(f"command -v {program}" for program in (language.common, *_others(language)))
    # The understudy would be found first, and no process can become a function.
    return f'unset -f {language.common}; exec "$({found} || echo {language.common})" {shlex.quote(file)}'


def _others(language: Language) -> tuple[str, ...]:
    return tuple(program for program in language.programs if program != language.common)


def understudy(language: Language, found: Mapping[str, str]) -> tuple[str, ...]:
    """A shell function for the language's usual command where the machine has it under another name only.

    Kestra's images have `python`; many distributions have `python3` alone, and flows should not need to know.
    """
    common = "python"
    if language.name != common or common in found or "python3" not in found:
        return ()
    return (f'{common}() {{ python3 "$@"; }}',)


def understudy_in_image(language: Language) -> tuple[str, ...]:
    """The same for an image: what it has is only known to the shell in it."""
    return tuple(
        f'command -v {language.common} >/dev/null 2>&1 || {language.common}() {{ {program} "$@"; }}'
        for program in _others(language)
    )


def environment_in_image(
    language: Language, own: Mapping[str, str], places: Places, *, output_directory: bool = False
) -> dict[str, str]:
    """What a program in a container sees beside the variables of its image, whose `PATH` leads to its programs."""
    full = environment(language, own, Places(work=places.work), search="", output_directory=output_directory)
    return {name: value for name, value in full.items() if name not in _OF_IMAGES or name in own}


def environment(
    language: Language, own: Mapping[str, str], places: Places, *, search: str, output_directory: bool = False
) -> dict[str, str]:
    """Exactly what the program sees: a small fixed base, the language's own, the task's `env`, then the folders."""
    return {
        "PATH": search,
        "HOME": places.temporary,  # a cache there is not collected with the results
        "LANG": "C.UTF-8",
        **language.env,
        **own,
        "WORKING_DIR": places.work,
        "PWD": places.work,  # as a shell would say it
        **({"OUTPUT_DIR": f"{places.work}/{OUTPUT}"} if output_directory else {}),
    }
