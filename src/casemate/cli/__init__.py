"""The command line: one module a command, loaded only when that command is called."""

from __future__ import annotations

import gc
import io
import sys
from typing import NoReturn

from cyclopts import App, CycloptsError, MissingArgumentError, UnusedCliTokensError

from casemate import __version__

USAGE = 2
"""Exit status of a command line that cannot be understood."""

_NO_VALUES = (
    "This is not understood, and not said again, as it may be the value. Values are never given on a command line, "
    "which others see and the shell remembers: they come from standard input, a terminal or --from-file"
)
# The texts stand here, not with the commands, so that showing them loads none of the commands.
_RUN = """Run one flow file to its end, in this process.

Exit status: 0 for SUCCESS or WARNING, 1 for any other end, 2 for a flow, input, configuration or command line that is \
not valid, 3 when this machine cannot build the walls, 130 after Ctrl-C."""
_EVAL = """Render a template and print the result.

Exit status: 0, 1 if the template cannot be rendered, 2 if it or its variables cannot be read."""
_DOCTOR = """Show which walls this machine can build, and how to get those that are missing.

Exit status: 0 if every wall stands, 1 if not."""
_REDTEAM = """Attack the walls of this installation with harmless payloads, and show what became of each.

Exit status: 0 if every attack is blocked and what must work works, 1 if not, 2 for a configuration or command \
line that is not valid, 3 when this machine cannot build the walls, 130 after Ctrl-C."""
_VALIDATE = """Check flow files and folders, and look for what in them may do harm.

Exit status: 0, 1 if something was found, 2 if it could not be done: an option, a path, a configuration, rules, or the \
server."""
_SCHEMA = """Print the JSON Schema of flows, or of one type, for editors.

Exit status: 0, 2 if there is no such type, or the configuration is not valid."""
_INSTALL = """Install a plugin from its wheel.

Exit status: 0, 1 if it cannot be installed, 2 if the configuration or the command line is not valid."""
_PLUGINS = """List the plugins that are installed.

Exit status: 0, 1 if they cannot be read, 2 if the configuration or the command line is not valid."""
_UNINSTALL = """Remove a version of a plugin. Flows that name it are no longer valid.

Exit status: 0, 1 if it is not installed, 2 if the configuration or the command line is not valid."""
_CONFIGS = """Show the configuration that files and environment make together, and where each key was set.

Secrets, and what is named like one, show as ******. Exit status: 0, 2 if the configuration is not valid."""
_STATUS = """Count the sealed values in the database by the keys that open them.

Exit status: 0, 1 if no configured key opens one, or a server works on the database, 2 if there is no key or no \
database, or the configuration is not valid."""
_ROTATE = """Seal everything that is sealed with another key anew with the primary one. May be stopped, and done again.

Exit status: 0 if all of it is under the primary key, 1 if no configured key opens something, or a server works on the \
database, 2 if there is no key or no database, or the configuration is not valid."""
_SECRETS_LIST = """List secrets: their names, where they come from, description and tags; never their values.

Exit status: 0, 1 if a store does not answer, or a server works on the database, 2 if the configuration or the command \
line is not valid, or the server cannot be asked."""
_SECRETS_SET = """Create or replace a secret. Its value comes from standard input, or is asked for on a terminal.

Exit status: 0, 1 if it cannot be stored: it is read-only, the store does not answer or refuses, a server works on the \
database; 2 if the configuration or the command line is not valid, or the server cannot be asked."""
_SECRETS_DELETE = """Remove a secret for good.

Exit status: 0, 1 if it was not there, or cannot be removed, 2 if the configuration or the command line is not valid, \
or the server cannot be asked."""
_SECRETS_CHECK = """Ask for every secret that flows name by a literal, and say which are not there.

Exit status: 0, 1 if something is missing, 2 if it could not be done: a store does not answer, a file is not readable, \
the configuration or the command line is not valid."""
_SECRETS_MIGRATE = """Copy every secret of a store into another one, and compare. May be stopped, and done again.

Exit status: 0 if all of them are there and the same, 1 if not, or a store does not answer, 2 if a configuration or \
the command line is not valid."""
_LOCAL = """Start all services in one process, and print the address once it answers.

Exit status: 0 after Ctrl-C or SIGTERM, 1 if it cannot start, 2 if the configuration is not valid, 3 when this machine \
cannot build the walls."""


