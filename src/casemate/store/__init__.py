"""Rows: the tables, the migrations, one module for each aggregate, and `Database.transact`.

The aggregates are modules of functions that take an open transaction: `await db.transact(flows.save, flow, now)`.
"""

from casemate.store import (
    accounts,
    banners,
    executions,
    flows,
    jobs,
    kill_switches,
    kv,
    logs,
    maintenance,
    metrics,
    namespaces,
    outbox,
    policies,
    quotas,
    replies,
    secrets,
    slots,
    stopped,
    templates,
    timers,
    triggers,
    windows,
    workers,
)
from casemate.store.accounts import Account, Known, Token
from casemate.store.banners import Banner, BannerType
from casemate.store.database import Database, Tx
from casemate.store.errors import Conflict, SchemaUnknown, StateInUse, StoreError, StoreUnavailable
from casemate.store.flows import StoredFlow
from casemate.store.jobs import Job, JobState
from casemate.store.logs import LogEntry, Wanted
from casemate.store.metrics import MetricEntry
from casemate.store.namespaces import StoredNamespace
from casemate.store.policies import PolicyPlace, StoredPolicy
from casemate.store.quotas import Counter, QuotaPlace
from casemate.store.search import AllOf, AnyOf, Criterion, Filter, Page
from casemate.store.secrets import SealedSecret
from casemate.store.templates import StoredTemplate
from casemate.store.timers import Timer

__all__ = [
    "Account",
    "AllOf",
    "AnyOf",
    "Banner",
    "BannerType",
    "Conflict",
    "Counter",
    "Criterion",
    "Database",
    "Filter",
    "Job",
    "JobState",
    "Known",
    "LogEntry",
    "MetricEntry",
    "Page",
    "PolicyPlace",
    "QuotaPlace",
    "SchemaUnknown",
    "SealedSecret",
    "StateInUse",
    "StoreError",
    "StoreUnavailable",
    "StoredFlow",
    "StoredNamespace",
    "StoredPolicy",
    "StoredTemplate",
    "Timer",
    "Token",
    "Tx",
    "Wanted",
    "accounts",
    "banners",
    "executions",
    "flows",
    "jobs",
    "kill_switches",
    "kv",
    "logs",
    "maintenance",
    "metrics",
    "namespaces",
    "outbox",
    "policies",
    "quotas",
    "replies",
    "secrets",
    "slots",
    "stopped",
    "templates",
    "timers",
    "triggers",
    "windows",
    "workers",
]
