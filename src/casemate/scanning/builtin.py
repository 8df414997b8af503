"""The built-in rules of the scan, as data. The page of rules in the reference follows from it."""

from __future__ import annotations

import re
from typing import Final

from casemate.scanning import addresses, credentials, images, options
from casemate.scanning.globs import pattern
from casemate.scanning.model import Detector, Holds, Present, Rule, Severity

_COMMAND_PATHS: Final = (
    "**.script", "**.commands", "**.commands[*]", "**.beforeCommands", "**.beforeCommands[*]", "**.afterCommands[*]",
    "**.interpreter[*]", "**.entryPoint[*]", "**.entrypoint[*]", "**.command", "**.command[*]", "**.args", "**.args[*]",
)  # fmt: skip
_COMMANDS: Final = pattern(*_COMMAND_PATHS)
"""Where the text of commands stands."""
_PROGRAMS: Final = pattern(*_COMMAND_PATHS, "**.inputFiles.*", "**.content", "**.composeFile")
"""Where programs stand: commands, and files that a task is given."""
_WORDS: Final = (
    "description", "**.tasks[*].description", "**.errors[*].description", "triggers[*].description",
    "inputs[*].description", "inputs[*].displayName", "outputs[*].description", "outputs[*].displayName",
)  # fmt: skip
"""What only people read. A variable of such a name is read by expressions."""
_IMAGES: Final = (
    "**.containerImage", "**.docker.image", "**.container.image", "**.fileSidecar.image",
    "**.containers[*].image", "**.initContainers[*].image", "**.dockerOptions.image", "**.taskRunner.image",
)  # fmt: skip
_NETWORKS: Final = (
    "**.networkMode", "**.network_mode", "**.network", "**.pidMode", "**.ipcMode", "**.usernsMode", "**.utsMode",
)  # fmt: skip
_SCRIPTS: Final = re.compile(r"\bscripts\.|\.(?:Script|Commands|Bash|Python|Node)$", re.IGNORECASE)
_STORE: Final = "Write {{ secret('NAME') }} instead, and give the value to the secret store"


def _at(detector: Detector, *paths: str) -> Holds:
    return Holds(detector, pattern(*paths))


def _but(detector: Detector, *paths: str) -> Holds:
    return Holds(detector, but=pattern(*paths))


