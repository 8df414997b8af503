"""Every configuration key there is: the one place that knows their names, kinds, defaults, and what becomes of them."""

from __future__ import annotations

from datetime import timedelta

from casemate.masking import STYLES
from casemate.settings.keys import Key, Kind, Table

RESTART_STRATEGIES = ("NEVER", "IMMEDIATELY", "AFTER_TERMINATION_GRACE_PERIOD")
OPEN_URLS = ("/ping", "/api/v1/executions/webhook/", "/api/v1/main/executions/webhook/")
OWN_STORES = (
    *("aws-secret-manager", "aws-ssm-parameter-store", "azure-key-vault", "elasticsearch", "google-secret-manager"),
    *("jdbc", "vault"),
)
"""Kinds of stores that namespaces may bring for their secrets: all but the server's own environment."""
WITHHELD = ("KESTRA_PLUGINS_PATH", "KESTRA_CONFIGURATION_PATH", "KESTRA_CONFIGURATION")

_DATABASE = "rows are kept in SQLite in the state folder whatever this says"
_FILES = "internal files are kept in a local folder whatever this says"
_QUEUE = "jobs are carried inside the process whatever this says"
_ENTERPRISE_USERS = "there is one account only, kestra.server.basic-auth"
_NO_REPORT = "nothing about usage is ever sent anywhere"
_NO_UI = "there is no user interface yet"
_NO_MANAGEMENT_PORT = "there is no management port yet"
_ONE_PROCESS = "all services are one process"
_TOGETHER = "all services are one process, and stop and start together"
_METRICS = "metrics are not published yet"
_LOGGING = "the server's own log cannot be tuned yet"
_TLS = "the server speaks plain HTTP only; put a TLS proxy before it"
_NO_BORDERS = "all services are one process, which could not be kept from files"


_SERVER = (
    Key(name="kestra.server.basic-auth.enabled", kind=Kind.FLAG),
    Key(name="kestra.server.basic-auth.username", kind=Kind.TEXT),
    Key(name="kestra.server.basic-auth.password", kind=Kind.TEXT, secret=True),
    Key(name="kestra.server.basic-auth.realm", kind=Kind.TEXT, default="Kestra"),
    Key(name="kestra.server.basic-auth.open-urls", kind=Kind.TEXTS, default=OPEN_URLS),
    Key(name="kestra.server.liveness.enabled", kind=Kind.FLAG, default=True, later=_TOGETHER),
    Key(name="kestra.server.liveness.interval", kind=Kind.DURATION, default=timedelta(seconds=5), later=_TOGETHER),
    Key(name="kestra.server.liveness.timeout", kind=Kind.DURATION, default=timedelta(seconds=45), later=_TOGETHER),
    Key(
        name="kestra.server.liveness.initial-delay", kind=Kind.DURATION, default=timedelta(seconds=45), later=_TOGETHER
    ),
    Key(
        name="kestra.server.liveness.heartbeat-interval",
        kind=Kind.DURATION,
        default=timedelta(seconds=3),
        later=_TOGETHER,
    ),
    Key(name="kestra.heartbeat.frequency", kind=Kind.DURATION, later=_TOGETHER),
    Key(name="kestra.heartbeat.heartbeat-missed", kind=Kind.NUMBER, least=1, later=_TOGETHER),
    Key(
        name="kestra.server.termination-grace-period", kind=Kind.DURATION, default=timedelta(minutes=5), later=_TOGETHER
    ),
    Key(
        name="kestra.server.worker-task-restart-strategy",
        kind=Kind.CHOICE,
        choices=RESTART_STRATEGIES,
        default="AFTER_TERMINATION_GRACE_PERIOD",
        later=_TOGETHER,
    ),
    Key(
        name="kestra.server.service.purge.retention",
        kind=Kind.DURATION,
        default=timedelta(days=30),
        later="service instances are not purged yet",
    ),
    Key(name="kestra.server.access-log.*", kind=Kind.TREE, later=_LOGGING),
    Key(name="kestra.url", kind=Kind.TEXT),
)

