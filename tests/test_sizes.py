"""Sizes as flows write them."""

import pytest

from casemate import sizes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0", 0),
        ("512", 512),
        ("64kb", 64 << 10),
        ("512MB", 512 << 20),
        ("1.5 GiB", 3 << 29),
        ("2T", 2 << 40),
    ],
)
def test_units_are_powers_of_1024_in_any_case(text, found):
    assert sizes.parse(text) == found


@pytest.mark.parametrize("text", ["", "MB", "-1", "1 XB", "12e9", "1,5GB", "٣MB"])
def test_anything_else_is_refused_in_kestras_words(text):
    with pytest.raises(sizes.NotASize, match=f"^Invalid size with value '{text}'$"):
        sizes.parse(text)