BUILTIN: Final = (
    Rule(
        id="metadata-address",
        severity=Severity.ERROR,
        title="Address of a cloud's metadata service, in any notation",
        message="{what} is where a cloud gives the machine's credentials to whoever asks",
        remedy="Give the task credentials of its own, with secret()",
        matchers=(Holds(addresses.metadata, but=pattern(*_WORDS), keys=True),),
    ),
    Rule(
        id="host-network",
        severity=Severity.ERROR,
        title="Network or processes of the host, or of another container",
        message="the container shares network or processes with what is outside of it",
        remedy="Leave it away, or name a network of the engine's",
        matchers=(
            _at(options.host, *_NETWORKS),
            _at(options.true, "**.hostNetwork", "**.hostPID", "**.hostIPC"),
            Holds(options.host_flag, _PROGRAMS),
        ),
    ),
    Rule(
        id="privileged",
        severity=Severity.ERROR,
        title="Container with the rights of the host",
        message="with these rights a container can become root on the host",
        remedy="Leave it away; if something needs one capability, ask the operator for that one",
        matchers=(
            _at(options.true, "**.privileged", "**.allowPrivilegeEscalation"),
            _at(options.capability, "**.capAdd[*]", "**.cap_add[*]", "**.capabilities.add[*]"),
            Holds(options.privileged_flag, _PROGRAMS),
        ),
    ),
    Rule(
        id="docker-socket",
        severity=Severity.ERROR,
        title="Socket of a container engine given to a task",
        message="who reaches {what} is root on the host",
        remedy="Leave it away: a Docker task runner reaches the engine by itself",
        matchers=(
            _but(options.socket, *_WORDS, "**.taskRunner.host", "**.docker.host", "**.values.host", "**.dockerHost"),
            _at(options.folder_of_socket, "**.volumes[*]", "**.hostPath.path"),
        ),
    ),
    Rule(
        id="host-folder",
        severity=Severity.WARNING,
        title="Folder of the host in a container",
        message="the container sees {what} of the host",
        remedy="Use inputFiles, namespaceFiles and outputFiles, or a volume of the engine's by its name",
        matchers=(_at(options.folder_of_host, "**.volumes[*]", "**.hostPath.path"),),
    ),
    Rule(
        id="mounted-working-directory",
        severity=Severity.WARNING,
        title="fileHandlingStrategy: MOUNT",
        message="MOUNT shows a folder of the worker's to the container",
        remedy="Leave it away: VOLUME, which copies files, is the default",
        matchers=(_at(options.mounted, "**.fileHandlingStrategy"),),
    ),
    Rule(
        id="credential-token",
        severity=Severity.ERROR,
        title="Token or key of a service, by its shape",
        message="this is {what}, and everybody who reads the flow has it",
        remedy=f"{_STORE}; revoke this one",
        matchers=(Holds(credentials.token, comments=True, keys=True),),
    ),
    Rule(
        id="private-key",
        severity=Severity.ERROR,
        title="Private key",
        message="this is a private key, and everybody who reads the flow has it",
        remedy=f"{_STORE}; replace this key",
        matchers=(Holds(credentials.private_key, comments=True, keys=True),),
    ),
    Rule(
        id="credential-in-address",
        severity=Severity.ERROR,
        title="Password in an address",
        message="the address holds a password",
        remedy=f"{_STORE}; change this password",
        matchers=(Holds(credentials.userinfo, but=pattern(*_WORDS), keys=True),),
    ),
    Rule(
        id="literal-credential",
        severity=Severity.ERROR,
        title="Literal value under a key such as password",
        message="the value of {what} stands in the flow, and everybody who reads the flow has it",
        remedy=f"{_STORE}; change this one",
        matchers=(
            _but(credentials.telling, *_WORDS),
            _at(credentials.secret_default, "inputs[*].defaults"),
            _at(credentials.literal, "**.credentials.auth"),
        ),
    ),
    Rule(
        id="credential-in-script",
        severity=Severity.WARNING,
        title="Literal that a script gives to a name such as password",
        message="the program holds what looks like a credential",
        remedy="Give it by env, as {{ secret('NAME') }}, and read it from the environment",
        matchers=(Holds(credentials.assigned, _PROGRAMS),),
    ),
    Rule(
        id="secret-in-command",
        severity=Severity.WARNING,
        title="secret() in the text of a command",
        message="the secret becomes part of the command, which logs and other programs see, and which it can change",
        remedy="Give it by env, as {{ secret('NAME') }}, and write \"$NAME\" in the command",
        matchers=(Holds(options.secret_in_text, _COMMANDS),),
    ),
    Rule(
        id="image-moving",
        severity=Severity.WARNING,
        title="Container image without a version",
        message="{what}",
        remedy="Name a version, or better a digest: image:1.2@sha256:...",
        matchers=(_at(images.moving, *_IMAGES),),
    ),
    Rule(
        id="image-without-digest",
        severity=Severity.NOTE,
        title="Container image with a version, but without a digest",
        message="{what} can become another image under the same name",
        remedy="Name the digest, too: image:1.2@sha256:...",
        matchers=(_at(images.undigested, *_IMAGES),),
    ),
    Rule(
        id="legacy-runner",
        severity=Severity.WARNING,
        title="Older properties runner: and docker:",
        message="this older property says how the task is run, beside taskRunner and the rules about it",
        remedy="Write taskRunner: and containerImage: instead",
        matchers=(
            _at(options.runner_name, "**.runner"),
            _at(options.oldest_type, "**.type"),
            Present(pattern("**.docker", "**.dockerOptions"), kind=lambda kind: _SCRIPTS.search(kind) is not None),
        ),
    ),
    Rule(
        id="process-runner",
        severity=Severity.NOTE,
        title="Task runner Process",
        message="on a Kestra server this runs beside the worker and sees its environment; here it is behind walls",
        remedy="Use a task runner with containers where flows of others run",
        matchers=(_at(options.process_type, "**.taskRunner.type", "**.values.type"),),
    ),
)
"""Every built-in rule, in the order in which they are explained."""
