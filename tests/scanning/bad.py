"""Flows that each do one thing they should not: every rule in every notation. `§` stands before what is to be found."""

# ruff: noqa: E501  (a table is read by its rows)

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice

HEAD = "id: bad\nnamespace: tests.scanning\n"
DOCKER = "io.kestra.plugin.scripts.runner.docker.Docker"
KUBERNETES = "io.kestra.plugin.ee.kubernetes.runner.Kubernetes"


@dataclass(frozen=True)
class Bad:
    rule: str
    name: str
    text: str


def made(length: int, alphabet: str = "q7WzR4tYk9PmX2vLs8") -> str:
    """A text that looks as if it were drawn by lot, and opens nothing."""
    return "".join(islice(cycle(alphabet), length))


def request(uri: str) -> str:
    return f"tasks:\n  - {{id: get, type: io.kestra.plugin.core.http.Request, uri: {uri}}}\n"


def shell(command: str) -> str:
    return f"tasks:\n  - id: run\n    type: io.kestra.plugin.scripts.shell.Commands\n    commands:\n      - {command}\n"


def script(line: str) -> str:
    lines = f"      set -e\n      # then\n      {line}\n"
    return f"tasks:\n  - id: run\n    type: io.kestra.plugin.scripts.python.Script\n    script: |\n{lines}"


def runner(kind: str, *properties: str) -> str:
    lines = "".join(f"      {line}\n" for line in properties)
    head = "tasks:\n  - id: run\n    type: io.kestra.plugin.scripts.shell.Script\n    script: echo hi\n"
    return f"{head}    taskRunner:\n      type: {kind}\n{lines}"


def docker(*properties: str) -> str:
    return runner(DOCKER, *properties)


def task(*properties: str, kind: str = "io.kestra.plugin.scripts.shell.Script") -> str:
    lines = "".join(f"    {line}\n" for line in properties)
    return f"tasks:\n  - id: run\n    type: {kind}\n{lines}"


