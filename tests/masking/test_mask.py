"""What a log may show of a secret: nothing."""

import base64
import html
import json
import shlex
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemate.masking import Mask, Style, maskable
from casemate.secret import Secret


def covered(text: str, *secrets: str, style: Style = "fixed") -> str:
    return Mask((Secret(secret) for secret in secrets), style).cover(text)


@pytest.mark.parametrize(
    ("text", "secret", "shown"),
    [
        ("john@doe.com", "doe.com", "john@*******"),
        ("pw=hunter2secret", "hunter2secret", "pw=**masked*****"),
        ("twelve!!", "twelve!!", "********"),
        ("123456789", "123456789", "**masked*"),
        ("nothing here", "hunter2secret", "nothing here"),
        ("", "hunter2secret", ""),
        ("a.c and abc", "a.c", "*** and abc"),
    ],
)
def test_in_the_style_of_kestra_a_secret_is_shown_as_kestra_shows_it(text, secret, shown):
    assert covered(text, secret, style="kestra") == shown


def test_only_the_first_long_run_carries_the_word():
    shown = covered("hunter2secret hunter2secret", "hunter2secret", style="kestra")
    assert shown == "**masked***** *************"


@pytest.mark.parametrize(
    "secret", ["abc", "doe.com", "hunter2secret", "x" * 300, "\N{LATIN SMALL LETTER E WITH ACUTE}" * 5]
)
def test_what_stands_for_a_secret_does_not_tell_its_length(secret):
    assert covered(f"<{secret}>", secret) == "<********>"


def test_a_secret_inside_another_one_leaves_no_rest():
    assert "secret" not in covered("the hunter2secret", "secret", "hunter2secret")


@pytest.mark.parametrize(
    "encoded",
    [
        base64.b64encode(b"s3cr\xc3\xa9t/+? value").decode(),
        base64.b64encode(b"user:s3cr\xc3\xa9t/+? value").decode(),
        base64.b64encode(b"us:s3cr\xc3\xa9t/+? value and more").decode(),
        base64.urlsafe_b64encode(b"s3cr\xc3\xa9t/+? value").decode().rstrip("="),
        b"s3cr\xc3\xa9t/+? value".hex(),
        quote("s3crét/+? value", safe=""),
        json.dumps("s3crét/+? value"),
        json.dumps("s3crét/+? value").replace("/", "\\/"),
        quote("s3crét/+? value", safe="").lower(),
        b"s3cr\xc3\xa9t/+? value".hex().upper(),
    ],
)
def test_encoded_forms_are_covered_too(encoded):
    assert "********" in covered(f"value: {encoded}", "s3crét/+? value")


def test_a_key_of_several_lines_is_covered_line_by_line():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nx=\n-----END KEY-----\n"
    assert [covered(line, key) for line in key.splitlines()] == [
        "********",
        "********",
        "x=",
        "********",
    ]


@pytest.mark.parametrize("secret", ["", "  ", "ab", "true", "NULL", "123"])
def test_words_that_stand_everywhere_are_not_covered(secret):
    assert covered("true null ab 123", secret) == "true null ab 123"


def test_a_secret_that_becomes_known_later_is_covered_from_then_on():
    mask = Mask()
    mask.add(Secret("hunter2"))
    assert mask.cover("hunter2") == "********"


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("it's <secret> & more", html.escape("it's <secret> & more")),
        ("it's <secret> & more", shlex.quote("it's <secret> & more")),
        ("it's a \\ \n secret", repr("it's a \\ \n secret")),
    ],
)
def test_markup_shells_and_programs_do_not_uncover_a_secret(secret, shown):
    assert "secret" not in covered(shown, secret)


@pytest.mark.parametrize("encode", [base64.encodebytes, lambda content: base64.b64encode(content)[:64]])
def test_a_long_secret_is_covered_in_every_line_of_its_base64(encode):
    secret = "".join(chr(33 + number * 7 % 90) for number in range(200))
    for line in encode(secret.encode()).decode().splitlines():
        assert covered(line, secret).startswith("********"), line


def test_texts_anywhere_in_a_value_are_covered():
    mask = Mask([Secret("hunter2")])
    assert mask.cover_all({"hunter2.example": ["to hunter2", 7, None]}) == {
        "********.example": ["to ********", 7, None]
    }


def test_secrets_may_become_known_in_other_threads():
    mask = Mask()
    with ThreadPoolExecutor(4) as threads:
        for number in range(200):
            threads.submit(mask.add, Secret(f"hunter{number:03}"))
            mask.cover("nothing")
    assert mask.cover("hunter000 hunter199") == "******** ********"


