"""What a namespace may bring as a store of secrets, and what of it people see."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest

from casemate.keys import Keyring
from casemate.secret import Secret
from casemate.secrets import KINDS, InvalidOptions
from casemate.secrets import own_configuration as configuration
from casemate.secrets.kinds import options_of
from casemate.secrets.own_options import FREE, GRANTED, MAPS, PLACES, faults
from casemate.settings import OWN_GRANTS, OwnStores, load

CANARY = "canary-of-a-token-7Kq2"
AT = "secretConfiguration"
EVERY = tuple(KINDS.keys() - {"env"})
VAULT: dict[str, Any] = {"address": "https://vault.example:8200", "token": {"token": CANARY}}


def told(options: dict[str, Any], kind: str = "vault", **opened: Any) -> list[str]:
    return list(faults(kind, options, OwnStores(**{"types": EVERY, **opened}), AT))


def names_of(form: Any) -> set[str]:
    """The names of all options of a form, also within others."""
    found = set()
    for each in fields(form):
        hint = get_type_hints(form)[each.name]
        found.add(each.name.replace("_", "-"))
        found |= {name for inner in (hint, *get_args(hint)) if is_dataclass(inner) for name in names_of(inner)}
    return found


@pytest.mark.parametrize("kind", sorted(EVERY))
def test_every_option_of_every_store_is_either_free_or_granted_or_a_place(kind):
    module = __import__(f"casemate.secrets.backends.{KINDS[kind].module}", fromlist=["Options"])
    assert names_of(module.Options) <= {*FREE, *GRANTED, *PLACES, *MAPS}


def test_no_option_is_in_two_lists():
    assert sum(map(len, (FREE, GRANTED, PLACES, MAPS))) == len({*FREE, *GRANTED, *PLACES, *MAPS})
    assert set(GRANTED.values()) == set(OWN_GRANTS)


def test_by_default_namespaces_may_bring_every_kind_but_the_servers_environment():
    own = load([], {}).settings.secrets.own
    assert (set(own.types), own.hosts, own.grants) == (set(EVERY), (), ())
    (fault,) = faults("env", {}, own, AT)
    assert fault.startswith(f"{AT}: stores of type env are not for namespaces here")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("ambient", True),
        ("ambient", False),
        ("kubernetes", {"role": "x"}),
        ("managedIdentityClientId", "x"),
        ("workload-identity-client-id", "x"),
        ("tls", {"caCert": "/etc/shadow"}),
        ("tls", {"client-key": "/etc/shadow"}),
        ("tls", {"verify": False}),
        ("ca-cert", "/etc/shadow"),
        ("sslrootcert", "/etc/shadow"),
        ("sslmode", "disable"),
        ("allowInsecure", True),
        ("client", {"trust-all-ssl": True}),
    ],
)
def test_what_is_the_servers_own_needs_a_grant(option, value):
    (fault,) = told({option: value})
    assert "is not for namespaces, unless the operator puts" in fault
    assert "shadow" not in fault
    assert told({option: value}, grants=OWN_GRANTS) == []


@pytest.mark.parametrize("option", ["addres", "endpoint_override", "ENDPOINT-OVERRIDE", "x-new", ""])
def test_an_option_that_nobody_has_judged_is_refused(option):
    assert told({option: "x"}) == [f"{AT}.{option}: is no option of a namespace's store"]


HOSTS = ("vault.example:8200", "*.corp.example", "10.1.0.0/16", "127.0.0.1:8200", "[2001:db8::1]:443")


@pytest.mark.parametrize(
    ("address", "opened"),
    [
        ("https://vault.example:8200", True),
        ("https://VAULT.example.:8200/path", True),
        ("https://vault.example", False),
        ("https://vault.example:443", False),
        ("https://a.corp.example", True),
        ("https://corp.example", False),
        ("https://a.corp.example.evil", False),
        ("https://10.1.2.3", True),
        ("https://10.2.2.3", False),
        ("https://[::ffff:10.1.2.3]", True),
        ("https://[2001:db8::1]", True),
        ("https://[2001:db8::2]", False),
        ("http://127.0.0.1:8200", True),
        ("http://127.0.0.1", False),
        ("http://169.254.169.254", False),
        ("http://localhost:8200", False),
        ("http://2852039166/latest", False),
        ("http://0x7f000001:8200", False),
        ("https://vault.example:8200@evil.example", False),
        ("https://evil.example\\@vault.example:8200", False),
        ("https://evil.example#@vault.example:8200", False),
        ("https://vault.example:8200?x", False),
        ("https://vault.example:8200\n", False),
        ("https://vault.ехample:8200", False),
        ("unix:///run/vault.sock", False),
        ("file:///etc/passwd", False),
        ("/run/vault.sock", False),
        ("https://", False),
        ("https://vault.example:99999", False),
        ("", False),
        (None, False),
        (["https://vault.example:8200", "https://evil.example"], False),
        ("https://vault.example:8200,https://evil.example", False),
        ({"x": "https://vault.example:8200"}, False),
        (8200, False),
        ("jdbc:postgresql://10.1.2.3:5432/secrets", True),
        ("postgresql://169.254.1.1/secrets", False),
        ("jdbc:postgresql:///secrets?host=/run/postgresql", False),
        ("jdbc:postgresql://10.1.2.3/secrets?sslrootcert=/etc/shadow", False),
        ("jdbc:postgresql://user:word@10.1.2.3/secrets", False),
    ],
)
def test_a_store_is_at_a_host_that_the_operator_has_opened(address, opened):
    assert (told({"address": address}, hosts=HOSTS) == []) is opened
    assert (told({"url": address}, "jdbc", hosts=HOSTS) == []) is opened


def test_without_an_opened_host_no_address_is_taken_and_the_clouds_own_need_none():
    assert told({"address": "https://vault.example:8200"}) == [
        f"{AT}.address: vault.example is not among the hosts that the operator opens to stores of namespaces "
        "(casemate.secret.namespaces.hosts)"
    ]
    assert told({"region": "eu-west-3", "accessKeyId": "x", "secretKeyId": "y"}, "aws-secret-manager") == []


# What is kept and shown ----------------------------------------------------------------------------------------------


def keyring() -> Keyring:
    return Keyring({"k": Secret("NWRhUDc5TERWY2QyMDhSSHhfeWYzbjJpNE5vb3M5NnY=")}, "k", named=True)


@pytest.mark.parametrize(
    ("kind", "written", "hidden"),
    [
        ("vault", VAULT, {"token.token"}),
        (
            "vault",
            {"address": "https://v", "appRole": {"roleId": "r", "secretId": "s", "path": "p"}},
            {"appRole.roleId", "appRole.secretId"},
        ),
        (
            "aws-secret-manager",
            {"access-key-id": "a", "secret-key-id": "b", "region": "eu-west-3", "tags": {"team": "blue"}},
            {"access-key-id", "secret-key-id"},
        ),
        ("jdbc", {"secret": "a secret of thirty-two characters"}, {"secret"}),
    ],
)
def test_credentials_are_shown_as_stars_and_the_rest_as_it_is(kind, written, hidden):
    kept = configuration.kept(written, options_of(kind, written, AT), keyring())

    def leaves(value: Any, path: str = "") -> dict[str, Any]:
        if not isinstance(value, dict):
            return {path.lstrip("."): value}
        return {name: one for key, inner in value.items() for name, one in leaves(inner, f"{path}.{key}").items()}

    assert {name for name, value in leaves(kept.shown).items() if value == "******"} == hidden
    assert {name: one for name, one in leaves(kept.shown).items() if name not in hidden} == {
        name: one for name, one in leaves(written).items() if name not in hidden
    }
    assert CANARY not in str(kept)


def test_without_a_key_nothing_is_kept():
    with pytest.raises(
        InvalidOptions, match=r"^Unable to keep a `secretConfiguration` as encryption is not configured$"
    ):
        configuration.kept(VAULT, options_of("vault", VAULT, AT), None)


def test_stars_stay_what_they_were_in_any_spelling():
    before = {"address": "https://v", "app-role": {"role-id": "r", "secret-id": CANARY}}
    given = {"address": "https://v", "appRole": {"roleId": "r", "secretId": "******"}, "tags": {"a": "b"}}
    assert configuration.restored(given, before)["appRole"] == {"roleId": "r", "secretId": CANARY}


@pytest.mark.parametrize(
    "given",
    [
        {"address": "https://evil", "token": {"token": "******"}},
        {"address": "https://vault.example:8200", "token": {"token": "******"}, "tls": {"verify": False}},
        {"address": "https://vault.example:8200", "token": {"token": "******"}, "prefix": "other"},
        {"address": "https://vault.example:8200", "password": {"user": "x", "password": "******"}},
        {"token": {"token": "******"}},
        {"address": "******", "token": {"token": "******"}, "namespace": "evil"},
    ],
)
def test_a_credential_is_not_taken_along_to_another_place(given):
    with pytest.raises(InvalidOptions) as refused:
        configuration.restored(given, VAULT)
    assert CANARY not in str(refused.value)


def test_a_new_credential_may_go_anywhere():
    given = {"address": "https://other", "token": {"token": "new"}}
    assert configuration.restored(given, VAULT) == given


@pytest.mark.parametrize("key", ["aws-secret-manager", "awsSecretManager"])
def test_options_may_stand_below_the_name_of_their_kind(key):
    assert configuration.unwrapped("aws-secret-manager", {key: {"region": "x"}}) == {"region": "x"}
    assert configuration.unwrapped("vault", {"address": "x"}) == {"address": "x"}
