"""The command line: one module a command, loaded only when that command is called."""

from __future__ import annotations

import sys
from typing import NoReturn

from cyclopts import App, CycloptsError

from casemate import __version__

USAGE = 2
"""Exit status of a command line that cannot be understood."""


def commands() -> App:
    """The tree of commands."""
    root = App(
        name="casemate",
        help="Runs Kestra's flows, each task run in its own sandbox enforced by the Linux kernel.",
        version=__version__,
        version_flags=["--version"],
        help_format="plaintext",
    )
    root.command("casemate.cli.run:run", name="run", help="Run one flow file to its end, in this process.")
    root.command("casemate.cli.evaluate:evaluate", name="eval", help="Render a template and print the result.")
    root.command("casemate.cli.doctor:doctor", name="doctor", help="Show which walls this machine can build.")
    flow = App(name="flow", help="Work with flow files.")
    flow.command("casemate.cli.validate:validate", name="validate", help="Check flow files and folders.")
    server = App(name="server", help="Start services.")
    server.command("casemate.cli.server:local", name="local", help="All services in one process.")
    root.command(flow)
    root.command(server)
    return root


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command line and leaves with its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        status = commands()(given, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        print(f"casemate: {_one_line(error)} (see: casemate --help)", file=sys.stderr)
        sys.exit(USAGE)
    except BrokenPipeError:
        # The reader of our output went away, as `head` does: nothing is left to say.
        sys.stderr.close()
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _one_line(error: CycloptsError) -> str:
    return " ".join(str(error).split())