@pytest.mark.parametrize("secret", ["open/sesame+42", "open/sesame+4", "open/sesame+"])
def test_nothing_is_left_of_the_base64_of_a_secret_alone(secret):
    encoded = base64.b64encode(secret.encode()).decode()
    assert covered(encoded, secret) == "********"
    assert covered(encoded.rstrip("="), secret) == "********"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abcdefghi", "********"),
        ("xabcdefghiy", "x********y"),
        ("abcdefabcdef", "********"),
        ("abcdef defghi", "******** ********"),
        ("abcde fghi", "abcde fghi"),
    ],
)
def test_of_two_secrets_over_each_other_nothing_is_left(text, shown):
    assert covered(text, "abcdef", "defghi") == shown


def test_of_a_line_that_was_cut_the_begin_of_a_secret_is_covered():
    mask = Mask([Secret("hunter2secret")])
    assert mask.cover("ends with hunter2", cut=True) == "ends with ********"
    assert mask.cover("ends with hunter2") == "ends with hunter2"
    assert mask.cover("ends with x", cut=True) == "ends with x"


def test_most_of_a_long_secret_is_covered_wherever_it_breaks_off():
    secret = "".join(chr(33 + number * 7 % 90) for number in range(300))
    for length in (60, 200, 299):
        assert covered(f"<{secret[:length]} and on", secret) == "<******** and on"


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("a" * (1 << 20), ["a" * 12]),
        ("aaaaaaab" * (1 << 17), ["a" * 12]),
        ("a" * (1 << 20), ["a" * (1 << 16) + "b"]),
        ("a" * (1 << 20), ["a" * length + end for length in range(6, 100) for end in "bcde"]),
        (("abcdefgh" * 6 + "x" * 9_000) * 100, ["abcdefgh" * 6 + "x" * 10_000]),
        ("secret-prefix-" * 60_000, [f"{'secret-prefix-' * 4}{number}" for number in range(1_000)]),
    ],
)
def test_a_text_made_to_be_searched_forever_is_not(text, secrets):
    mask = Mask(map(Secret, secrets))
    mask.learn()
    begun = time.process_time()
    assert mask.cover(text).endswith("********")
    assert time.process_time() - begun < 2


def test_secrets_that_become_known_one_by_one_are_not_learned_anew_each_time():
    mask = Mask()
    begun = time.process_time()
    for number in range(500):
        assert mask.derive(f"secret-{number:05}-value")
        assert mask.cover(f"secret-{number:05}-value, secret-00000-value") == "********, ********"
    assert time.process_time() - begun < 10


@pytest.mark.parametrize("secrets", [["s" * (1 << 20)], [f"secret-{number}" for number in range(6_000)]])
def test_more_than_can_be_looked_for_covers_everything_and_says_so(secrets):
    mask = Mask(map(Secret, secrets))
    assert mask.cover("anything") == "******** (there are more secrets than logs can be searched for)"
    assert mask.knows("anything")
    assert not mask.derive("more")


def test_a_thousand_secrets_are_found_in_one_text():
    secrets = [f"{number:03}-{number * 7919 % 1000003}-secret" for number in range(1000)]
    assert covered(" ".join(secrets), *secrets) == " ".join(["********"] * 1000)


def test_a_mask_that_was_forgotten_lets_nothing_through():
    mask = Mask([Secret("hunter2")])
    mask.forget()
    assert not mask
    assert mask.cover("anything") == "********"


def test_a_mask_knows_what_it_would_cover():
    mask = Mask([Secret("hunter2"), Secret("ab")])
    assert [mask.knows(text) for text in ("hunter2", "user:hunter2", "ab", "cab", "hunter")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    mask.cover("")
    assert mask.knows(base64.b64encode(b"hunter2").decode())


@given(st.text(min_size=3), st.text(), st.text())
def test_no_text_shows_a_secret(secret, before, after):
    hypothesis.assume(maskable(secret) and secret not in before + after and "*" not in secret)
    assert secret not in covered(f"{before}{secret}{after}", secret)


@pytest.mark.parametrize(
    ("text", "told"),
    [("echo hunter22", True), ("echo aHVudGVyMjI=", True), ("pin: 07", True), ("echo hunter", False), ("", False)],
)
def test_a_mask_knows_which_texts_tell_a_secret_however_short(text, told):
    assert Mask([Secret("hunter22"), Secret("07"), Secret("")]).tells(text) is told


def test_nothing_tells_what_nobody_knows():
    assert not Mask().tells("echo hunter22")
