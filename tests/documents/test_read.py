"""Reading: places, every problem at once, limits."""

import pytest

from casemate.documents import MAX_BYTES, MAX_DEPTH, MAX_NODES, Mapping, examine, plain, read
from casemate.errors import Refused


def told(text):
    return [(problem.line, problem.column, problem.message) for problem in examine(text).problems]


def test_every_node_and_key_knows_its_place():
    root = read("a: 1\nb:\n  - x\n  - {c: 2}\n").root
    b = root.entry("b")
    assert (b.mark.line, b.mark.column) == (2, 1)
    assert [(item.mark.line, item.mark.column) for item in b.value.items] == [(3, 5), (4, 5)]


def test_a_key_given_twice_is_refused_and_reading_goes_on():
    text = "a: 1\nb: {c: 1, c: 2}\na: .inf\nd: 1\nd.e: 1\nd.e: 2\n"
    assert told(text) == [
        (2, 11, "Illegal flow yaml: Duplicate field 'c'"),
        (3, 1, "Illegal flow yaml: Duplicate field 'a'"),
        (3, 4, "Illegal flow yaml: Malformed numeric value '.inf'"),
        (6, 1, "Illegal flow yaml: Duplicate field 'd.e'"),
    ]


def test_of_a_key_given_twice_the_first_value_stays_readable():
    assert plain(examine("a: 1\na: 2\n").document.root) == {"a": 1}


def test_read_raises_all_problems_together():
    with pytest.raises(Refused) as refused:
        read("a: 1\na: 2\na: 3\n")
    assert [problem.remedy for problem in refused.value.problems] == ["it is given in line 1 already"] * 2


def test_the_message_names_what_is_read():
    (problem,) = examine("a: 1\na: 2\n", subject="configuration").problems
    assert problem.message == "Illegal configuration: Duplicate field 'a'"


SYNTAX_ERRORS = {
    "a: {{ x }} b\n": (1, "quotes"),
    "ok: 1\na:\n\tb: c\n": (3, "tabs"),
    "a: b: c\n": (1, "': '"),
    "ok: 1\na: 'x\nb: c\n": (2, "never closed"),
    "a: @x\n": (1, "starts with @"),
    "a: `x`\n": (1, "starts with `"),
    "a: %x\n": (1, "starts with %"),
    "a: [1, 2\n": (1, "never closed"),
    "{a: 1} x\n": (1, ""),
}


@pytest.mark.parametrize(("text", "expected"), SYNTAX_ERRORS.items())
def test_a_syntax_error_has_a_place_and_a_remedy(text, expected):
    line, remedy = expected
    problem = examine(text).problems[-1]
    assert problem.code == "yaml-syntax"
    assert problem.message.startswith("Illegal flow yaml: ")
    assert problem.line == line
    assert problem.column >= 1
    assert remedy in problem.remedy


def test_an_unquoted_expression_is_explained():
    (problem,) = examine("a: {{ x }}\n").problems
    assert (problem.code, problem.line, problem.column) == ("yaml-key", 1, 5)
    assert '"{{ ... }}"' in problem.remedy


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_nothing_at_all_is_refused(text):
    assert told(text) == [(1, 1, "Illegal flow yaml: No content to map due to end-of-input")]


@pytest.mark.parametrize("text", ["a: b\x01c\n", "a: \ud800\n"])
def test_a_character_that_yaml_forbids_has_a_place(text):
    (problem,) = examine(text).problems
    assert (problem.line, problem.column) in ((1, 5), (1, 4))
    assert "is not allowed" in problem.message


def test_a_byte_order_mark_is_no_content():
    assert plain(read("\ufeffa: 1\n").root) == {"a": 1}


def test_of_several_documents_the_first_is_read():
    assert plain(read("---\na: 1\n---\nb: [\n").root) == {"a": 1}


def test_json_is_yaml():
    assert plain(read('{"a": [1, true, null, "x"]}').root) == {"a": [1, True, None, "x"]}


def test_unknown_tags_and_anchors_run_nothing():
    assert plain(read("a: !!python/object/apply:os.system [ls]\nb: &b 1\nc: *b\n").root) == {
        "a": ["ls"],
        "b": 1,
        "c": "b",
    }


class TestLimits:
    def test_a_text_of_one_mebibyte_is_read(self):
        text = "a: " + "x" * (MAX_BYTES - 4) + "\n"
        assert isinstance(read(text).root, Mapping)

    @pytest.mark.parametrize("text", ["a: " + "x" * MAX_BYTES, "a: " + "é" * (MAX_BYTES // 2)])
    def test_a_larger_text_is_refused(self, text):
        (problem,) = examine(text).problems
        assert problem.code == "yaml-limit"

    def test_too_many_values_are_refused(self):
        (problem,) = examine("[" + "1," * (MAX_NODES + 1) + "]").problems
        assert problem.message.endswith(f"the document has more than {MAX_NODES} values")

    @pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
    def test_a_hundred_thousand_brackets_are_refused_where_the_limit_is_crossed(self, opening):
        (problem,) = examine(opening * 100_000).problems
        assert problem.code == "yaml-limit"
        assert problem.column == len(opening) * MAX_DEPTH + 1
        assert problem.path == ""

    def test_the_allowed_depth_is_read(self):
        assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH)
