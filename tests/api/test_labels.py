import pytest

from casemate.api.errors import Declined
from casemate.api.labels import given
from casemate.errors import Refused
from casemate.flows import Label


def test_the_first_colon_divides():
    assert given(["url:http://a,b"]) == (Label("url", "http://a,b"),)


def test_the_last_of_equal_keys_holds():
    assert given(["a:1", "a:2"]) == (Label("a", "2"),)


@pytest.mark.parametrize("text", [":value", "key:", "key", ""])
def test_key_and_value_are_both_needed(text):
    with pytest.raises(Declined) as refused:
        given([text])
    assert refused.value.status == 422


def test_system_labels_are_refused_but_for_the_correlation():
    with pytest.raises(Refused, match=r"offending label: system\.label=x"):
        given(["system.label:x"])
    assert given(["system.correlationId:x"]) == (Label("system.correlationId", "x"),)
