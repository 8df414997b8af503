"""The lists of web addresses as rules for connections: a second wall, which only takes away."""

from __future__ import annotations

import pytest

from casemate.core import catalog
from casemate.sandbox import Egress, permits
from casemate.settings import HttpLists
from casemate.worker.http_filter import filtered, is_filtered

OPEN = Egress(open=True)


def reached(egress: Egress, address: str, port: int = 443, *names: str) -> bool:
    return permits(address, port, egress, names).allowed


def test_a_denied_number_is_closed_at_its_port_for_connections_too():
    egress = filtered(OPEN, HttpLists(denied=("https://1.2.3.4", "http://example.com/only/a/path")))
    assert not reached(egress, "1.2.3.4")
    assert not reached(egress, "::ffff:1.2.3.4")
    assert reached(egress, "1.2.3.4", 80)
    assert egress.deny == ("1.2.3.4/32:443",)


def test_an_operators_opening_does_not_lift_what_is_denied():
    opened = Egress(open=True, allow=("10.0.0.5/32",))
    assert reached(opened, "10.0.0.5", 80)
    assert not reached(filtered(opened, HttpLists(denied=("http://10.0.0.5",))), "10.0.0.5", 80)


def test_with_a_list_of_what_is_allowed_nothing_else_is_reached():
    egress = filtered(OPEN, HttpLists(allowed=("https://api.example.com/v1", "https://1.1.1.1")))
    assert reached(egress, "1.1.1.1")
    assert not reached(egress, "8.8.8.8")
    assert reached(egress, "8.8.8.8", 443, "api.example.com")
    assert not reached(egress, "8.8.8.8", 80, "api.example.com")
    assert not reached(egress, "8.8.8.8", 443, "other.example.com")


def test_the_list_of_what_is_allowed_opens_nothing_that_was_closed():
    private = filtered(OPEN, HttpLists(allowed=("http://10.0.0.5", "http://169.254.169.254", "http://intern.example")))
    assert not reached(private, "10.0.0.5", 80)
    assert not reached(private, "169.254.169.254", 80)
    assert not reached(private, "10.0.0.5", 80, "intern.example")
    closed = Egress(open=True, public=False, allow=("*.example.com", "10.0.0.0/8:80"))
    both = filtered(closed, HttpLists(allowed=("https://api.example.com", "https://example.org", "http://10.0.0.5")))
    assert reached(both, "8.8.8.8", 443, "api.example.com")
    assert not reached(both, "8.8.8.8", 443, "other.example.com")
    assert not reached(both, "8.8.8.8", 443, "example.org")
    assert reached(both, "10.0.0.5", 80)


@pytest.mark.parametrize(
    ("name", "judged"),
    [("core.http.Request", True), ("core.http.Download", True), ("core.http.Trigger", True), ("core.log.Log", False)],
)
def test_http_types_are_judged_and_others_are_not(name, judged):
    manifest = catalog().find(f"io.kestra.plugin.{name}")
    assert manifest is not None
    assert is_filtered(manifest) is judged
