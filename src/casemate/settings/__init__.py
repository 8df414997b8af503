"""What was configured? YAML files in Kestra's form and the environment, as typed settings or as problems with a place.

Nothing here opens a file: texts and environment come in as arguments. Every key is listed once, in `known`.
"""

from casemate.settings.account import name_faults, password_fault
from casemate.settings.known import KNOWN, OPEN_URLS
from casemate.settings.load import load
from casemate.settings.model import (
    BasicAuth,
    Database,
    EgressRules,
    Encryption,
    Isolation,
    JavaSecurity,
    LimitOverrides,
    Liveness,
    Loaded,
    Misconfiguration,
    Server,
    Settings,
    Storage,
    Variables,
    Worker,
)
from casemate.settings.questions import envs, redacted, thread_rule

__all__ = [
    "KNOWN",
    "OPEN_URLS",
    "BasicAuth",
    "Database",
    "EgressRules",
    "Encryption",
    "Isolation",
    "JavaSecurity",
    "LimitOverrides",
    "Liveness",
    "Loaded",
    "Misconfiguration",
    "Server",
    "Settings",
    "Storage",
    "Variables",
    "Worker",
    "envs",
    "load",
    "name_faults",
    "password_fault",
    "redacted",
    "thread_rule",
]
