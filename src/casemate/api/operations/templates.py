"""Operations on templates, where `kestra.templates.enabled` allows them (spec/engine 4.7)."""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime

from casemate.api import shapes
from casemate.api.answers import paged
from casemate.api.call import Call
from casemate.api.errors import not_found
from casemate.api.operation import FLOWS, Answer, Operation
from casemate.api.search import SEARCH, filters, page
from casemate.documents import plain, read
from casemate.errors import Problem, Refused
from casemate.flows import Template, TemplateName, read_template
from casemate.identifiers import Namespace, TemplateId
from casemate.store import StoredTemplate, Tx
from casemate.store import templates as rows


async def create_template(call: Call) -> Answer:
    """Create a template from its source."""
    return _shown(await call.deps.db.transact(_create, await _written(call), call.deps.now()))


async def update_template(call: Call) -> Answer:
    """Replace a template's source; executions that have begun keep the old one."""
    await _stored(call)
    template = await _written(call)
    if template.name != _name(call):
        raise Refused([Problem(code="template-renamed", message="Illegal template id update", path="template.id")])
    return _shown(await call.deps.db.transact(rows.save, template, call.deps.now()))


async def template(call: Call) -> Answer:
    """Read a template."""
    return _shown(await _stored(call))


async def delete_template(call: Call) -> Answer:
    """Delete a template; executions that have begun keep it."""
    _enabled(call)
    if not await call.deps.db.transact(rows.delete, call.tenant, *_name(call), call.deps.now()):
        raise _missing(call)
    return None


async def search_templates(call: Call) -> Answer:
    """Search templates of all namespaces."""
    _enabled(call)
    found, total = await call.deps.db.read(rows.search, call.tenant, filters(call), page(call))
    return paged([_shown(each) for each in found], total)


def _enabled(call: Call) -> None:
    if not call.deps.context.templates:
        raise not_found("there are no templates here, kestra.templates.enabled: true allows them")


async def _written(call: Call) -> Template:
    _enabled(call)
    found = await to_thread(read_template, await call.body_text(), call.deps.catalog, call.tenant)
    if isinstance(found, Template):
        return found
    raise Refused(found)


def _create(tx: Tx, template: Template, now: datetime) -> StoredTemplate:
    if rows.latest(tx, template.tenant, *template.name) is not None:
        raise Refused([Problem(code="template-exists", message="Template id already exists", path="template.id")])
    return rows.save(tx, template, now)


async def _stored(call: Call) -> StoredTemplate:
    _enabled(call)
    found = await call.deps.db.read(rows.latest, call.tenant, *_name(call))
    if found is None:
        raise _missing(call)
    return found


def _name(call: Call) -> TemplateName:
    return Namespace(call.part("namespace")), TemplateId(call.part("id"))


def _missing(call: Call) -> Exception:
    return not_found(f"template {'.'.join(_name(call))}")


def _shown(stored: StoredTemplate) -> dict[str, object]:
    written = plain(read(stored.source).root)
    assert isinstance(written, dict), "a template is a map"
    return {**written, "deleted": stored.deleted}


_TEMPLATES = "/api/v1/{tenant}/templates"
_TEMPLATE = _TEMPLATES + "/{namespace}/{id}"

TABLE = (
    Operation(
        "GET",
        _TEMPLATES + "/search",
        can=("FLOW", "LIST"),
        audit="template:search",
        asks=SEARCH,
        returns=shapes.Templates,
        run=search_templates,
    ),
    Operation(
        "POST",
        _TEMPLATES,
        can=("FLOW", "CREATE"),
        audit="template:create",
        body=FLOWS,
        returns=shapes.Template,
        run=create_template,
    ),
    Operation("GET", _TEMPLATE, can=("FLOW", "VIEW"), audit="template:view", returns=shapes.Template, run=template),
    Operation(
        "PUT",
        _TEMPLATE,
        can=("FLOW", "UPDATE"),
        audit="template:update",
        body=FLOWS,
        returns=shapes.Template,
        run=update_template,
    ),
    Operation("DELETE", _TEMPLATE, can=("FLOW", "DELETE"), audit="template:delete", status=204, run=delete_template),
)