_LANGUAGE = (
    Key(name="kestra.encryption.secret-key", kind=Kind.TEXT, secret=True),
    Key(name="kestra.encryption.keys", kind=Kind.TREE, secret=True),
    Key(name="kestra.encryption.allow-plaintext", kind=Kind.FLAG, default=False),
    Key(name="kestra.variables.globals", kind=Kind.MAP),
    Key(name="kestra.variables.env-vars-prefix", kind=Kind.TEXT, default="ENV_"),
    Key(name="kestra.variables.redacted-env-vars", kind=Kind.TEXTS, default=WITHHELD),
    Key(name="kestra.variables.recursive-rendering", kind=Kind.FLAG, default=False),
    Key(name="kestra.variables.cache-enabled", kind=Kind.FLAG, later="templates need no cache here"),
    Key(name="kestra.variables.cache-size", kind=Kind.NUMBER, later="templates need no cache here"),
    Key(name="kestra.plugins.defaults", kind=Kind.TREE),
    Key(name="kestra.tasks.defaults", kind=Kind.TREE),
    Key(name="kestra.plugins.configurations", kind=Kind.TREE),
    Key(
        name="kestra.regex.timeout",
        kind=Kind.DURATION,
        later="a pattern that would take longer than a few seconds on a text is refused before it begins",
    ),
    Key(name="kestra.templates.enabled", kind=Kind.FLAG, default=False),
    Key(name="kestra.listeners.enabled", kind=Kind.FLAG, default=True),
    Key(name="kestra.logs.masking.style", kind=Kind.CHOICE, choices=STYLES, default="fixed"),
    Key(name="kestra.system-flows.namespace", kind=Kind.TEXT, later="system flows do not exist yet"),
    Key(name="kestra.tutorial-flows.enabled", kind=Kind.FLAG, later="there are no tutorial flows"),
    Key(name="kestra.policies", kind=Kind.TREE),
)

