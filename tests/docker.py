"""A Docker engine of the tests' own: started and ended by its process, with an image made of this machine's programs.

No registry is asked for anything. The image has empty folders and a few files of /etc; programs, the interpreter and
this repository are shown in it read-only.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.images import programs

REPOSITORY = Path(__file__).parent.parent
PYTHON = (sys.executable, "-m", "casemate")
UNCONFINED = ("seccomp=unconfined", "systempaths=unconfined", "apparmor=unconfined")
"""The security options that docs/how-to/run-in-a-container.md tells of."""

_FOLDERS = ("dev", "etc", "home", "opt", "proc", "root", "run", "srv", "sys", "tmp", "usr", "var", "var/tmp")
_OPEN = ("tmp", "var/tmp")
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_SETTINGS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000:ada:/home:/bin/sh\n",
    "etc/group": "root:x:0:\nada:x:1000:\n",
    "etc/shadow": "root:*:1::::::\n",
    "srv/open/to/all": "what an image may hold\n",
}
_IMAGE = "casemate-tests"
_SECONDS_TO_START = 30.0
_SECONDS_TO_RUN = 120.0


class NoEngine(Exception):
    """No Docker engine can be had here; the text says why."""


@dataclass(frozen=True)
class Engine:
    """A running engine that has the image."""

    socket: Path
    mounts: tuple[str, ...] = field(default=())

    def run(
        self,
        *command: str,
        security: Sequence[str] = (),
        user: str = "",
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        timeout: float = _SECONDS_TO_RUN,
    ) -> subprocess.CompletedProcess[str]:
        """Run one command in a new container without network, and wait for its end."""
        words = self._words(command, security=security, user=user, options=options, env=env or {})
        return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)

    def talk_to(
        self, *command: str, user: str = "", options: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start one command in a new container of the default profile, and talk to it through pipes."""
        words = self._words(command, user=user, options=options, env=env or {})
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _words(
        self,
        command: Sequence[str],
        *,
        security: Sequence[str] = (),
        user: str,
        options: Sequence[str],
        env: Mapping[str, str],
    ) -> list[str]:
        wanted = [
            *(word for each in security for word in ("--security-opt", each)),
            *(("--user", user) if user else ()),
            *(word for name, value in env.items() for word in ("--env", f"{name}={value}")),
            *(word for path in self.mounts for word in ("--volume", f"{path}:{path}:ro")),
            *options,
        ]
        return [*self._client, "run", "--rm", "--interactive", "--network", "none", *wanted, _IMAGE, *command]

    def load_image(self) -> None:
        """Make the image."""
        subprocess.run([*self._client, "import", "-", _IMAGE], input=_image(), check=True, capture_output=True)

    def load_programs(self, name: str) -> None:
        """Make an image that has a shell, a few programs and a Python of its own, and needs nothing shown in it."""
        subprocess.run([*self._client, "import", "-", name], input=programs(), check=True, capture_output=True)

    def call(self, *words: str) -> str:
        """What a command of the client prints."""
        return subprocess.run([*self._client, *words], check=True, capture_output=True, text=True).stdout

    def answers(self) -> bool:
        """Whether the engine is there yet."""
        return subprocess.run([*self._client, "version"], capture_output=True).returncode == 0

    @property
    def _client(self) -> list[str]:
        return ["docker", "--host", f"unix://{self.socket}"]


@contextlib.contextmanager
def engine_running() -> Iterator[Engine]:
    """An engine for as long as the context lasts. NoEngine: there can be none here."""
    if os.geteuid() != 0:
        raise NoEngine("a Docker engine of our own needs root")
    if missing := [name for name in ("dockerd", "docker") if not shutil.which(name)]:
        raise NoEngine(f"{' and '.join(missing)} not installed (Debian and Ubuntu: apt-get install docker.io)")
    folder = Path(tempfile.mkdtemp(prefix="casemate-docker-"))
    process = _started(folder)
    try:
        engine = Engine(folder / "socket", _shown())
        _await(engine, process, folder)
        engine.load_image()
        yield engine
    finally:
        _end(process, folder)


def _started(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [
                *("dockerd", "--host", f"unix://{folder}/socket", "--pidfile", f"{folder}/pid"),
                *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
                *("--iptables=false", "--ip6tables=false", "--bridge=none"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _await(engine: Engine, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while not engine.answers():
        if process.poll() is not None or time.monotonic() > until:
            raise NoEngine("dockerd does not start here: " + (folder / "log").read_text()[-500:])
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        if (place := line.split()[1]).startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", place], check=False)
    shutil.rmtree(folder, ignore_errors=True)


def _shown() -> tuple[str, ...]:
    """What of this machine the containers see, at its own places: no path twice, none below another."""
    wanted = {"/usr", sys.base_prefix, sys.prefix, str(REPOSITORY)}
    wanted |= {path for path in ("/etc/ssl", "/etc/alternatives", "/etc/ld.so.cache") if os.path.exists(path)}
    return tuple(
        sorted(
            path for path in wanted if not any(path != other and Path(path).is_relative_to(other) for other in wanted)
        )
    )


def _image() -> bytes:
    """A tar of a file tree that has room for what is shown in it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in _FOLDERS:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name in _OPEN else 0o755
            tar.addfile(entry)
        for name in _LINKS:
            if os.path.islink(f"/{name}"):
                entry = tarfile.TarInfo(name)
                entry.type, entry.linkname = tarfile.SYMTYPE, f"usr/{name}"
                tar.addfile(entry)
        for name, text in _SETTINGS.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o600 if name.endswith("shadow") else 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()
