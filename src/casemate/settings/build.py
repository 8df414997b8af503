"""From values to settings, section by section."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar, cast

from casemate.documents import Plain
from casemate.masking import Style
from casemate.secret import Secret
from casemate.settings import exposure, model, plugin_management
from casemate.settings.encryption import keys_of
from casemate.settings.governing import rulebook
from casemate.settings.keys import Kind
from casemate.settings.known import KNOWN
from casemate.settings.model import Settings
from casemate.settings.plugin_configurations import recover_missed, volume_enabled
from casemate.settings.quotas import quotas_of
from casemate.settings.secret_stores import denied_services, secret_store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Values:
    """What the keys say; what is not said is the default of the table."""

    said: Mapping[str, object]

    def get(self, name: str, kind: type[T]) -> T | None:
        """The value of a key, or its default, which may be nothing."""
        path = tuple(name.split("."))
        key = KNOWN.find(path)
        assert key is not None, name
        value = self.said.get(name, key.default)
        assert value is None or isinstance(value, kind), name
        return value

    def need(self, name: str, kind: type[T]) -> T:
        """The value of a key that always has one."""
        value = self.get(name, kind)
        assert value is not None, name
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """The value of a key that holds a list of texts."""
        return tuple(str(text) for text in self.get(name, tuple) or ())


def built(said: Mapping[str, object], home: str) -> Settings:
    """The settings that the said values, and defaults for the others, make."""
    values = Values(_with_plain_paths(said, home))
    return Settings(
        server=_server(values),
        encryption=_encryption(values),
        secrets=_secrets(values),
        variables=_variables(values),
        storage=_storage(values),
        database=_database(values),
        java_security=_java_security(values),
        isolation=_isolation(values),
        worker=model.Worker(slots=values.get("casemate.worker.slots", int)),
        http=model.HttpLists(
            allowed=values.texts("kestra.tasks.http.allowed-list"),
            denied=values.texts("kestra.tasks.http.denied-list"),
        ),
        local_files=values.texts("kestra.local-files.allowed-paths"),
        archives=_archives(values),
        quotas=quotas_of(said.get("casemate.quotas")),
        listeners=values.need("kestra.listeners.enabled", bool),
        masking=cast("Style", values.need("kestra.logs.masking.style", str)),
        templates=values.need("kestra.templates.enabled", bool),
        url=values.get("kestra.url", str),
        recover_missed=recover_missed(said),
        volume_enabled=volume_enabled(said),
        plugin_security=model.PluginSecurity(
            includes=values.texts("kestra.plugins.security.includes"),
            excludes=values.texts("kestra.plugins.security.excludes"),
        ),
        rules=rulebook(said),
        traces=model.Traces(
            delete_files=values.need("kestra.configurations.delete-files-on-start", bool),
            must_delete=values.need("kestra.configurations.delete-files-on-start-required", bool),
            readable_by_others=values.need(exposure.READABLE, bool),
        ),
        plugin_management=_plugin_management(values),
    )


def _with_plain_paths(said: Mapping[str, object], home: str) -> dict[str, object]:
    """The same, its paths without `~`, `.`, `..` and doubled slashes; also those of profiles."""
    return {name: _plain(name, value, home) for name, value in said.items()}


def _plain(name: str, value: object, home: str) -> object:
    if not isinstance(value, tuple):
        return value
    if (key := KNOWN.find(tuple(name.split(".")))) and key.kind is Kind.PATHS:
        return tuple(_plain_path(str(path), home) for path in value)
    return tuple(
        replace(each, overrides=_with_plain_paths(each.overrides, home)) if isinstance(each, model.Profile) else each
        for each in value
    )


def _plain_path(path: str, home: str) -> str:
    opened = home + path[1:] if path == "~" or path.startswith("~/") else path
    return re.sub("^/+", "/", posixpath.normpath(opened))


def _server(values: Values) -> model.Server:
    return model.Server(
        basic_auth=_basic_auth(values),
        liveness=_liveness(values),
        termination_grace_period=values.need("kestra.server.termination-grace-period", timedelta),
        worker_task_restart_strategy=values.need("kestra.server.worker-task-restart-strategy", str),
    )


def _basic_auth(values: Values) -> model.BasicAuth | None:
    username = values.get("kestra.server.basic-auth.username", str)
    password = values.get("kestra.server.basic-auth.password", Secret)
    if not username or not password or not password.reveal():
        return None
    return model.BasicAuth(
        username=username,
        password=password,
        realm=values.need("kestra.server.basic-auth.realm", str),
        open_urls=values.texts("kestra.server.basic-auth.open-urls"),
    )


def _liveness(values: Values) -> model.Liveness:
    """The liveness keys; where they are silent the older heartbeat keys speak (spec/security 7.2)."""
    heartbeat = values.need("kestra.server.liveness.heartbeat-interval", timedelta)
    timeout = values.need("kestra.server.liveness.timeout", timedelta)
    frequency = values.get("kestra.heartbeat.frequency", timedelta)
    if frequency and "kestra.server.liveness.heartbeat-interval" not in values.said:
        heartbeat = frequency
    if frequency and "kestra.server.liveness.timeout" not in values.said:
        timeout = frequency * (values.get("kestra.heartbeat.heartbeat-missed", int) or 3)
    return model.Liveness(
        enabled=values.need("kestra.server.liveness.enabled", bool),
        interval=values.need("kestra.server.liveness.interval", timedelta),
        timeout=timeout,
        initial_delay=values.need("kestra.server.liveness.initial-delay", timedelta),
        heartbeat_interval=heartbeat,
    )


def _encryption(values: Values) -> model.Encryption:
    return model.Encryption(
        secret_key=_trimmed(values.get("kestra.encryption.secret-key", Secret)),
        keys=keys_of(values.said.get("kestra.encryption.keys")),
        allow_plaintext=values.need("kestra.encryption.allow-plaintext", bool),
    )


def _trimmed(secret: Secret | None) -> Secret | None:
    """Keys come from files and commands that end in a line feed."""
    return Secret(secret.reveal().strip()) if secret and secret.reveal().strip() else None


def _secrets(values: Values) -> model.Secrets:
    cache = model.SecretCache(
        size=values.need("kestra.secret.cache.maximum-size", int),
        lifetime=values.need("kestra.secret.cache.expire-after-write", timedelta),
    )
    isolated = values.need("kestra.secret.isolation.enabled", bool)
    return model.Secrets(
        store=secret_store(values.said, values.need("kestra.secret.type", str)),
        denied=denied_services(values.said) if isolated else frozenset(),
        cache=cache if values.need("kestra.secret.cache.enabled", bool) else None,
        retries=model.Retries(
            attempts=values.need("kestra.retries.attempts", int),
            delay=values.need("kestra.retries.delay", timedelta),
            max_delay=values.get("kestra.retries.max-delay", timedelta),
            multiplier=values.need("kestra.retries.multiplier", float),
        ),
        own=model.OwnStores(
            types=values.texts("casemate.secret.namespaces.types"),
            hosts=values.texts("casemate.secret.namespaces.hosts"),
            grants=values.texts("casemate.secret.namespaces.grants"),
        ),
    )


def _variables(values: Values) -> model.Variables:
    globals_: Mapping[str, Plain] = values.get("kestra.variables.globals", dict) or {}
    return model.Variables(
        globals=globals_,
        env_vars_prefix=values.need("kestra.variables.env-vars-prefix", str),
        redacted_env_vars=values.texts("kestra.variables.redacted-env-vars"),
        recursive_rendering=values.need("kestra.variables.recursive-rendering", bool),
    )


def _storage(values: Values) -> model.Storage:
    base_path = values.get("kestra.storage.local.base-path", str)
    return model.Storage(type=values.need("kestra.storage.type", str), local_base_path=base_path)


def _archives(values: Values) -> model.ArchiveRules | None:
    section = "kestra.security.zip-bomb-protection"
    entries, size = values.get(f"{section}.max-number-of-entries", int), values.get(f"{section}.max-entry-size", int)
    if not values.need(f"{section}.enabled", bool) or entries is None or size is None:
        return None
    return model.ArchiveRules(entries=entries, entry_size=size)


def _database(values: Values) -> model.Database:
    kind = values.get("kestra.repository.type", str)
    named = f"datasources.{kind or 'none'}"
    return model.Database(
        type=kind,
        url=values.get(f"{named}.url", str),
        username=values.get(f"{named}.username", str),
        password=values.get(f"{named}.password", Secret),
    )


def _plugin_management(values: Values) -> model.PluginManagement:
    section = "kestra.plugins.management"
    reloads = values.need(f"{section}.auto-reload-enabled", bool)
    return model.PluginManagement(
        enabled=values.need(f"{section}.enabled", bool),
        custom=values.need(f"{section}.custom-plugins-enabled", bool),
        default_version=plugin_management.default_version(values.need(f"{section}.default-version", str)),
        folder=values.get(f"{section}.local-repository-path", str),
        reload=values.need(f"{section}.auto-reload-interval", timedelta) if reloads else None,
        repositories=plugin_management.repositories(values.said),
    )


def _java_security(values: Values) -> model.JavaSecurity:
    section = "kestra.ee.java-security"
    return model.JavaSecurity(
        enabled=values.need(f"{section}.enabled", bool),
        forbidden_paths=values.texts(f"{section}.forbidden-paths"),
        authorized_class_prefix=values.texts(f"{section}.authorized-class-prefix"),
        forbidden_class_prefix=values.texts(f"{section}.forbidden-class-prefix"),
    )


def _isolation(values: Values) -> model.Isolation:
    section = "casemate.isolation"
    return model.Isolation(
        required_level=values.need(f"{section}.required-level", str),
        egress=model.EgressRules(
            open=values.need(f"{section}.egress.open", bool),
            public=values.need(f"{section}.egress.public", bool),
            allow=values.texts(f"{section}.egress.allow"),
            deny=values.texts(f"{section}.egress.deny"),
            proxy=values.get(f"{section}.egress.proxy", Secret),
        ),
        visible_paths=values.texts(f"{section}.visible-paths"),
        limits=model.LimitOverrides(
            memory=values.get(f"{section}.limits.memory", int),
            processes=values.get(f"{section}.limits.processes", int),
            open_files=values.get(f"{section}.limits.open-files", int),
            file_size=values.get(f"{section}.limits.file-size", int),
            temporary=values.get(f"{section}.limits.temporary", int),
            output=values.get(f"{section}.limits.output", int),
            line=values.get(f"{section}.limits.line", int),
            cpu=values.get(f"{section}.limits.cpu", float),
            disk=values.get(f"{section}.limits.disk", int),
            inodes=values.get(f"{section}.limits.inodes", int),
            temporary_inodes=values.get(f"{section}.limits.temporary-inodes", int),
            duration=values.get(f"{section}.limits.duration", timedelta),
        ),
        writable_paths=values.texts(f"{section}.writable-paths"),
        threads=values.need(f"{section}.threads", bool),
        processes=values.need(f"{section}.processes", bool),
        profiles=values.need(f"{section}.profiles", tuple),
        docker=_docker(values),
        said={name: value for name, value in values.said.items() if name.startswith(f"{section}.")},
    )


def _docker(values: Values) -> model.DockerRules:
    section = "casemate.isolation.docker"
    return model.DockerRules(
        enabled=values.get(f"{section}.enabled", bool),
        grants=values.texts(f"{section}.grants"),
        network=values.need(f"{section}.network", str),
        capabilities=values.texts(f"{section}.capabilities"),
        read_only_root=values.need(f"{section}.read-only-root", bool),
    )


def overridden(isolation: model.Isolation, profiles: tuple[model.Profile, ...]) -> model.Isolation:
    """The section as these profiles, the later one over the earlier, change it; none but these are left in it."""
    said = dict(isolation.said)
    for profile in profiles:
        said |= profile.overrides
    return replace(_isolation(Values(said)), profiles=profiles)
