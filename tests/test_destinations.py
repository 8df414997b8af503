"""What an entry of a list of destinations means."""

import contextlib
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.destinations import Host, NotADestination, Range, parsed


@pytest.mark.parametrize(
    ("text", "network", "port"),
    [
        ("10.1.0.0/16", "10.1.0.0/16", None),
        ("10.1.0.0/16:443", "10.1.0.0/16", 443),
        ("10.1.2.3", "10.1.2.3/32", None),
        ("10.1.2.3:1", "10.1.2.3/32", 1),
        ("2001:db8::/32", "2001:db8::/32", None),
        ("2001:db8::1:443", "2001:db8::1:443/128", None),
        ("[2001:db8::/32]:443", "2001:db8::/32", 443),
        ("[2001:db8::1]", "2001:db8::1/128", None),
        ("::ffff:10.1.0.0/112", "10.1.0.0/16", None),
        ("[::ffff:10.1.2.3]:65535", "10.1.2.3/32", 65535),
    ],
)
def test_ranges(text, network, port):
    assert parsed(text) == Range(ip_network(network), port)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("api.example.com", Host("api.example.com", False, None)),
        ("API.Example.COM.", Host("api.example.com", False, None)),
        ("api.example.com:443", Host("api.example.com", False, 443)),
        ("*.example.com", Host("example.com", True, None)),
        ("*.example.com:8080", Host("example.com", True, 8080)),
        ("database", Host("database", False, None)),
        ("_srv.my_host", Host("_srv.my_host", False, None)),
        ("3com.example", Host("3com.example", False, None)),
        ("xn--bcher-kva.example", Host("xn--bcher-kva.example", False, None)),
    ],
)
def test_names(text, host):
    assert parsed(text) == host


def test_what_lies_below_a_name_is_not_the_name():
    below = Host("example.com", True, None)
    assert [below.covers(name) for name in ("a.example.com", "b.a.example.com", "example.com", "badexample.com")] == [
        *(True, True, False, False)
    ]
    assert Host("example.com", False, None).covers("example.com")
    assert not Host("example.com", False, None).covers("a.example.com")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("10.0.0.1/8", "Write 10.0.0.0/8"),
        ("https://api.example.com/v1", "Write the host alone: api.example.com"),
        ("*", "Leave it away: casemate.isolation.egress.public opens all of them"),
        ("b\u00fccher.example", "Write xn--bcher-kva.example"),
        ("localhost:80", "Write 127.0.0.0/8 to open the loopback of the machine to all tasks"),
        ("api.example.com:0", "Write a number from 1 to 65535 after the colon"),
        ("api.example.com:65536", "Write a number from 1 to 65535 after the colon"),
        ("api.example.com:http", "Write a number from 1 to 65535 after the colon"),
    ],
)
def test_a_mistake_comes_with_what_to_write(text, remedy):
    with pytest.raises(NotADestination) as raised:
        parsed(text)
    assert raised.value.remedy == remedy


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "*.", "*.*.example.com", "api.*.com", "*api.example.com", "api..example.com", "-a.example", "a b"),
        *("2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "10.0.0.0/33", "10.0.0.256", "1.2.3.4.5"),
        *(
            "fe80::1%eth0",
            "[10.0.0.1",
            "10.0.0.1]:80",
            "[::1]80",
            "[::1]:",
            "a:b:c",
            "api.example.com/v1",
            "a,b",
            "[a.example]:80",
            "1.2.3.4:",
        ),
        *("x" * 64, ".".join(["x" * 60] * 5), "\u0661.example", "a.example:\u0661"),
    ],
)
def test_what_could_be_taken_for_something_else_is_refused(text):
    with pytest.raises(NotADestination):
        parsed(text)


@given(st.text())
def test_no_text_breaks_it(text):
    with contextlib.suppress(NotADestination):
        assert isinstance(parsed(text), Range | Host)
