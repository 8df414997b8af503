"""What operators decide for the whole instance: kill switches, quotas, banners, maintenance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, NotRequired

from pydantic import AwareDatetime, ConfigDict, Field, with_config
from typing_extensions import TypedDict

_Name = Annotated[str, Field(min_length=1, max_length=250)]
# Dates at the ends of the calendar have no name in some zones: nobody could be shown them.
_Date = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC))]
_Text = Annotated[str, Field(max_length=4_000)]


@with_config(ConfigDict(extra="forbid"))
class KillSwitchAsked(TypedDict):
    """A kill switch as it shall be; `immediate` is ours, Kestra waits for what is at work.

    A word that was overlooked would let it stop more than it says. What a client sends back of one is known.
    """

    id: NotRequired[str | None]
    deleted: NotRequired[Literal[False] | None]
    name: _Name
    evaluationType: Literal["PASS", "CANCEL", "KILL", "IGNORE"]
    startDate: _Date
    endDate: NotRequired[_Date | None]
    tenantId: NotRequired[_Name | None]
    namespace: NotRequired[_Name | None]
    flowId: NotRequired[_Name | None]
    executionIds: NotRequired[Annotated[list[_Name], Field(max_length=10_000)] | None]
    description: NotRequired[_Text | None]
    enabled: NotRequired[bool | None]
    immediate: NotRequired[bool | None]


class KillSwitch(TypedDict):
    """A kill switch as it is."""

    id: str
    name: str
    evaluationType: str
    startDate: str
    endDate: NotRequired[str]
    tenantId: NotRequired[str]
    namespace: NotRequired[str]
    flowId: NotRequired[str]
    executionIds: list[str]
    description: NotRequired[str]
    enabled: bool
    deleted: bool
    immediate: bool


class QuotaLimit(TypedDict):
    """What was counted for a quota since its stretch of time began."""

    tenantId: str
    namespace: NotRequired[str]
    flowId: NotRequired[str]
    id: str
    start: str
    count: int


@with_config(ConfigDict(extra="ignore"))
class QuotaResetAsked(TypedDict):
    """The counter that shall begin anew."""

    id: _Name
    namespace: NotRequired[str | None]
    flowId: NotRequired[str | None]


@with_config(ConfigDict(extra="ignore"))
class BannerAsked(TypedDict):
    """A banner as it shall be."""

    message: Annotated[str, Field(min_length=1, max_length=4_000)]
    type: NotRequired[Literal["INFO", "WARNING", "ERROR"] | None]
    startDate: NotRequired[_Date | None]
    endDate: NotRequired[_Date | None]
    tenantId: NotRequired[_Name | None]


class Banner(TypedDict):
    """A banner as it is; `active` while its time is."""

    id: str
    message: str
    type: str
    startDate: NotRequired[str]
    endDate: NotRequired[str]
    tenantId: NotRequired[str]
    active: bool


class ServicesInMaintenance(TypedDict):
    """How many services of a kind there are, and how many of them have nothing left to do."""

    total: int
    inMaintenance: int


class Maintenance(TypedDict):
    """Is the instance in maintenance, and is nothing at work any more?"""

    maintenance: bool
    ready: bool
    services: dict[str, ServicesInMaintenance]
