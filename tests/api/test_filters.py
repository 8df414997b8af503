"""From the parameters of a query to criteria."""

from datetime import UTC, datetime, timedelta

import pytest

from casemate.api.errors import Declined
from casemate.api.filters import older, read
from casemate.store import AllOf, AnyOf, Filter

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def criteria(*given):
    return read(given, NOW)


def test_every_filter_must_hold():
    assert criteria(("filters[namespace][EQUALS]", "a"), ("filters[state][IN]", "FAILED,KILLED"), ("page", "2")) == (
        Filter("namespace", "EQUALS", "a"),
        Filter("state", "IN", ["FAILED", "KILLED"]),
    )


def test_the_labels_of_one_filter_belong_together():
    given = [("filters[labels][IN][env]", "prod,dev"), ("filters[labels][IN][team]", "x")]
    assert criteria(*given) == (Filter("labels", "IN", {"env": ["prod", "dev"], "team": ["x"]}),)
    assert criteria(("filters[labels][EQUALS][env]", "a,b")) == (Filter("labels", "EQUALS", {"env": ["a,b"]}),)


def test_a_time_range_ends_now():
    since = Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", NOW - timedelta(days=7))
    assert criteria(("filters[timeRange][EQUALS]", "P7D")) == (since,)


def test_groups_may_hold_groups():
    given = [
        ("filters[and][0][namespace][EQUALS]", "a"),
        ("filters[and][1][or][0][flowId][EQUALS]", "f"),
        ("filters[and][1][or][1][labels][EQUALS][env]", "prod"),
    ]
    either = AnyOf((Filter("flowId", "EQUALS", "f"), Filter("labels", "EQUALS", {"env": ["prod"]})))
    assert criteria(*given) == (AllOf((Filter("namespace", "EQUALS", "a"), either)),)


def test_members_come_in_the_order_of_their_numbers():
    given = [("filters[or][10][id][EQUALS]", "z"), ("filters[or][2][id][EQUALS]", "a")]
    assert criteria(*given) == (AnyOf((Filter("id", "EQUALS", "a"), Filter("id", "EQUALS", "z"))),)


def test_what_a_client_of_kestra_sends_is_understood():
    kestrapy = pytest.importorskip("kestrapy")
    from kestrapy.query import and_, eq, or_, where

    field, params = kestrapy.QueryFilterField, []
    tree = where(and_(eq(field.NAMESPACE, "a"), or_(eq(field.FLOW_ID, "f"), eq(field.LABELS, {"k": "v"}))))
    kestrapy.query_filter.append_filter_params(params, tree)
    either = AnyOf((Filter("flowId", "EQUALS", "f"), Filter("labels", "EQUALS", {"k": ["v"]})))
    assert read(params, NOW) == (AllOf((Filter("namespace", "EQUALS", "a"), either)),)


@pytest.mark.parametrize(
    "name",
    [
        "filters[namespace]",
        "filters[namespace][EQUALS][x]",
        "filters[][EQUALS]",
        "filters[or][0][and][0][or][0][id][EQUALS]",
        "filters[or][id][EQUALS]",
        "filters[timeRange][NOT_EQUALS]",
        "filters[id][EQUALS]x",
    ],
)
def test_what_is_not_written_like_a_filter_is_refused(name):
    with pytest.raises(Declined) as refusal:
        criteria((name, "PT1H"))
    assert refusal.value.status == 422


def test_one_search_asks_only_so_much():
    with pytest.raises(Declined):
        criteria(*([("filters[id][EQUALS]", "x")] * 51))
    with pytest.raises(Declined):
        criteria(("filters[id][IN]", ",".join("x" * 501)))


@pytest.mark.parametrize(
    ("name", "texts", "meant"),
    [
        ("namespace", ["a"], Filter("namespace", "PREFIX", "a")),
        ("state", ["FAILED,KILLED", "SUCCESS"], Filter("state", "IN", ["FAILED", "KILLED", "SUCCESS"])),
        ("labels", ["a:b", "c:d"], Filter("labels", "EQUALS", ["a:b", "c:d"])),
        ("timeRange", ["PT1H"], Filter("startDate", "GREATER_THAN_OR_EQUAL_TO", NOW - timedelta(hours=1))),
        ("endDate", ["2026-01-01T00:00:00Z"], Filter("startDate", "LESS_THAN_OR_EQUAL_TO", "2026-01-01T00:00:00Z")),
    ],
)
def test_parameters_of_older_clients_are_understood(name, texts, meant):
    assert list(older(name, texts, NOW)) == [meant]


def test_an_empty_parameter_asks_for_nothing():
    assert list(older("namespace", [""], NOW)) == []
