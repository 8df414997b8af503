"""The first code of a zygote, run by path in an isolated interpreter without site packages.

`start.py SOCKET` serves, `start.py probe` tries what the kernel offers, `start.py reap FOLDER` waits for the end of a
worker. It makes `casemate` and `casemate.sandbox` importable without their doors, which would bring in asyncio and more
than a process that is forked for every launch should carry.
"""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType


def open_back_door(name: str, folder: Path) -> None:
    """Let modules below a package be imported without running the package's own `__init__`."""
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package


def put_off(name: str) -> None:
    """Let a module be loaded when something of it is first used."""
    stand_in = sys.modules[name] = ModuleType(name)

    def load(attribute: str) -> object:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    stand_in.__getattr__ = load  # type: ignore[method-assign]  # PEP 562: asked for what a module does not have


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this script: its modules are not top-level ones
    sandbox = Path(__file__).resolve().parent.parent
    open_back_door("casemate", sandbox.parent)
    open_back_door("casemate.sandbox", sandbox)
    # dataclasses wants it for classes without words only, and it brings a megabyte
    put_off("inspect")

    if sys.argv[1] == "probe":
        from casemate.sandbox.zygote.probe import probe

        sys.exit(probe())

    if sys.argv[1] == "reap":
        from casemate.sandbox.zygote.reap import reap

        sys.exit(reap(Path(sys.argv[2])))

    from casemate.sandbox.zygote.serve import serve

    sys.exit(serve(int(sys.argv[1])))
