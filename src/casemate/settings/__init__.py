"""What was configured? YAML files in Kestra's form and the environment, as typed settings or as problems with a place.

Nothing here opens a file: texts and environment come in as arguments. Every key is listed once, in `known`.
"""

from casemate.settings.account import name_faults, password_fault
from casemate.settings.docker import GRANTS
from casemate.settings.egress import proxy_of
from casemate.settings.encryption import keyring
from casemate.settings.known import KNOWN, OPEN_URLS
from casemate.settings.load import load
from casemate.settings.model import (
    ArchiveRules,
    BasicAuth,
    Database,
    DockerRules,
    EgressRules,
    Encryption,
    EncryptionKey,
    HttpLists,
    Isolation,
    JavaSecurity,
    LimitOverrides,
    Liveness,
    Loaded,
    Misconfiguration,
    OwnStores,
    PluginManagement,
    PluginSecurity,
    Profile,
    QuotaSetting,
    Retries,
    Said,
    SecretCache,
    Secrets,
    SecretStore,
    Server,
    Service,
    Settings,
    Storage,
    Traces,
    Variables,
    Worker,
)
from casemate.settings.own_stores import OWN_GRANTS
from casemate.settings.profiles import for_task, said_by, unknown_types
from casemate.settings.questions import authorised, envs, thread_rule
from casemate.settings.telltale import NAMED as TELLTALE
from casemate.settings.telltale import covered
from casemate.settings.values import duration

__all__ = [
    "GRANTS",
    "KNOWN",
    "OPEN_URLS",
    "OWN_GRANTS",
    "TELLTALE",
    "ArchiveRules",
    "BasicAuth",
    "Database",
    "DockerRules",
    "EgressRules",
    "Encryption",
    "EncryptionKey",
    "HttpLists",
    "Isolation",
    "JavaSecurity",
    "LimitOverrides",
    "Liveness",
    "Loaded",
    "Misconfiguration",
    "OwnStores",
    "PluginManagement",
    "PluginSecurity",
    "Profile",
    "QuotaSetting",
    "Retries",
    "Said",
    "SecretCache",
    "SecretStore",
    "Secrets",
    "Server",
    "Service",
    "Settings",
    "Storage",
    "Traces",
    "Variables",
    "Worker",
    "authorised",
    "covered",
    "duration",
    "envs",
    "for_task",
    "keyring",
    "load",
    "name_faults",
    "password_fault",
    "proxy_of",
    "said_by",
    "thread_rule",
    "unknown_types",
]
