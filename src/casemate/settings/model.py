"""The settings the product acts on, typed and frozen; what must not be shown is a `Secret` or left out of `repr`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal, TypeAlias

from casemate.documents import Plain
from casemate.errors import Problem
from casemate.governance import Rulebook
from casemate.masking import Style
from casemate.secret import Secret

Recover: TypeAlias = Literal["ALL", "LAST", "NONE"]
"""Which of the dates that passed while no scheduler ran are made up for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misconfiguration(Problem):
    """A problem of the configuration; `file` is the name of the file, or the environment variable, that it is in."""

    file: str = ""

    def located(self, file: str = "") -> str:
        """`FILE:LINE:COLUMN: key: message`; an environment variable has no line."""
        place = f"{self.file or file}:{self.line}:{self.column}" if self.line else self.file or file
        remedy = f" ({self.remedy})" if self.remedy else ""
        return ": ".join(part for part in (place, self.path, self.message) if part) + remedy

    def printed(self) -> str:
        """The same as `located`: without its file a configuration problem cannot be found."""
        return self.located()


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth:
    """The one account of `kestra.server.basic-auth`. `open_urls` are path prefixes that ask for no password."""

    username: str
    password: Secret
    realm: str
    open_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Liveness:
    """When a silent service counts as lost (spec/security 7.1)."""

    enabled: bool
    interval: timedelta
    timeout: timedelta
    initial_delay: timedelta
    heartbeat_interval: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """`kestra.server`. Without `basic_auth` the server may only listen on a loopback address."""

    basic_auth: BasicAuth | None
    liveness: Liveness
    termination_grace_period: timedelta
    worker_task_restart_strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionKey:
    """One of `kestra.encryption.keys`: Base64 text. The primary one encrypts, the others only decrypt."""

    id: str
    secret: Secret
    primary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """`kestra.encryption`: the key as Base64 text and those with ids, their form already checked.

    `allow_plaintext`: without any key, what tasks want encrypted is stored in the clear.
    """

    secret_key: Secret | None
    keys: tuple[EncryptionKey, ...] = ()
    allow_plaintext: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretStore:
    """Where secrets are kept: the kind of store, its options as they were written, and the key they stand below."""

    kind: str
    at: str
    options: Mapping[str, Plain] = field(default_factory=dict, repr=False)
    read_only: bool = False


