"""Which addresses a task may reach."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.sandbox import Egress
from casemate.sandbox.egress import Verdict, permits

OPEN = Egress(open=True)


def allowed(address: str, *, allow: tuple[str, ...] = (), deny: tuple[str, ...] = (), port: int = 80) -> bool:
    return permits(address, port, Egress(open=True, allow=allow, deny=deny)).allowed


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


@pytest.mark.parametrize("text", ["10.0.0.1/8", "example.com", "", "10.0.0.0/33"])
def test_a_range_that_is_none_is_an_error(text):
    with pytest.raises(ValueError):
        permits("1.1.1.1", 80, Egress(open=True, allow=(text,)))


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_judged_alike_in_its_mapped_form(number):
    plain = str(IPv4Address(number))
    assert permits(plain, 80, OPEN) == permits(f"::ffff:{plain}", 80, OPEN)


@given(st.integers(0, 2**120 - 1))
def test_no_address_that_may_embed_another_is_open(number):
    address = IPv6Address(number)
    assert address.ipv4_mapped or not permits(str(address), 80, OPEN).allowed