_WALLS = (
    Key(name="kestra.ee.java-security.enabled", kind=Kind.FLAG, default=False),
    Key(name="kestra.ee.java-security.forbidden-paths", kind=Kind.PATHS, default=()),
    Key(name="kestra.ee.java-security.authorized-class-prefix", kind=Kind.TEXTS, default=()),
    Key(name="kestra.ee.java-security.forbidden-class-prefix", kind=Kind.TEXTS, default=()),
    Key(name="casemate.isolation.required-level", kind=Kind.CHOICE, choices=("full", "container"), default="full"),
    Key(name="casemate.isolation.egress.open", kind=Kind.FLAG, default=True),
    Key(name="casemate.isolation.egress.public", kind=Kind.FLAG, default=True),
    Key(name="casemate.isolation.egress.proxy", kind=Kind.TEXT, secret=True),
    Key(name="casemate.isolation.egress.allow", kind=Kind.TEXTS, default=()),
    Key(name="casemate.isolation.egress.deny", kind=Kind.TEXTS, default=()),
    Key(name="casemate.isolation.visible-paths", kind=Kind.PATHS, default=()),
    Key(name="casemate.isolation.writable-paths", kind=Kind.PATHS, default=()),
    Key(name="casemate.isolation.threads", kind=Kind.FLAG, default=True),
    Key(name="casemate.isolation.processes", kind=Kind.FLAG, default=True),
    Key(name="casemate.isolation.scripts.force-runner", kind=Kind.TEXT),
    Key(name="casemate.isolation.docker.enabled", kind=Kind.FLAG),
    Key(name="casemate.isolation.docker.grants", kind=Kind.TEXTS, default=()),
    Key(name="casemate.isolation.docker.network", kind=Kind.TEXT, default="none"),
    Key(name="casemate.isolation.docker.capabilities", kind=Kind.TEXTS, default=()),
    Key(name="casemate.isolation.docker.read-only-root", kind=Kind.FLAG, default=True),
    Key(name="casemate.isolation.profiles", kind=Kind.ENTRIES, default=()),
    Key(name="casemate.isolation.limits.memory", kind=Kind.SIZE, least=1 << 20),
    Key(name="casemate.isolation.limits.processes", kind=Kind.NUMBER, least=1),
    Key(name="casemate.isolation.limits.open-files", kind=Kind.NUMBER, least=16),
    Key(name="casemate.isolation.limits.file-size", kind=Kind.SIZE, least=1),
    Key(name="casemate.isolation.limits.temporary", kind=Kind.SIZE, least=1),
    Key(name="casemate.isolation.limits.output", kind=Kind.SIZE, least=1),
    Key(name="casemate.isolation.limits.line", kind=Kind.SIZE, least=80),
    Key(name="casemate.isolation.limits.cpu", kind=Kind.DECIMAL, least=0.01),
    Key(name="casemate.isolation.limits.disk", kind=Kind.SIZE, least=1),
    Key(name="casemate.isolation.limits.inodes", kind=Kind.NUMBER, least=16),
    Key(name="casemate.isolation.limits.temporary-inodes", kind=Kind.NUMBER, least=16),
    Key(name="casemate.isolation.limits.duration", kind=Kind.DURATION),
    Key(name="casemate.quotas", kind=Kind.TREE),
    Key(name="casemate.worker.slots", kind=Kind.NUMBER, least=1),
    Key(name="kestra.plugins.security.includes", kind=Kind.TEXTS, default=()),
    Key(name="kestra.plugins.security.excludes", kind=Kind.TEXTS, default=()),
    Key(name="kestra.tasks.http.allowed-list", kind=Kind.TEXTS, default=()),
    Key(name="kestra.tasks.http.denied-list", kind=Kind.TEXTS, default=()),
    Key(name="kestra.configurations.delete-files-on-start", kind=Kind.FLAG, default=False),
    Key(name="kestra.configurations.delete-files-on-start-required", kind=Kind.FLAG, default=True),
    Key(name="casemate.configuration.readable-by-others", kind=Kind.FLAG, default=False),
    Key(name="kestra.secret.isolation.enabled", kind=Kind.FLAG, default=False),
    Key(name="kestra.secret.isolation.denied-services", kind=Kind.TEXTS, default=()),
    Key(name="kestra.storage.isolation.enabled", kind=Kind.FLAG, guard=_NO_BORDERS),
    Key(name="kestra.storage.isolation.denied-services", kind=Kind.TEXTS, later=_ONE_PROCESS),
    Key(name="kestra.security.zip-bomb-protection.enabled", kind=Kind.FLAG, default=False),
    Key(name="kestra.security.zip-bomb-protection.max-number-of-entries", kind=Kind.NUMBER, least=1),
    Key(name="kestra.security.zip-bomb-protection.max-entry-size", kind=Kind.SIZE, least=1),
    Key(
        name="kestra.ee.execution-data.internal-storage.*",
        kind=Kind.FLAG,
        guard="execution data is kept in the database, not apart for each tenant",
    ),
    Key(name="kestra.local-files.allowed-paths", kind=Kind.PATHS, default=()),
    Key(name="kestra.local-files.enable-preview", kind=Kind.FLAG, later=_NO_UI),
)

