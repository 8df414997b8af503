"""What a log may show of a secret: nothing."""

import base64
import json
from urllib.parse import quote

import pytest

from casemate.secret import Secret
from casemate.worker.masking import Mask


def covered(text: str, *secrets: str) -> str:
    return Mask(Secret(secret) for secret in secrets).cover(text)


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
def test_a_secret_is_shown_as_kestra_shows_it(text, secret, shown):
    assert covered(text, secret) == shown


def test_only_the_first_long_run_carries_the_word():
    assert covered("hunter2secret hunter2secret", "hunter2secret") == "**masked***** *************"


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
    ],
)
def test_encoded_forms_are_covered_too(encoded):
    assert "**masked*" in covered(f"value: {encoded}", "s3crét/+? value")


def test_a_key_of_several_lines_is_covered_line_by_line():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nx=\n-----END KEY-----\n"
    assert [covered(line, key) for line in key.splitlines()] == [
        "**masked***********",
        "**masked******",
        "x=",
        "**masked*********",
    ]


@pytest.mark.parametrize("secret", ["", "  ", "ab", "true", "NULL", "123"])
def test_words_that_stand_everywhere_are_not_covered(secret):
    assert covered("true null ab 123", secret) == "true null ab 123"


def test_a_secret_that_becomes_known_later_is_covered_from_then_on():
    mask = Mask()
    mask.add(Secret("hunter2"))
    assert mask.cover("hunter2") == "*******"
