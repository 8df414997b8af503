"""The HTTP API over running services: loaded while the walls are built, so nothing else may import it at its top."""

from __future__ import annotations

from casemate import api
from casemate.api import ArchiveLimits, Deps
from casemate.app import Casemate
from casemate.cli.traces import delete
from casemate.expressions import filter_names, function_parameters
from casemate.settings import Settings
from casemate.worker import container_judge


async def serve(casemate: Casemate, host: str, port: int) -> None:
    """Answer requests until cancelled; once that is so, see to the configuration's files and print the address.

    Raises what `api.serve` does, and `NotDeleted`.
    """

    def ready(address: str) -> None:
        delete(casemate.settings.files, casemate.settings.traces)
        print(f"Casemate answers on {address}", flush=True)

    await api.serve(api.app(_deps(casemate, host, port)), host, port, ready)


def _deps(casemate: Casemate, host: str, port: int) -> Deps:
    return Deps(
        db=casemate.db,
        orchestrator=casemate.orchestrator,
        storage=casemate.storage,
        catalog=casemate.catalog,
        version=casemate.version,
        plugins=casemate.plugins,
        secrets=casemate.secrets,
        url=(casemate.settings.url or f"http://{host}:{port}").rstrip("/"),
        basic_auth=casemate.settings.server.basic_auth,
        context=casemate.context,
        archives=_archives(casemate.settings),
        judge=container_judge(casemate.catalog, casemate.settings),
        filters=filter_names(),
        functions=function_parameters(),
    )


def _archives(settings: Settings) -> ArchiveLimits:
    """Whatever is configured, the limits that always hold are not lifted."""
    always, said = ArchiveLimits(), settings.archives
    if said is None:
        return always
    return ArchiveLimits(entries=min(said.entries, always.entries), entry_size=said.entry_size)