URLS = {
    "dotted": "http://§169.254.169.254/latest/meta-data/",
    "with a port": "http://§169.254.169.254:80/",
    "behind a user": "http://example.com@§169.254.169.254/",
    "with backslashes": "http:\\\\§169.254.169.254\\latest",
    "in capitals": "HTTP://§169.254.169.254/",
    "without a scheme": "//§169.254.169.254/",
    "decimal": "http://§2852039166/",
    "hexadecimal": "http://§0xA9FEA9FE/",
    "hexadecimal by parts": "http://§0xa9.0xfe.0xa9.0xfe/",
    "octal": "http://§025177524776/",
    "octal by parts": "http://§0251.0376.0251.0376/",
    "octal with more zeros": "http://§0000251.00376.000251.0000376/",
    "mixed": "http://§169.0xfe.0251.254/",
    "in three parts": "http://§169.254.43518/",
    "in two parts": "http://§169.16689662/",
    "with parts that wrap": "http://§425.510.425.510/",
    "percent-encoded": "http://§169%2e254%2e169%2e254/",
    "percent-encoded digits": "http://§%31%36%39.254.169.254/",
    "percent-encoded twice": "http://§169%252e254%252e169%252e254/",
    "in wide digits": "http://§１６９.254.169.254/",
    "in circled digits": "http://§①⑥⑨.②⑤④.①⑥⑨.②⑤④/",
    "with an ideographic stop": "http://§169。254。169。254/",
    "with a dot at the end": "http://§169.254.169.254./",
    "IPv4-mapped": "http://§[::ffff:169.254.169.254]/",
    "IPv4-mapped in hexadecimal": "http://§[::ffff:a9fe:a9fe]/",
    "IPv4-mapped in full": "http://§[0:0:0:0:0:ffff:a9fe:a9fe]/",
    "IPv4-compatible": "http://§[::a9fe:a9fe]/",
    "NAT64": "http://§[64:ff9b::a9fe:a9fe]/",
    "6to4": "http://§[2002:a9fe:a9fe::]/",
    "ISATAP": "http://§[2001:db8::5efe:a9fe:a9fe]/",
    "with a zone": "http://§[fd00:ec2::254%25eth0]/",
    "IPv6 of AWS": "http://§[fd00:ec2::254]/latest/",
    "IPv6 of AWS in full": "http://§[fd00:0ec2:0:0:0:0:0:0254]/",
    "credentials of containers": "http://§169.254.170.2/v2/credentials",
    "of Alibaba": "http://§100.100.100.200/",
    "of Azure": "http://§168.63.129.16/",
    "of Oracle": "http://§192.0.0.192/",
    "name of Google": "http://§metadata.google.internal/computeMetadata/v1/",
    "short name of Google": "http://§metadata/computeMetadata/v1/",
    "name with a dot at the end": "http://§Metadata.Google.Internal./",
    "encoded name": "http://§metadata%2egoogle%2einternal/",
    "name of AWS": "http://§instance-data/latest/",
    "by a mirror": "http://§169.254.169.254.nip.io/",
    "by a mirror with dashes": "http://§app-169-254-169-254.sslip.io/",
    "by a mirror in hexadecimal": "http://§a9fea9fe.nip.io/",
    "by a mirror that changes": "http://§a9fea9fe.01020304.rbndr.us/",
    "within another address": "§http%3A%2F%2F169.254.169.254%2F",
    "credentials of pods": "http://§[fd00:ec2::23]/v1/credentials",
    "in Arabic digits": "http://§١٦٩.٢٥٤.169.254/",
    "with a character of no width": "http://§169.254.169\u200b.254/",
    "with a soft hyphen": "http://§16\u00ad9.254.169.254/",
    "joined by an expression": "§http://169.254.{{ '169' }}.254/",
}
COMMANDS = {
    "in a command": "curl -s §169.254.169.254/latest/user-data",
    "decimal in a command": "curl §2852039166/latest",
    "hexadecimal in a command": "wget -qO- §0xa9fea9fe",
    "octal in a command": "curl §0251.0376.0251.0376",
    "IPv6 in a command": "nc §fd00:ec2::254 80",
    "IPv4-mapped in a command": "curl -6 §::ffff:169.254.169.254",
    "short name in a command": "curl §metadata/computeMetadata/v1/",
    "short name with a port": "curl §metadata:80/computeMetadata/v1/",
    "by a mirror in a command": "curl §a9fea9fe.nip.io/x",
    "by a mirror with dashes in a command": "ping §app-169-254-169-254.sslip.io.",
    "quoted by pieces": "§curl 169.254'.'169.254",
    "quoted by other pieces": "§curl 1'6'9.254.169.254",
    "quoted within": '§curl 169."254".169.254',
    "with a backslash": "§curl 169\\.254.169.254",
    "quoted name": "§curl metadata.'google'.internal/x",
    "beside one in plain form": "§curl 169.254.169.254 169.254'.'169.254",
    "name in a command": "ping §metadata.google.internal",
}
_DOCKER_FLAG = "docker run {} ubuntu:24.04 id"
METADATA = (
    *(Bad("metadata-address", name, request(f'"{url}"'.replace("\\", "\\\\"))) for name, url in URLS.items()),
    *(Bad("metadata-address", name, shell(command)) for name, command in COMMANDS.items()),
    Bad("metadata-address", "in a script", script('urlopen("http://§169.254.169.254/latest")')),
    Bad("metadata-address", "in a variable", "variables: {host: §169.254.169.254}\n" + shell("echo")),
    Bad("metadata-address", "as a number", "variables: {host: §2852039166}\n" + shell("echo")),
    Bad(
        "metadata-address",
        "in a default",
        "inputs:\n  - {id: a, type: URI, defaults: 'http://§0xa9fea9fe'}\n" + shell("echo"),
    ),
    Bad("metadata-address", "in a folded text", task("script: >-", "  curl", "  §169.254.169.254")),
    Bad("metadata-address", "over two lines", task("script: |", "  §curl 169.254.\\", "  169.254/x")),
    Bad("metadata-address", "as a key", "variables: {a: {§'http://169.254.169.254/': x}}\n" + shell("echo")),
    Bad("credential-token", "as a key", "variables:\n  §ghp_" + made(36) + ": x\n" + shell("echo")),
    Bad(
        "metadata-address",
        "joined in a script",
        "tasks:\n  - id: run\n    type: io.kestra.plugin.scripts.python.Script\n    script: |\n"
        "      §get('http://169.254.' + '169.254/')\n",
    ),
)
WALLS = (
    Bad("host-network", "of the runner", docker("networkMode: §host")),
    Bad("host-network", "in capitals", docker('networkMode: "§HOST"')),
    Bad("host-network", "of another container", docker("networkMode: §container:db")),
    Bad("host-network", "by an expression", docker("networkMode: \"§{{ 'host' }}\"")),
    Bad("host-network", "of the older docker", task("docker:", "  image: a@sha256:" + "a" * 64, "  networkMode: §host")),
    Bad("host-network", "of a pod", runner(KUBERNETES, "podSpec:", "  hostNetwork: §true")),
    Bad("host-network", "processes of a pod", runner(KUBERNETES, "podSpec: {hostPID: §true}")),
    Bad("host-network", "in a command", shell(_DOCKER_FLAG.format("§--network host"))),
    Bad("host-network", "in a command, short", shell(_DOCKER_FLAG.format("§--net=host"))),
    Bad("host-network", "processes, in a command", shell(_DOCKER_FLAG.format("§--pid=host"))),
    Bad("host-network", "in a file of services", task("script: id", "inputFiles:", "  compose.yml: |", "    services: {a: {§network_mode: host}}")),
    Bad("privileged", "of YAML's other words", docker("privileged: §yes")),
    Bad("privileged", "through the first process", shell("§nsenter --mount -t 1 id")),
    Bad("host-network", "by a plugin default", f"pluginDefaults:\n  - type: {DOCKER}\n    values: {{networkMode: §host}}\n" + shell("id")),
    Bad("privileged", "of the runner", docker("privileged: §true")),
    Bad("privileged", "as a text", docker('privileged: "§true"')),
    Bad("privileged", "as a number", docker("privileged: §1")),
    Bad("privileged", "by an expression", docker('privileged: "§{{ true }}"')),
    Bad("privileged", "of a pod", runner(KUBERNETES, "containerSpec: {securityContext: {privileged: §true}}")),
    Bad("privileged", "by escalation", runner(KUBERNETES, "containerSpec: {securityContext: {allowPrivilegeEscalation: §true}}")),
    Bad("privileged", "by a capability", runner(KUBERNETES, "containerSpec: {securityContext: {capabilities: {add: [§SYS_ADMIN]}}}")),
    Bad("privileged", "in a command", shell(_DOCKER_FLAG.format("§--privileged"))),
    Bad("privileged", "by a capability in a command", shell(_DOCKER_FLAG.format("§--cap-add=SYS_ADMIN"))),
    Bad("privileged", "without seccomp", shell(_DOCKER_FLAG.format("§--security-opt seccomp=unconfined"))),
    Bad("privileged", "in a templated task", task("spec: |", "  type: io.kestra.plugin.scripts.shell.Script", "  script: id", "  taskRunner:", "    §privileged: true", kind="io.kestra.plugin.core.templating.TemplatedTask")),
    Bad("docker-socket", "as a volume", docker("volumes:", '  - "§/var/run/docker.sock:/var/run/docker.sock"')),
    Bad("docker-socket", "under /run", docker('volumes: ["§/run/docker.sock:/sock"]')),
    Bad("docker-socket", "of Podman", docker('volumes: ["§/run/podman/podman.sock:/sock"]')),
    Bad("docker-socket", "of containerd", docker('volumes: ["§/run/containerd/containerd.sock:/sock"]')),
    Bad("docker-socket", "of a pod", runner(KUBERNETES, "podSpec: {volumes: [{name: s, hostPath: {path: §/var/run/docker.sock}}]}")),
    Bad("docker-socket", "in a command", shell("curl --unix-socket §/var/run/docker.sock http:/v1/info")),
    Bad("docker-socket", "below a user's folder", docker('volumes: ["§/run/user/1000/podman/podman.sock:/sock"]')),
    Bad("docker-socket", "by its folder", docker('volumes: ["§/var/run:/host"]')),
    Bad("docker-socket", "by its other folder", docker('volumes: ["§//run/./:/host"]')),
    Bad("docker-socket", "by everything", docker('volumes: ["§/:/host"]')),
    Bad("docker-socket", "percent-encoded", shell("curl http+unix://%2Fvar%2F§docker.sock/info")),
    Bad("docker-socket", "by a volume in a command", shell("docker run §-v /:/host a:1")),
    Bad("docker-socket", "as a variable of another purpose's name", "variables: {host: §/var/run/docker.sock}\n" + shell("id")),
    Bad("metadata-address", "as a variable called description", "variables: {description: §169.254.169.254}\n" + shell("id")),
    Bad("host-folder", "as a volume", docker('volumes: ["§/etc:/host:ro"]')),
    Bad("host-folder", "by an expression", docker('volumes: ["§{{ inputs.folder }}:/data"]')),
    Bad("host-folder", "of a pod", runner(KUBERNETES, "podSpec: {volumes: [{name: s, hostPath: {path: §/etc}}]}")),
    Bad("mounted-working-directory", "of the runner", docker("fileHandlingStrategy: §MOUNT")),
    Bad("legacy-runner", "processes", task("script: id", "runner: §PROCESS")),
    Bad("legacy-runner", "containers", task("script: id", "runner: §docker")),
    Bad("legacy-runner", "options", task("script: id", "§docker: {image: a@sha256:" + "a" * 64 + "}")),
    Bad("legacy-runner", "of the oldest types", task("commands: [id]", "runner: §DOCKER", kind="io.kestra.core.tasks.scripts.Bash")),
    Bad("legacy-runner", "by a plugin default", "pluginDefaults:\n  - type: io.kestra.plugin.scripts\n    values: {runner: §PROCESS}\n" + shell("id")),
    Bad("legacy-runner", "oldest type", task("commands: [id]", kind="§io.kestra.core.tasks.scripts.Python")),
    Bad("legacy-runner", "oldest options", task("commands: [id]", "§dockerOptions: {image: a:1}", kind="io.kestra.core.tasks.scripts.Bash")),
    Bad("process-runner", "of a task", "tasks:\n  - id: run\n    type: io.kestra.plugin.scripts.shell.Script\n    script: id\n    taskRunner: {type: §io.kestra.plugin.core.runner.Process}\n"),
    Bad("image-moving", "no tag", task("script: id", "containerImage: §ubuntu")),
    Bad("image-moving", "latest", task("script: id", "containerImage: §ghcr.io/kestra-io/kestrapy:latest")),
    Bad("image-moving", "the newest of a kind", task("script: id", "containerImage: §kestra/kestra:latest-full")),
    Bad("image-moving", "by an expression of one text", task("script: id", "containerImage: \"§{{ 'ubuntu' }}\"")),
    Bad("image-moving", "a tag by an expression", task("script: id", "containerImage: \"§ubuntu:{{ 'latest' }}\"")),
    Bad("image-moving", "no tag behind a port", task("script: id", "containerImage: §registry.example.com:5000/team/tool")),
    Bad("image-moving", "of the older docker", task("script: id", "docker: {image: §python}")),
    Bad("image-moving", "of a pod", runner(KUBERNETES, "podSpec: {containers: [{name: side, image: §busybox}]}")),
    Bad("image-without-digest", "a tag", task("script: id", "containerImage: §python:3.13-slim")),
)  # fmt: skip
CREDENTIALS = (
    *(
        Bad("credential-token", name, task("script: id", f"env: {{VALUE: '§{token}'}}"))
        for name, token in {
            "of AWS": "AKIA" + made(16, "Q7WZR4TYK9PMX2VL"),
            "of GitHub": "ghp_" + made(36),
            "of GitHub, fine-grained": "github_pat_" + made(82),
            "of GitLab": "glpat-" + made(20),
            "of Slack": "xoxb-" + made(40),
            "of Google": "AIza" + made(35),
            "of Stripe": "sk_live_" + made(24),
            "of Anthropic": "sk-ant-api03-" + made(93),
            "of Hugging Face": "hf_" + made(34),
            "of npm": "npm_" + made(36),
            "of PyPI": "pypi-AgE" + made(60),
            "of Docker Hub": "dckr_pat_" + made(27),
            "of Vault": "hvs." + made(90),
            "a JSON web token": ".".join(("eyJ" + made(30), "eyJ" + made(40), made(43))),
        }.items()
    ),
    Bad("credential-token", "of a webhook", request("https://§hooks.slack.com/services/" + f"T{made(10)}/B{made(10)}/{made(24)}")),
    Bad("credential-token", "in a description", "description: the key is §ghp_" + made(36) + "\n" + shell("id")),
    Bad("credential-token", "in a script", script("export GH=§ghp_" + made(36))),
    Bad("private-key", "RSA", task("script: id", "inputFiles:", "  id_rsa: |", "    §-----BEGIN RSA " + "PRIVATE KEY-----", "    MIIE")),
    Bad("private-key", "PKCS 8", task("script: id", "env: {KEY: '§-----BEGIN " + "PRIVATE KEY-----'}")),
    Bad("private-key", "OpenSSH", script("echo '§-----BEGIN OPENSSH " + "PRIVATE KEY-----' > k")),
    Bad("private-key", "PGP", task("script: id", "env: {KEY: '§-----BEGIN PGP " + "PRIVATE KEY BLOCK-----'}")),
    Bad("credential-in-address", "of a database", task("script: id", "env: {DSN: 'postgres://app:§Tr0ub4dor@db/app'}")),
    Bad("credential-in-address", "in a command", shell("git clone https://bot:§Tr0ub4dor@git.example.com/x.git")),
    Bad("credential-in-address", "of JDBC", task("url: jdbc:postgresql://db/app?user=a&password=§Tr0ub4dor", kind="io.kestra.plugin.jdbc.postgresql.Query")),
    Bad("literal-credential", "a word", task("password: §secret", kind="io.kestra.plugin.jdbc.postgresql.Query")),
    Bad("literal-credential", "by an expression", task("password: \"§{{ 'Tr0ub4dor' }}\"", kind="io.kestra.plugin.jdbc.postgresql.Query")),
    Bad("literal-credential", "of AWS", task("secretKeyId: §Tr0ub4dor", kind="io.kestra.plugin.aws.s3.List")),
    Bad("literal-credential", "of a shell", task("script: id", "env: {DB_PASS: §Tr0ub4dor}")),
    Bad("literal-credential", "password", task("password: §Tr0ub4dor", kind="io.kestra.plugin.jdbc.postgresql.Query")),
    Bad("literal-credential", "as a number", task("password: §20481024", kind="io.kestra.plugin.jdbc.postgresql.Query")),
    Bad("literal-credential", "in env", task("script: id", "env: {DB_PASSWORD: §Tr0ub4dor}")),
    Bad("literal-credential", "client secret", task("clientSecret: §Tr0ub4dor", kind="io.kestra.plugin.core.http.Request")),
    Bad("literal-credential", "API key", "variables:\n  api-key: §Tr0ub4dor\n" + shell("id")),
    Bad("literal-credential", "of a registry", docker("credentials: {username: me, password: §Tr0ub4dor}")),
    Bad("literal-credential", "of a registry, in one", docker("credentials: {auth: §bWU6VHIwdWI0ZG9y}")),
    Bad("credential-token", "of a registry, as the engine keeps it", docker("config: |", '  {"auths": {"r": {§"auth": "bWU6VHIwdWI0ZG9y"}}}')),
    Bad("metadata-address", "as a further host", docker('extraHosts: ["db:§169.254.169.254"]')),
    Bad("literal-credential", "of a secret input", "inputs:\n  - {id: a, type: SECRET, defaults: §Tr0ub4dor}\n" + shell("id")),
    Bad("literal-credential", "of an input by its name", "inputs:\n  - {id: token, type: STRING, defaults: §Tr0ub4dor}\n" + shell("id")),
    Bad("literal-credential", "by name and value", runner(KUBERNETES, "containerSpec: {env: [{name: DB_PASSWORD, value: §Tr0ub4dor}]}")),
    Bad("credential-token", "in a comment", "# the key is §ghp_" + made(36) + "\n" + shell("id")),
    Bad("credential-token", "behind a value", "labels: {a: b}  # §ghp_" + made(36) + "\n" + shell("id")),
    Bad("literal-credential", "in a header", task("uri: https://example.com", f"headers: {{Authorization: §Basic {made(24)}}}", kind="io.kestra.plugin.core.http.Request")),
    Bad("credential-in-script", "in a shell", script("export DB_PASSWORD=§hunter2-Tr0ub4dor")),
    Bad("credential-in-script", "as an option", shell("login --user me --password §hunter2-Tr0ub4dor")),
    Bad("credential-in-script", "as a header", shell(f"\"curl -H 'Authorization: Bearer §{made(30)}' https://example.com\"")),
    Bad("credential-in-script", "assigned", script('password = "§hunter2-Tr0ub4dor"')),
    Bad("secret-in-command", "in a command", shell("\"curl -H 'Authorization: {{ §secret('TOKEN') }}' https://example.com\"")),
    Bad("secret-in-command", "behind a text", script("echo {{ '}}' ~ §secret('A') }}")),
    Bad("secret-in-command", "in a script", script("token = '{{ §secret('TOKEN') }}'")),
    Bad("secret-in-command", "before the commands", task("script: id", "beforeCommands: [\"login {{ §secret('TOKEN') }}\"]")),
    Bad("secret-in-command", "in a block", script("{% if §secret('TOKEN') == 'a' %}echo{% endif %}")),
)  # fmt: skip
BAD = (*METADATA, *WALLS, *CREDENTIALS)
