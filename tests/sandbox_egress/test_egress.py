"""Which addresses a task may reach."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.sandbox import Egress
from casemate.sandbox.egress import Verdict, may_look_up, permits

OPEN = Egress(open=True)


def allowed(address: str, *, allow: tuple[str, ...] = (), deny: tuple[str, ...] = (), port: int = 80) -> bool:
    return permits(address, port, Egress(open=True, allow=allow, deny=deny)).allowed


def listed(*allow: str, deny: tuple[str, ...] = ()) -> Egress:
    """Nothing but what is in the list."""
    return Egress(open=True, public=False, allow=allow, deny=deny)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_open(address):
    assert permits(address, 443, OPEN) == Verdict(True, "default: public address")


@pytest.mark.parametrize("address", ["1.1.1.1", "127.0.0.1", "10.0.0.1"])
def test_a_closed_network_is_closed(address):
    assert permits(address, 443, Egress(open=False, allow=("0.0.0.0/0",))) == Verdict(False, "network is closed")


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.168.1.1", "198.19.0.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "100.100.100.200", "168.63.129.16",
        "::", "::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::1%eth0", "fe80::a9fe:a9fe%1",
        "fec0::1", "ff02::1",
        "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::ffff:7f00:1", "::ffff:0:169.254.169.254",
        "::169.254.169.254", "::10.0.0.1", "::1.1.1.1", "64:ff9b::169.254.169.254", "64:ff9b::1.1.1.1",
        "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "2002:7f00:1::", "2002:0101:0101::1",
        "2001:0:a9fe:a9fe::1", "2606:4700::5efe:169.254.169.254", "2606:4700::200:5efe:10.0.0.1",
    ],
)  # fmt: skip
def test_private_local_and_metadata_addresses_are_closed_in_every_spelling(address):
    assert not allowed(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "1.1.1.1:80", "[::1]"]
)
def test_what_is_no_address_is_closed(text):
    assert permits(text, 80, OPEN) == Verdict(False, "not an address")


@pytest.mark.parametrize("port", [-1, 65536])
def test_what_is_no_port_is_closed(port):
    assert permits("1.1.1.1", port, OPEN) == Verdict(False, "not a port")


def test_the_operator_opens_private_ranges_and_loopback():
    assert allowed("10.1.2.3", allow=("10.1.0.0/16",))
    assert not allowed("10.2.2.3", allow=("10.1.0.0/16",))
    assert allowed("127.0.0.1", allow=("127.0.0.0/8",))
    assert allowed("::1", allow=("::1/128",))
    assert allowed("::ffff:10.1.2.3", allow=("10.1.0.0/16",))
    assert allowed("10.1.2.3", allow=("::ffff:10.1.0.0/112",))


def test_the_operator_closes_public_ranges():
    assert permits("1.1.1.1", 80, Egress(open=True, deny=("1.0.0.0/8",))) == Verdict(False, "deny 1.0.0.0/8")
    assert not allowed("::ffff:1.1.1.1", deny=("1.0.0.0/8",))


def test_the_narrowest_range_decides_and_deny_of_equal_ones():
    assert allowed("1.1.1.1", allow=("1.1.1.0/24",), deny=("0.0.0.0/0", "::/0"))
    assert not allowed("1.1.2.1", allow=("1.1.1.0/24",), deny=("0.0.0.0/0",))
    assert not allowed("10.0.0.5", allow=("10.0.0.0/8",), deny=("10.0.0.5/32",))
    assert not allowed("10.0.0.5", allow=("10.0.0.0/8",), deny=("10.0.0.0/8",))


@pytest.mark.parametrize("address", ["169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16"])
def test_no_wide_range_opens_link_local_and_metadata(address):
    assert not allowed(address, allow=("0.0.0.0/0", "128.0.0.0/1", "100.64.0.0/10", "169.0.0.0/8"))


def test_no_wide_range_opens_link_local_and_metadata_of_ipv6():
    for address in ("fe80::1", "fd00:ec2::254", "fd20:ce::254"):
        assert not allowed(address, allow=("::/0", "fc00::/7", "fd00::/8", "fe00::/8"))
    assert not allowed("64:ff9b::169.254.169.254", allow=("64:ff9b::/96", "0.0.0.0/0"))
    assert not allowed("2002:a9fe:a9fe::1", allow=("2002::/16",))


def test_no_wide_range_opens_private_networks_or_the_loopback():
    wide = ("0.0.0.0/0:80", "0.0.0.0/1", "::/0", "8.0.0.0/5", "172.0.0.0/8")
    for address in ("10.0.0.1", "127.0.0.1", "192.168.0.1", "172.16.0.1", "::1", "fc00::1", "64:ff9b::10.0.0.1"):
        assert not allowed(address, allow=wide)
    assert permits("8.8.8.8", 80, listed(*wide)) == Verdict(True, "allow 8.0.0.0/5")
    assert permits("1.1.1.1", 80, listed(*wide[:1])) == Verdict(True, "allow 0.0.0.0/0:80")


def test_any_address_is_the_loopback():
    for allow, deny in (
        (("0.0.0.0/8", "::/128"), ()),
        (("0.0.0.0/32", "127.0.0.0/8", "::/8"), ("127.0.0.0/8", "::1/128")),
    ):
        for address in ("0.0.0.0", "::", "::ffff:0.0.0.0"):
            assert not allowed(address, allow=allow, deny=deny)
    assert allowed("0.0.0.0", allow=("0.0.0.0/32", "127.0.0.0/8"))


def test_only_its_own_name_opens_link_local():
    assert allowed("169.254.169.254", allow=("169.254.0.0/16",))
    assert allowed("169.254.169.254", allow=("169.254.169.254/32",))
    assert allowed("::ffff:169.254.169.254", allow=("169.254.169.254/32",))
    assert not allowed("169.254.0.1", allow=("169.254.169.254/32",))
    assert allowed("fe80::1%eth0", allow=("fe80::/10",))
    assert allowed("fd00:ec2::254", allow=("fd00:ec2::254/128",))
    assert not allowed("169.254.1.1", allow=("169.254.0.0/16",), deny=("169.254.1.0/24",))


def test_a_translated_address_needs_both_doors():
    assert not allowed("64:ff9b::10.0.0.1", allow=("64:ff9b::/96",))
    assert not allowed("64:ff9b::10.0.0.1", allow=("10.0.0.0/8",))
    assert allowed("64:ff9b::10.0.0.1", allow=("64:ff9b::/96", "10.0.0.0/8"))
    assert allowed("64:ff9b::1.1.1.1", allow=("64:ff9b::/96",))


@pytest.mark.parametrize("text", ["10.0.0.1/8", "example..com", "", "10.0.0.0/33"])
def test_an_entry_that_is_none_is_an_error(text):
    with pytest.raises(ValueError):
        permits("1.1.1.1", 80, Egress(open=True, allow=(text,)))


def test_an_entry_with_a_port_opens_that_port():
    assert allowed("10.1.2.3", allow=("10.1.0.0/16:443",), port=443)
    assert not allowed("10.1.2.3", allow=("10.1.0.0/16:443",), port=80)
    assert allowed("fc00::1", allow=("[fc00::/8]:443",), port=443)
    assert not allowed("fc00::1", allow=("[fc00::/8]:443",), port=444)
    assert not allowed("169.254.169.254", allow=("169.254.169.254:81",), port=80)


def test_of_equal_ranges_the_one_with_a_port_decides_there():
    assert allowed("1.1.1.1", allow=("1.0.0.0/8:443",), deny=("1.0.0.0/8",), port=443)
    assert not allowed("1.1.1.1", allow=("1.0.0.0/8:443",), deny=("1.0.0.0/8",), port=80)
    assert not allowed("10.0.0.1", allow=("10.0.0.0/8",), deny=("10.0.0.0/8:22",), port=22)
    assert allowed("10.0.0.1", allow=("10.0.0.0/8",), deny=("10.0.0.0/8:22",), port=80)
    assert not allowed("10.0.0.1", allow=("10.0.0.0/8:22",), deny=("10.0.0.0/8:22",), port=22)


def test_a_closed_list_opens_only_what_it_names():
    egress = listed("1.1.1.0/24:443", "10.0.0.5")
    assert permits("1.1.1.1", 443, egress) == Verdict(True, "allow 1.1.1.0/24:443")
    assert permits("10.0.0.5", 22, egress).allowed
    assert permits("1.1.1.1", 80, egress) == Verdict(False, "not in the allow list")
    assert not permits("8.8.8.8", 443, egress).allowed
    assert not permits("10.0.0.6", 22, egress).allowed


def test_a_name_opens_the_addresses_it_was_answered_with_at_its_port():
    egress = listed("good.example:443", "*.wide.example")
    assert permits("1.1.1.1", 443, egress, ("good.example",)) == Verdict(True, "allow good.example:443", "good.example")
    assert not permits("1.1.1.1", 80, egress, ("good.example",)).allowed
    assert not permits("1.1.1.1", 443, egress, ("bad.example",)).allowed
    assert permits("1.1.1.1", 80, egress, ("a.b.wide.example",)).allowed
    assert not permits("1.1.1.1", 80, egress, ("wide.example",)).allowed
    assert not permits("1.1.1.1", 80, egress, ("notwide.example",)).allowed


def test_one_of_several_names_of_an_address_is_enough_unless_another_is_denied_there():
    assert permits("1.1.1.1", 80, listed("good.example"), ("other.example", "good.example")).allowed
    egress = listed("good.example", deny=("bad.example:80",))
    assert permits("1.1.1.1", 80, egress, ("good.example", "bad.example")) == Verdict(
        False, "deny bad.example:80", "bad.example"
    )
    assert permits("1.1.1.1", 443, egress, ("good.example", "bad.example")).allowed


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "fd00:ec2::254", "fe80::1", "64:ff9b::1.1.1.1"]
)
def test_a_name_never_opens_private_local_or_metadata_addresses(address):
    assert not permits(address, 80, listed("good.example"), ("good.example",)).allowed
    assert not permits(address, 80, Egress(open=True, allow=("good.example",)), ("good.example",)).allowed


def test_a_private_address_of_a_name_needs_its_range_too():
    assert permits("10.0.0.1", 80, listed("good.example", "10.0.0.1"), ("good.example",)).allowed


def test_a_denied_range_is_not_opened_by_a_name():
    egress = listed("good.example", deny=("1.0.0.0/8",))
    assert permits("1.1.1.1", 80, egress, ("good.example",)) == Verdict(False, "deny 1.0.0.0/8")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("good.example", True),
        ("port.example", True),
        ("a.wide.example", True),
        ("wide.example", False),
        ("bad.wide.example", False),
        ("other.example", False),
        ("good.example.evil.example", False),
        ("evilgood.example", False),
        ("", False),
        ("1.0.0.127.in-addr.arpa", False),
    ],
)
def test_with_a_closed_list_only_covered_names_are_looked_up(name, expected):
    egress = listed("good.example", "port.example:443", "*.wide.example", deny=("bad.wide.example",))
    assert may_look_up(name, egress).allowed == expected


def test_a_denied_name_is_not_looked_up_and_the_narrowest_entry_decides():
    egress = Egress(
        open=True, deny=("*.bad.example", "mail.example:25"), allow=("good.bad.example", "web.bad.example:443")
    )
    assert may_look_up("x.bad.example", egress) == Verdict(False, "deny *.bad.example", "x.bad.example")
    assert may_look_up("good.bad.example", egress).allowed
    assert may_look_up("web.bad.example", egress).allowed
    assert may_look_up("bad.example", egress) == Verdict(True, "default: public name")
    assert may_look_up("mail.example", egress).allowed
    assert not may_look_up("any.example", Egress(open=False)).allowed


def test_a_denied_name_wins_over_an_equal_allowed_one():
    assert not may_look_up("x.example", listed("x.example", deny=("x.example",))).allowed


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_judged_alike_in_its_mapped_form(number):
    plain = str(IPv4Address(number))
    assert permits(plain, 80, OPEN) == permits(f"::ffff:{plain}", 80, OPEN)


ENTRIES = st.sampled_from(
    ("0.0.0.0/0", "::/0", "::/0", "a.example", "*.example", "a.example:80", "128.0.0.0/1", "fc00::/7", "100.0.0.0/8")
)
METADATA = ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "fe80::a9fe:a9fe", "fd20:ce::254")
EMBEDDING = (
    *("::ffff:0:0", "::", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::", "2606:4700::5efe:0:0", "fe80::200:5efe:0:0"),
)


@given(st.lists(ENTRIES), st.lists(ENTRIES), st.booleans(), st.sampled_from(METADATA), st.integers(0, 65535))
def test_no_wide_entry_or_name_ever_opens_metadata(allow, deny, public, address, port):
    egress = Egress(open=True, allow=tuple(allow), deny=tuple(deny), public=public)
    assert not permits(address, port, egress, ("a.example",)).allowed


@given(st.lists(ENTRIES), st.booleans(), st.sampled_from(EMBEDDING), st.sampled_from(METADATA[::3]))
def test_nor_in_an_address_that_embeds_it(allow, public, around, address):
    inner = int(IPv4Address(address))
    spellings = [IPv6Address(int(IPv6Address(around)) | inner), IPv6Address((0x2002 << 112) | (inner << 80) | 1)]
    spellings.append(IPv6Address((0x20010000 << 96) | (0x0A000001 << 64) | (inner ^ 0xFFFFFFFF)))
    egress = Egress(open=True, allow=tuple(allow), public=public)
    for spelling in spellings:
        assert not permits(str(spelling), 80, egress, ("a.example",)).allowed


@given(st.lists(ENTRIES), st.lists(ENTRIES), st.integers(0, 2**32 - 1), st.integers(0, 65535))
def test_a_closed_list_opens_less_than_an_open_one(allow, deny, number, port):
    for public in (True, False):
        egress = Egress(open=True, allow=tuple(allow), deny=tuple(deny), public=public)
        verdict = permits(str(IPv4Address(number)), port, egress, ("a.example",))
        if verdict.allowed and not public:
            assert permits(str(IPv4Address(number)), port, egress, ("a.example",)).rule.startswith("allow ")


@given(st.integers(0, 2**120 - 1))
def test_no_address_that_may_embed_another_is_open(number):
    address = IPv6Address(number)
    assert address.ipv4_mapped or not permits(str(address), 80, OPEN).allowed
