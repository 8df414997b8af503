"""The world as templates see it on the control plane, and as it answers for workers (spec/engine 6.5)."""

from __future__ import annotations

import secrets as dice
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final, NoReturn
from uuid import UUID, uuid4

from casemate.executions import Execution
from casemate.expressions import ExpressionError, Jq, no_jq
from casemate.flows import Flow
from casemate.identifiers import ExecutionId, FlowId, Namespace, TenantId
from casemate.keys import Cipher, KeyRefused
from casemate.masking import Mask
from casemate.secret import Secret
from casemate.secrets import BackendFailed, Denied, Found, NoField, NotAllowed, Secrets, field_of
from casemate.settings import Service
from casemate.storage import BadUri, Storage, StorageError, namespaces, paths
from casemate.store import Database, kv, logs
from casemate.store import namespaces as written
from casemate.store.logs import Wanted

_ERRORS_TOLD = 25
_LOCAL = "file://"
_ELSEWHERE = (
    "Unable to read the file '{path}': only properties of tasks, which a worker renders, read files of a machine"
)

_TOLD: Final = 3
"""Characters of what stands beside a secret and is no secret itself: a number, a flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """On whose behalf something is asked: the flow's, and the execution's if there is one. `folders` may be read."""

    tenant: TenantId
    namespace: Namespace
    execution: ExecutionId | None = None
    folders: tuple[str, ...] = ()


def whose_flow(flow: Flow) -> Whose:
    """On behalf of a flow that does not run yet."""
    return Whose(tenant=flow.tenant, namespace=flow.namespace)


def whose_execution(execution: Execution) -> Whose:
    """On behalf of an execution: its own files may be read, and those of executions that it came from."""
    place = (execution.namespace, execution.flow_id)
    # A replay was given the inputs and outputs of the execution it repeats, hence addresses of its files.
    repeated = {execution.id: None, execution.parent_id: None, execution.original_id: None}
    own = [paths.execution_folder(*place, one) for one in repeated if one is not None]
    return Whose(
        tenant=execution.tenant,
        namespace=execution.namespace,
        execution=execution.id,
        folders=(*own, *_callers_folder(execution)),
    )


def whose_listener(flow: Flow, source: Execution) -> Whose:
    """On behalf of a flow with a Flow trigger: files of the execution that it heard of may be read."""
    return Whose(tenant=flow.tenant, namespace=flow.namespace, folders=whose_execution(source).folders)


def _callers_folder(execution: Execution) -> tuple[str, ...]:
    variables = (execution.trigger or {}).get("variables")
    if not isinstance(variables, Mapping):
        return ()
    names = [variables.get(name) for name in ("namespace", "flowId", "executionId")]
    if not all(isinstance(name, str) and name for name in names):
        return ()
    namespace, flow, caller = (str(name) for name in names)
    try:
        return (paths.execution_folder(Namespace(namespace), FlowId(flow), ExecutionId(caller)),)
    except BadUri:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWorld:
    """Answers in a thread for templates. Every refusal is an `ExpressionError` in Kestra's words.

    `service` is the one that renders: not each is given secrets. `shown` says that people look at what templates make
    of the answers: then secrets are not given. Each answer reads the rows as they are then: a transaction that was held
    open while a secret store thinks would hold up whoever else wants to read. `aside` is entered while one is waited
    for.
    """

    db: Database
    service: Service
    whose: Whose
    storage: Storage
    secrets: Secrets
    now: datetime
    zone: tzinfo
    readable: int
    apply_jq: Jq = no_jq
    aside: Callable[[], AbstractContextManager[object]] = nullcontext
    mask: Mask = field(default_factory=Mask)
    shown: bool = False

    def covered(self, error: Exception) -> str:
        """The text of an error, without what the template that failed was shown."""
        return self.mask.cover(str(error))

    def secret(self, key: str, namespace: str | None, subkey: str | None, inherit: bool) -> str:
        """A secret, or one field of a secret that is a JSON object."""
        found = self._found(key, namespace, inherit)
        if subkey is None:
            return found.value.reveal()
        value = _field(key, found.value.reveal(), subkey)
        self.mask.add(Secret(value))
        return value

    def full_secret(self, key: str, namespace: str | None, inherit: bool) -> Mapping[str, object]:
        """A secret as `value`, and what its store keeps beside it as `metadata`."""
        found = self._found(key, namespace, inherit)
        return {"value": found.value.reveal(), "metadata": {name: one.reveal() for name, one in found.fields.items()}}

    def kv(self, key: str, namespace: str | None, error_on_missing: bool) -> object:
        """A value of the KV store."""
        where = self._namespace(namespace)
        entry = self.db.read_now(kv.get, self.whose.tenant, where, key, self.now)
        if entry is None and error_on_missing:
            _refuse(f"The key '{key}' does not exist in the namespace '{where}'.")
        return None if entry is None else entry.value

    def read(self, path: str, namespace: str | None) -> str:
        """The text of a file."""
        try:
            content = self.storage.get_now(self.whose.tenant, self._uri(path, namespace), self.readable)
        except StorageError as error:
            raise ExpressionError(str(error)) from error
        return content.decode(errors="replace")

    def file_size(self, path: str, namespace: str | None) -> int:
        """The size of a file in bytes."""
        try:
            return self.storage.size_now(self.whose.tenant, self._uri(path, namespace))
        except StorageError as error:
            raise ExpressionError(str(error)) from error

    def encrypt(self, key: str, plaintext: str) -> str:
        """AES-GCM under a key of the author's."""
        self.mask.add_all((Secret(key), Secret(plaintext)))
        try:
            return Cipher(Secret(key)).encrypt(plaintext)
        except KeyRefused as error:
            raise ExpressionError(str(error)) from None

    def decrypt(self, key: str, encrypted: str) -> str:
        """The opposite."""
        if self.shown:
            _refuse("What is encrypted can not be shown.")
        self.mask.add(Secret(key))
        try:
            plaintext = Cipher(Secret(key)).decrypt(encrypted)
        except KeyRefused as error:
            raise ExpressionError(str(error)) from None
        self.mask.add(Secret(plaintext))
        return plaintext

    def uuid(self) -> UUID:
        """A new random UUID."""
        return uuid4()

    def random_int(self, lower: int, upper: int) -> int:
        """A random number, `lower` ≤ n < `upper`; `lower` if they are equal."""
        return lower + dice.randbelow(max(upper - lower, 1))

    def error_logs(self) -> Sequence[Mapping[str, object]]:
        """The execution's ERROR entries, oldest first, at most 25."""
        if self.whose.execution is None:
            return ()
        wanted = Wanted(level="ERROR", limit=_ERRORS_TOLD)
        entries = self.db.read_now(logs.of_execution, self.whose.tenant, self.whose.execution, wanted)
        return [
            {
                "taskId": entry.task_id,
                "taskRunId": entry.task_run_id,
                "timestamp": entry.at.isoformat(),
                "level": entry.level,
                "message": entry.message,
            }
            for entry in entries
        ]

    def jq(self, expression: str, value: object) -> list[object]:
        """All results of a jq program."""
        return self.apply_jq(expression, value)

    def namespace_files(self) -> Mapping[str, str]:
        """The files of the flow's namespace: path to address."""
        found = namespaces.files_of(self.storage, self.whose.tenant, self.whose.namespace)
        return {path.lstrip("/"): stored.uri for path, stored in found.items()}

    def _found(self, key: str, namespace: str | None, inherit: bool) -> Found:
        if self.shown:
            _refuse(f"The secret '{key}' can not be shown.")
        own = self.whose.namespace
        meant = own if namespace is None else Namespace(namespace)
        try:
            with self.aside():
                found = self.secrets.find(
                    self.service,
                    self.whose.tenant,
                    meant,
                    key,
                    caller=None if meant == own else own,
                    inherit=inherit,
                )
        except (BackendFailed, Denied, NotAllowed) as error:
            raise ExpressionError(str(error)) from error
        if found is None:
            _refuse(f"Cannot find secret for key '{key}'.")
        self.mask.add(found.value)
        self.mask.add_all(one for one in found.fields.values() if len(one.reveal()) > _TOLD)
        return found

    def _namespace(self, given: str | None) -> Namespace:
        own = self.whose.namespace
        if given is None or given == own:
            return own
        record = self.db.read_now(written.get, self.whose.tenant, Namespace(given))
        if record is not None and not record.admits(own):
            _refuse(str(NotAllowed(record.id)))
        return Namespace(given)

    def _uri(self, path: str, namespace: str | None) -> str:
        if path.startswith(_LOCAL):
            _refuse(_ELSEWHERE.format(path=path))
        if not path.startswith(paths.SCHEME):
            return paths.namespace_file(self._namespace(namespace), path)
        # Addresses can be guessed or passed on; only what belongs to the execution may get into its templates.
        if not any(path.startswith(f"{folder}/") for folder in self.whose.folders):
            _refuse(f"Unable to read the file '{path}' as it didn't belong to the current execution")
        return path


def _field(key: str, whole: str, name: str) -> str:
    try:
        return field_of(key, Secret(whole), name).reveal()
    except NoField as error:
        raise ExpressionError(str(error)) from None


def _refuse(text: str) -> NoReturn:
    raise ExpressionError(text)