def commands() -> App:
    """The tree of commands."""
    root = App(
        name="casemate",
        help="Runs Kestra's flows, each task run in its own sandbox enforced by the Linux kernel.",
        version=__version__,
        version_flags=["--version"],
        help_format="plaintext",
    )
    root.command("casemate.cli.run:run", name="run", help=_RUN)
    root.command("casemate.cli.evaluate:evaluate", name="eval", help=_EVAL)
    root.command("casemate.cli.doctor:doctor", name="doctor", help=_DOCTOR)
    root.command("casemate.cli.redteam:redteam", name="redteam", help=_REDTEAM)
    root.command("casemate.cli.schema:schema", name="schema", help=_SCHEMA)
    flow = App(name="flow", help="Work with flow files.")
    flow.command("casemate.cli.validate:validate", name="validate", help=_VALIDATE)
    configs = App(name="configs", help="Look at the configuration.")
    configs.command("casemate.cli.configs:show", name="show", help=_CONFIGS)
    server = App(name="server", help="Start services.")
    server.command("casemate.cli.server:local", name="local", help=_LOCAL)
    plugins = App(name="plugins", help="Install, list and remove plugins.")
    plugins.command("casemate.cli.plugins:install", name="install", help=_INSTALL)
    plugins.command("casemate.cli.plugins:listed", name="list", help=_PLUGINS)
    plugins.command("casemate.cli.plugins:uninstall", name="uninstall", help=_UNINSTALL)
    root.command(configs)
    encryption = App(name="encryption", help="Look after what is stored encrypted.")
    encryption.command("casemate.cli.encryption:status", name="status", help=_STATUS)
    encryption.command("casemate.cli.encryption:rotate", name="rotate", help=_ROTATE)
    root.command(encryption)
    secrets = App(name="secrets", help="Look after the secrets of flows.")
    secrets.command("casemate.cli.secrets:listed", name="list", help=_SECRETS_LIST)
    secrets.command("casemate.cli.secrets:put", name="set", help=_SECRETS_SET)
    secrets.command("casemate.cli.secrets:delete", name="delete", help=_SECRETS_DELETE)
    secrets.command("casemate.cli.secrets_check:check", name="check", help=_SECRETS_CHECK)
    secrets.command("casemate.cli.secrets_migrate:migrate", name="migrate", help=_SECRETS_MIGRATE)
    root.command(secrets)
    root.command(flow)
    root.command(plugins)
    root.command(server)
    return root


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command line and leaves with its exit status."""
    # Loading the program makes hundreds of thousands of objects that stay. To look for garbage among them again and
    # again would take a tenth of the time of a start.
    gc.set_threshold(50_000, 20, 20)
    given = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character must not end an execution.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = commands()(given, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        command = " ".join(("casemate", *(error.command_chain or ())))
        print(f"casemate: {_one_line(error)} (see: {command} --help)", file=sys.stderr)
        sys.exit(USAGE)
    except BrokenPipeError:
        # The reader of our output went away, as `head` does: nothing is left to say.
        sys.stderr.close()
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)


def _one_line(error: CycloptsError) -> str:
    if tuple(error.command_chain or ()) == ("secrets", "set") and not isinstance(error, MissingArgumentError):
        # Whatever was not understood may be the value.
        return _NO_VALUES
    if isinstance(error, UnusedCliTokensError):
        return f"Nothing is expected after what was given: {' '.join(error.unused_tokens or ())}."
    return " ".join(str(error).split())
