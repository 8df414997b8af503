"""Banners: what people of the instance shall read for a while (spec/isolation 9.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, get_args

from sqlalchemy import Row, select

from casemate.identifiers import TenantId
from casemate.store.database import Tx
from casemate.store.fields import Field, Named, anywhere
from casemate.store.schema import banners as table
from casemate.store.search import Criterion, condition

BannerType: TypeAlias = Literal["INFO", "WARNING", "ERROR"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """One banner; without dates it is shown for good, without a tenant to all."""

    id: str
    message: str
    type: BannerType = "INFO"
    start: datetime | None = None
    end: datetime | None = None
    tenant: TenantId | None = None

    def active(self, now: datetime) -> bool:
        """Is it shown at this date?"""
        return (self.start is None or self.start <= now) and (self.end is None or now < self.end)


_OF_SWITCH: Final = "kill-switch-"

_FIELDS: dict[str, Field] = {
    "q": anywhere(table.c.message),
    "message": table.c.message,
    "type": Named(table.c.type, get_args(BannerType)),
    "startDate": table.c.start,
    "endDate": table.c.end,
    "tenantId": table.c.tenant,
}


def of_switch(switch: str) -> str:
    """The id of the banner of a kill switch (spec/isolation 9.2)."""
    return f"{_OF_SWITCH}{switch}"


def is_of_switch(banner: str) -> bool:
    """Does this banner come and go with a kill switch?"""
    return banner.startswith(_OF_SWITCH)


def search(tx: Tx, filters: Sequence[Criterion] = ()) -> tuple[Banner, ...]:
    """The banners that meet all of these, in the order in which they were made."""
    return tuple(map(_read, tx.execute(select(table).where(condition(_FIELDS, filters)).order_by(table.c.seq))))


def put(tx: Tx, banner: Banner) -> bool:
    """Replace a banner; False if it is not there."""
    return tx.execute(table.update().where(table.c.id == banner.id).values(**_values(banner))).rowcount == 1


def add(tx: Tx, banner: Banner) -> None:
    """A new banner."""
    tx.execute(table.insert().values(id=banner.id, **_values(banner)))


def delete(tx: Tx, banner: str) -> bool:
    """Remove a banner; was it there?"""
    return tx.execute(table.delete().where(table.c.id == banner)).rowcount == 1


def _values(banner: Banner) -> dict[str, Any]:
    return {
        "message": banner.message,
        "type": banner.type,
        "start": banner.start,
        "end": banner.end,
        "tenant": banner.tenant,
    }


def _read(row: Row[Any]) -> Banner:
    return Banner(id=row.id, message=row.message, type=row.type, start=row.start, end=row.end, tenant=row.tenant)