_PLACES = (
    Key(name="kestra.storage.type", kind=Kind.TEXT, default="local"),
    Key(name="kestra.storage.local.base-path", kind=Kind.TEXT),
    Key(name="kestra.storage.*", kind=Kind.TREE, secret=True, later=_FILES),
    Key(name="kestra.repository.type", kind=Kind.TEXT, later=_DATABASE),
    Key(name="kestra.repository.*", kind=Kind.TREE, later=_DATABASE),
    Key(name="kestra.queue.type", kind=Kind.TEXT, later=_QUEUE),
    Key(name="kestra.queue.*", kind=Kind.TREE, later=_QUEUE),
    Key(name="datasources.*.url", kind=Kind.TEXT, later=_DATABASE),
    Key(name="datasources.*.username", kind=Kind.TEXT, later=_DATABASE),
    Key(name="datasources.*.password", kind=Kind.TEXT, secret=True, later=_DATABASE),
    Key(name="datasources.*.*", kind=Kind.TREE, later=_DATABASE),
    Key(name="kestra.jdbc", kind=Kind.TREE, later=_DATABASE),
    Key(name="kestra.elasticsearch.client", kind=Kind.TREE, secret=True),
    Key(name="kestra.elasticsearch.defaults.indice-prefix", kind=Kind.TEXT),
    Key(name="kestra.elasticsearch.*", kind=Kind.TREE, secret=True, later=_DATABASE),
    Key(name="kestra.kafka", kind=Kind.TREE, secret=True, later=_QUEUE),
    Key(name="kestra.indexer", kind=Kind.TREE, later=_ONE_PROCESS),
    Key(name="kestra.kv", kind=Kind.TREE, later=_DATABASE),
    Key(name="kestra.tasks.tmp-dir.path", kind=Kind.TEXT, later="working directories lie in the state folder"),
    Key(name="kestra.secret.type", kind=Kind.TEXT, default="env"),
    Key(name="kestra.secret.encoding", kind=Kind.CHOICE, choices=("base64", "raw", "auto"), default="base64"),
    Key(name="kestra.secret.read-only", kind=Kind.FLAG, default=False),
    Key(name="kestra.secret.cache.enabled", kind=Kind.FLAG, default=False),
    Key(name="kestra.secret.cache.maximum-size", kind=Kind.NUMBER, least=1, default=1000),
    Key(name="kestra.secret.cache.expire-after-write", kind=Kind.DURATION, default=timedelta(seconds=60)),
    Key(name="kestra.secret.*", kind=Kind.TREE, secret=True),
    Key(name="casemate.secret.namespaces.types", kind=Kind.TEXTS, default=OWN_STORES),
    Key(name="casemate.secret.namespaces.hosts", kind=Kind.TEXTS, default=()),
    Key(name="casemate.secret.namespaces.grants", kind=Kind.TEXTS, default=()),
    Key(name="kestra.retries.attempts", kind=Kind.NUMBER, least=1, default=5),
    Key(name="kestra.retries.delay", kind=Kind.DURATION, default=timedelta(seconds=1)),
    Key(name="kestra.retries.max-delay", kind=Kind.DURATION),
    Key(name="kestra.retries.multiplier", kind=Kind.DECIMAL, least=1, default=2.0),
)