class Service(StrEnum):
    """The services of an instance (spec/security 2.8); here one process is all of them."""

    EXECUTOR = "EXECUTOR"
    INDEXER = "INDEXER"
    SCHEDULER = "SCHEDULER"
    WEBSERVER = "WEBSERVER"
    WORKER = "WORKER"
    SYSTEM_WORKER = "SYSTEM_WORKER"
    CONTROLLER = "CONTROLLER"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretCache:
    """`kestra.secret.cache`: how many secrets are remembered, and how long after they were read."""

    size: int
    lifetime: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """`kestra.retries`: how often what may pass is tried, and the waits between: `delay`, grown by `multiplier`."""

    attempts: int
    delay: timedelta
    max_delay: timedelta | None
    multiplier: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnStores:
    """`casemate.secret.namespaces`: the stores of secrets that namespaces may bring.

    `types` are their kinds, `hosts` what they may reach besides the clouds' public addresses, `grants` names of options
    that are refused without one.
    """

    types: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """`kestra.secret`, and how patient we are with its store. Code that acts as a `denied` service gets none."""

    store: SecretStore
    denied: frozenset[Service]
    cache: SecretCache | None
    retries: Retries
    own: OwnStores = field(default_factory=OwnStores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """`kestra.variables`: what templates see besides the execution."""

    globals: Mapping[str, Plain] = field(repr=False)
    env_vars_prefix: str
    redacted_env_vars: tuple[str, ...]
    recursive_rendering: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """`kestra.storage`: the kind that was asked for, and the folder of the local kind, if given."""

    type: str
    local_base_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """`kestra.repository.type` and the `datasources` entry of that name, if given."""

    type: str | None
    url: str | None = field(repr=False)
    username: str | None
    password: Secret | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaSecurity:
    """`kestra.ee.java-security` (spec/isolation 1.3). Paths are absolute, without `..` and trailing slash.

    `forbidden_paths` goes into the sandbox policy; `thread_rule` answers who may start threads.
    """

    enabled: bool
    forbidden_paths: tuple[str, ...]
    authorized_class_prefix: tuple[str, ...]
    forbidden_class_prefix: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressRules:
    """`casemate.isolation.egress`: may tasks connect at all, also where no list says so; the lists of destinations.

    `proxy` is the URL of an HTTP proxy, with its password; `proxy_of` takes it apart.
    """

    open: bool
    public: bool
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    proxy: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOverrides:
    """`casemate.isolation.limits`: sizes in bytes; None keeps the sandbox's own default."""

    memory: int | None
    processes: int | None
    open_files: int | None
    file_size: int | None
    temporary: int | None
    output: int | None
    line: int | None
    cpu: float | None = None
    disk: int | None = None
    inodes: int | None = None
    temporary_inodes: int | None = None
    duration: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerRules:
    """`casemate.isolation.docker`: what the Docker task runner may do.

    `enabled` None: it may run, unless `required-level: full` was written. `grants` are options of the runner that are
    refused without one. `network` is what containers join where the flow names none, `capabilities` what they keep.
    """

    enabled: bool | None = None
    grants: tuple[str, ...] = ()
    network: str = "none"
    capabilities: tuple[str, ...] = ()
    read_only_root: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One entry of `casemate.isolation.profiles`: for which tasks, and what is different for them.

    A task is meant when each selector that is not empty names it: `types` and `namespaces` by a prefix that ends at a
    dot, `tenants` by the whole name. `overrides` are values by the full name of the key they stand in for.
    """

    name: str
    """Where it stands: `casemate.isolation.profiles[0]`."""
    types: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    overrides: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """`casemate.isolation`: the walls every task run stands behind. `required_level` is `full` or `container`.

    `threads` and `processes` take these rights away when they are false; true gives no type more than it asks for.
    `profiles` say what is different for some tasks: `for_task` answers what holds for one.
    """

    required_level: str
    egress: EgressRules
    visible_paths: tuple[str, ...]
    limits: LimitOverrides
    writable_paths: tuple[str, ...] = ()
    threads: bool = True
    processes: bool = True
    profiles: tuple[Profile, ...] = ()
    docker: DockerRules = field(default_factory=DockerRules)
    said: Mapping[str, object] = field(default_factory=dict, repr=False)
    """The values this was made of, by the full names of their keys."""
    learning: bool = False
    """Is what tasks touch taken down? No key says so: `run --learn` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLists:
    """`kestra.tasks.http`: URLs that HTTP tasks may ask, all if there are none, and URLs that they may not ask."""

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRules:
    """`kestra.security.zip-bomb-protection`: files in an archive, and bytes that one may unfold to."""

    entries: int
    entry_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSecurity:
    """`kestra.plugins.security`: names and regular expressions of types that may be used, and of those that may not.

    No `includes` means all types (spec/isolation 2); `casemate.catalog` decides by them.
    """

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginManagement:
    """`kestra.plugins.management`: where plugins are kept, and which version is meant where none is named.

    `default_version` is in its one spelling; `custom`: may wheels be installed that lie in none of the `repositories`,
    which are folders? `reload` is how often the folder is looked at again, None: only at the start.
    """

    enabled: bool = True
    custom: bool = True
    default_version: str = "LATEST"
    folder: str | None = None
    reload: timedelta | None = timedelta(seconds=60)
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaSetting:
    """One entry of `casemate.quotas`: how many executions a namespace, or a tenant, may create in a stretch of time."""

    duration: timedelta
    limit: int
    behavior: Literal["CANCEL", "FAIL"]
    namespace: str | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """`casemate.worker`: how many task runs at once; None leaves it to the machine."""

    slots: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What a start leaves where it would tell secrets, and what becomes of it (spec/security 9)."""

    delete_files: bool
    """`kestra.configurations.delete-files-on-start`, of servers."""
    must_delete: bool
    """Does a server end that cannot delete one?"""
    readable_by_others: bool
    """May files with secrets in them be read by everybody on the machine?"""
    variables: tuple[str, ...] = field(default=(), compare=False)
    """The variables of the environment that hold secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the product takes from its configuration."""

    server: Server
    encryption: Encryption
    secrets: Secrets
    variables: Variables
    storage: Storage
    database: Database
    java_security: JavaSecurity
    isolation: Isolation
    worker: Worker
    http: HttpLists
    local_files: tuple[str, ...]
    """`kestra.local-files.allowed-paths`: what of the worker's machine tasks may name by `file:///`."""
    archives: ArchiveRules | None
    """None: what always holds for archives is enough."""
    quotas: tuple[QuotaSetting, ...]
    listeners: bool
    """`kestra.listeners.enabled`: are the listeners of flows run?"""
    masking: Style
    """`kestra.logs.masking.style`: what stands in log entries where a secret stood."""
    templates: bool
    """`kestra.templates.enabled`: may flows take in templates?"""
    url: str | None
    recover_missed: Mapping[str, Recover]
    """Of `kestra.plugins.configurations`: which missed dates are made up for, by the type of schedule."""
    volume_enabled: bool | None
    """Of `kestra.plugins.configurations`, for the Docker task runner, or of the older key of that name."""
    rules: Rulebook = field(repr=False)
    """Plugin defaults of `kestra.tasks.defaults`, the older place, then of `kestra.plugins.defaults`; policies."""
    traces: Traces
    plugin_security: PluginSecurity = field(default_factory=PluginSecurity)
    plugin_management: PluginManagement = field(default_factory=PluginManagement)
    files: tuple[str, ...] = field(default=(), compare=False)
    """The configuration files all this was read from."""


@dataclass(frozen=True, slots=True)
class Said:
    """One key that someone set, with a value that may be shown, and where: a file with the line, or a variable."""

    name: str
    value: object
    place: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and everything about the files that their writer should know."""

    settings: Settings
    warnings: tuple[Problem, ...]
    secrets_in_files: Mapping[str, Misconfiguration] = field(default_factory=dict)
    """By the name of each file that holds a secret in clear text: what to say where others can read that file."""
    shown: tuple[Said, ...] = ()
    """What is configured, as it may be shown."""
