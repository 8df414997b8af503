"""The check of the server's key at start."""

import base64
import secrets

import pytest

from casemate.keys import check_key
from casemate.secret import Secret


@pytest.mark.parametrize("size", [16, 24, 32])
def test_a_random_key_has_no_problem(size):
    assert check_key(Secret(base64.b64encode(secrets.token_bytes(size)).decode())) is None


PROBLEMS = {
    "not Base64": ("clear text key!", "invalid-encryption-key"),
    "a wrong length": (base64.b64encode(b"x" * 20).decode(), "invalid-encryption-key"),
    "nothing": ("", "invalid-encryption-key"),
    "one byte repeated": (base64.b64encode(b"x" * 32).decode(), "weak-encryption-key"),
    "few bytes repeated": (base64.b64encode(b"abcd" * 8).decode(), "weak-encryption-key"),
}


@pytest.mark.parametrize(("key", "code"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_bad_key_is_told_with_its_setting_and_what_to_do(key, code):
    problem = check_key(Secret(key))
    assert problem is not None
    assert problem.code == code
    assert problem.path == "kestra.encryption.secret-key"
    assert "openssl rand -base64 32" in problem.remedy
    assert not key or key not in problem.message
