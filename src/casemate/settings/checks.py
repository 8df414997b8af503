"""What settings must not say at once, and what deserves a word: pure checks over the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from casemate.destinations import NotADestination
from casemate.http_lists import web_place
from casemate.settings import (
    docker,
    egress,
    encryption,
    governing,
    own_stores,
    plugin_configurations,
    plugin_management,
    plugin_security,
    quotas,
    secret_stores,
)
from casemate.settings.account import account
from casemate.settings.finding import Finding
from casemate.settings.model import Settings
from casemate.settings.path_checks import misshapen, path_problems
from casemate.settings.profile_checks import in_each_profile, in_every_combination, profile_problems

_AUTH = "kestra.server.basic-auth"
_LIVENESS = "kestra.server.liveness"
_JAVA = "kestra.ee.java-security"
_WALLS = "casemate.isolation"
_ARCHIVES = "kestra.security.zip-bomb-protection"
_ARCHIVE_LIMITS = (f"{_ARCHIVES}.max-number-of-entries", f"{_ARCHIVES}.max-entry-size")
SCRIPTS = "io.kestra.plugin.scripts"


def contradicting(settings: Settings, said: Mapping[str, object]) -> Iterator[Finding]:
    """What cannot be: the configuration is refused."""
    yield from account(settings, said)
    yield from _times(settings)
    yield from encryption.misfits(settings, said)
    yield from profile_problems(settings)
    yield from in_every_combination(settings, _egress_problems, path_problems, docker.contradicting)
    yield from misshapen("kestra.local-files.allowed-paths", settings.local_files)
    yield from _http_lists(settings)
    yield from _archives(said)
    yield from governing.misfits(said)
    yield from plugin_configurations.misfits(said)
    yield from plugin_security.misfits(said)
    yield from plugin_management.contradicting(settings)
    yield from quotas.misfits(said)
    yield from secret_stores.misfits(said)
    yield from own_stores.misfits(settings.secrets.own)


def odd(settings: Settings, said: Mapping[str, object]) -> Iterator[Finding]:
    """What is allowed, but probably not what was meant."""
    yield from _ignored_switches(settings, said)
    yield from encryption.weak(settings, said)
    yield from _thread_rules(settings)
    yield from plugin_configurations.without_effect(said)
    for key in _ARCHIVE_LIMITS:
        if key in said and not said.get(f"{_ARCHIVES}.enabled"):
            message = f"has no effect while {_ARCHIVES}.enabled is false"
            yield Finding(code="config.no-effect", keys=(key,), message=message)
    yield from governing.oddities(said)
    yield from plugin_management.without_effect(said)
    if said.get("kestra.heartbeat.frequency"):
        message = "is deprecated; use kestra.server.liveness.heartbeat-interval and .timeout"
        yield Finding(code="config.deprecated", keys=("kestra.heartbeat.frequency",), message=message)
    if settings.storage.type != "local":
        message = "has no effect: internal files are kept in a local folder whatever this says"
        yield Finding(code="config.no-effect", keys=("kestra.storage.type",), message=message)
    yield from secret_stores.without_effect(settings.secrets.store, said)
    yield from docker.odd(settings, said)
    yield from in_each_profile(settings, "egress.", lambda each: egress.odd(each.isolation.egress))


def _times(settings: Settings) -> Iterator[Finding]:
    live = settings.server.liveness
    named = {"interval": live.interval, "timeout": live.timeout, "heartbeat-interval": live.heartbeat_interval}
    for name, value in named.items():
        if value <= timedelta(0):
            yield Finding(keys=(f"{_LIVENESS}.{name}",), message="must be more than nothing")
    if settings.server.termination_grace_period < timedelta(0):
        yield Finding(keys=("kestra.server.termination-grace-period",), message="must not be negative")
    if live.heartbeat_interval >= live.timeout:
        keys = (f"{_LIVENESS}.heartbeat-interval", f"{_LIVENESS}.timeout", "kestra.heartbeat.frequency")
        yield Finding(keys=keys, message=f"{keys[0]} must be less than {keys[1]}")
    if live.interval > live.timeout:
        keys = (f"{_LIVENESS}.interval", f"{_LIVENESS}.timeout", "kestra.heartbeat.frequency")
        yield Finding(keys=keys, message=f"{keys[0]} must not be more than {keys[1]}")


def _egress_problems(settings: Settings) -> Iterator[Finding]:
    return egress.contradicting(settings.isolation.egress)


def _http_lists(settings: Settings) -> Iterator[Finding]:
    for name, entries in (("allowed", settings.http.allowed), ("denied", settings.http.denied)):
        for text in entries:
            try:
                web_place(text)
            except NotADestination as error:
                key = f"kestra.tasks.http.{name}-list"
                message = f"cannot be used: {error}"
                yield Finding(code="config.type", keys=(key,), message=message, remedy=error.remedy)


def _archives(said: Mapping[str, object]) -> Iterator[Finding]:
    if said.get(f"{_ARCHIVES}.enabled"):
        for key in _ARCHIVE_LIMITS:
            if key not in said:
                yield Finding(keys=(f"{_ARCHIVES}.enabled",), message=f"needs {key}", remedy=f"Set {key} as well")


def _ignored_switches(settings: Settings, said: Mapping[str, object]) -> Iterator[Finding]:
    if settings.server.basic_auth and said.get(f"{_AUTH}.enabled") is False:
        message = "has no effect: with a username and a password the API is always closed"
        yield Finding(code="config.no-effect", keys=(f"{_AUTH}.enabled",), message=message)
    rules = ("forbidden-paths", "authorized-class-prefix", "forbidden-class-prefix")
    for rule in rules:
        if said.get(f"{_JAVA}.{rule}") and not settings.java_security.enabled:
            message = f"has no effect while {_JAVA}.enabled is false"
            yield Finding(code="config.no-effect", keys=(f"{_JAVA}.{rule}",), message=message)


def _thread_rules(settings: Settings) -> Iterator[Finding]:
    for prefix in settings.java_security.authorized_class_prefix:
        if prefix.startswith(SCRIPTS) or SCRIPTS.startswith(prefix.rstrip(".") + "."):
            message = f"lets script tasks start threads: {prefix}"
            yield Finding(code="config.weak", keys=(f"{_JAVA}.authorized-class-prefix",), message=message)