_SERVICES = (
    Key(name="kestra.worker", kind=Kind.TREE, secret=True, later=_ONE_PROCESS),
    Key(name="kestra.executor", kind=Kind.TREE, later=_ONE_PROCESS),
    Key(name="kestra.scheduler", kind=Kind.TREE, later=_ONE_PROCESS),
    Key(name="kestra.ee.worker", kind=Kind.TREE, secret=True, later=_ONE_PROCESS),
    Key(name="kestra.grpc", kind=Kind.TREE, secret=True, later=_ONE_PROCESS),
    Key(name="kestra.plugins.repositories.*.url", kind=Kind.TEXT),
    Key(
        name="kestra.plugins.repositories.*.basic-auth", kind=Kind.TREE, secret=True, later="a folder needs no password"
    ),
    Key(name="kestra.plugins.management.enabled", kind=Kind.FLAG, default=True),
    Key(name="kestra.plugins.management.custom-plugins-enabled", kind=Kind.FLAG, default=True),
    Key(name="kestra.plugins.management.default-version", kind=Kind.TEXT, default="LATEST"),
    Key(name="kestra.plugins.management.local-repository-path", kind=Kind.TEXT),
    Key(name="kestra.plugins.management.auto-reload-enabled", kind=Kind.FLAG, default=True),
    Key(name="kestra.plugins.management.auto-reload-interval", kind=Kind.DURATION, default=timedelta(seconds=60)),
    Key(
        name="kestra.plugins.management.remote-storage-enabled",
        kind=Kind.FLAG,
        later="plugins lie in the local repository whatever this says",
    ),
    Key(
        name="kestra.plugins.auto-install.enabled",
        kind=Kind.FLAG,
        later="no plugin is ever installed because a flow names it",
    ),
    Key(name="kestra.plugins.path", kind=Kind.TEXT, later="plugins are installed with `casemate plugins install`"),
    Key(name="kestra.tasks.scripts.docker.volume-enabled", kind=Kind.FLAG),
    Key(
        name="kestra.tasks.sdk.authentication", kind=Kind.TREE, secret=True, later="no task type here calls the API yet"
    ),
    Key(name="kestra.security.super-admin", kind=Kind.TREE, secret=True, later=_ENTERPRISE_USERS),
    Key(name="kestra.security.default-role", kind=Kind.TREE, later=_ENTERPRISE_USERS),
    Key(name="kestra.security.invitations.expire-after", kind=Kind.DURATION, later=_ENTERPRISE_USERS),
    Key(
        name="kestra.security.basic-auth.password-regexp",
        kind=Kind.TEXT,
        guard="passwords are not held against a pattern yet; weak ones are refused without one",
    ),
    Key(name="kestra.security.basic-auth.*", kind=Kind.TREE, later=_ENTERPRISE_USERS),
    Key(name="kestra.security.*", kind=Kind.TREE, secret=True, later=_ENTERPRISE_USERS),
    Key(name="kestra.ee.license", kind=Kind.TREE, secret=True, later="no licence is needed"),
    Key(name="kestra.ee.tenants", kind=Kind.TREE, later="there is one tenant, main"),
    Key(
        name="kestra.ee.require-existing-namespace",
        kind=Kind.FLAG,
        later="a namespace exists as soon as a flow names it",
    ),
    Key(name="kestra.ee.mail-service", kind=Kind.TREE, secret=True, later=_ENTERPRISE_USERS),
    Key(name="kestra.ee.setup", kind=Kind.TREE, secret=True, later=_ENTERPRISE_USERS),
    Key(name="kestra.ee.*", kind=Kind.TREE, secret=True, later=_NO_UI),
    Key(name="kestra.environment", kind=Kind.TREE, later=_NO_UI),
    Key(name="kestra.webserver", kind=Kind.TREE, later=_NO_UI),
    Key(name="kestra.ui", kind=Kind.TREE, later=_NO_UI),
    Key(name="kestra.hidden-labels", kind=Kind.TREE, later=_NO_UI),
    Key(name="kestra.ai", kind=Kind.TREE, secret=True, later="no model is ever asked"),
    Key(name="kestra.metrics", kind=Kind.TREE, later=_METRICS),
    Key(name="kestra.traces", kind=Kind.TREE, later=_METRICS),
    Key(name="kestra.anonymous-usage-report", kind=Kind.TREE, later=_NO_REPORT),
    Key(name="kestra.ui-anonymous-usage-report", kind=Kind.TREE, later=_NO_REPORT),
    Key(name="endpoints", kind=Kind.TREE, secret=True, later=_NO_MANAGEMENT_PORT),
    Key(name="micronaut.server.port", kind=Kind.NUMBER, least=0, later="the port is given with --port"),
    Key(name="micronaut.server.host", kind=Kind.TEXT, later="the address is given with --host"),
    Key(name="micronaut.server.ssl.enabled", kind=Kind.FLAG, guard=_TLS),
    Key(name="micronaut.server.ssl.*", kind=Kind.TREE, secret=True, later=_TLS),
    Key(name="micronaut.server.*", kind=Kind.TREE, later="the web server is another one than Micronaut's"),
    Key(name="micronaut.ssl.enabled", kind=Kind.FLAG, guard=_TLS),
    Key(name="micronaut.ssl.*", kind=Kind.TREE, secret=True, later=_TLS),
    Key(
        name="micronaut.security",
        kind=Kind.TREE,
        secret=True,
        guard="sign-in other than kestra.server.basic-auth does not exist",
    ),
    Key(name="micronaut.*", kind=Kind.TREE, secret=True, later="there is no Micronaut here"),
    Key(name="logger", kind=Kind.TREE, later=_LOGGING),
    Key(name="jackson", kind=Kind.TREE, later="there is no Jackson here"),
    Key(name="flyway", kind=Kind.TREE, later=_DATABASE),
    Key(name="tasks.sdk.authentication", kind=Kind.TREE, secret=True, later="no task type here calls the API yet"),
)

KNOWN = Table((*_SERVER, *_LANGUAGE, *_WALLS, *_PLACES, *_SERVICES))
