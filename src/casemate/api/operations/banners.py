"""Operations on banners: what people shall read for a while (spec/isolation 9.3)."""

from __future__ import annotations

from datetime import datetime

from casemate.api import shapes
from casemate.api.call import Call
from casemate.api.errors import illegal_argument, not_found
from casemate.api.operation import Answer, Operation, Permission, json_of
from casemate.api.search import FILTERS, filters
from casemate.identifiers import TenantId
from casemate.orchestrator import new_id
from casemate.store import Banner
from casemate.store import banners as rows

_ASKED = shapes.BannerAsked


async def create_banner(call: Call) -> Answer:
    """Make a banner."""
    banner = _wanted(await call.body_json(_ASKED), new_id())
    await call.deps.db.transact(rows.add, banner)
    return _shown(banner, call.deps.now())


async def update_banner(call: Call) -> Answer:
    """Replace a banner."""
    banner = _wanted(await call.body_json(_ASKED), _own(call))
    if not await call.deps.db.transact(rows.put, banner):
        raise _missing(call)
    return _shown(banner, call.deps.now())


async def delete_banner(call: Call) -> Answer:
    """Take a banner away."""
    if not await call.deps.db.transact(rows.delete, _own(call)):
        raise _missing(call)
    return None


async def search_banners(call: Call) -> Answer:
    """Search banners, in the order in which they were made; `active` says which are to be shown now."""
    now = call.deps.now()
    return [_shown(banner, now) for banner in await call.deps.db.read(rows.search, filters(call))]


def _own(call: Call) -> str:
    """The banner that the path names, unless it says what a kill switch does and nobody may hide that."""
    banner = call.part("id")
    if rows.is_of_switch(banner):
        raise illegal_argument("the banner of a kill switch comes, changes and goes with its kill switch")
    return banner


def _wanted(asked: shapes.BannerAsked, identifier: str) -> Banner:
    start, end, tenant = asked.get("startDate"), asked.get("endDate"), asked.get("tenantId")
    if start is not None and end is not None and end <= start:
        raise illegal_argument("endDate must be after startDate")
    return Banner(
        id=identifier,
        message=asked["message"],
        type=asked.get("type") or "INFO",
        start=start,
        end=end,
        tenant=TenantId(tenant) if tenant else None,
    )


def _shown(banner: Banner, now: datetime) -> dict[str, object]:
    shown = {
        "id": banner.id,
        "message": banner.message,
        "type": banner.type,
        "startDate": banner.start,
        "endDate": banner.end,
        "tenantId": banner.tenant,
        "active": banner.active(now),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _missing(call: Call) -> Exception:
    return not_found(f"banner {call.part('id')[:100]}")


_ALL = "/api/v1/banners"
_MAY: Permission = ("INSTANCE", "UPDATE")

TABLE = (
    Operation(
        "POST",
        _ALL,
        can=_MAY,
        audit="banner:create",
        body=json_of(_ASKED),
        returns=shapes.Banner,
        run=create_banner,
    ),
    Operation(
        "GET",
        f"{_ALL}/search",
        can=("INSTANCE", "VIEW"),
        audit="banner:list",
        asks=FILTERS,
        returns=list[shapes.Banner],
        run=search_banners,
    ),
    Operation(
        "PUT",
        f"{_ALL}/{{id}}",
        can=_MAY,
        audit="banner:update",
        body=json_of(_ASKED),
        returns=shapes.Banner,
        run=update_banner,
    ),
    Operation("DELETE", f"{_ALL}/{{id}}", can=_MAY, audit="banner:delete", status=204, run=delete_banner),
)
