"""Several documents in one text."""

import pytest

from casemate.documents import read, split_documents

SPLITS = {
    "a: 1\n": [0],
    "a: 1\n---\nb: 2\n": [0, 1],
    "# licence\n---\na: 1\n--- # second\nb: 2\n": [1, 3],
    "a: |\n  text\n  ---\n  more\n": [0],
    "a: strange---text\n---strange: 1\n": [0],
    "---\na: 1\n---\n": [0],
    "": [0],
    "# nothing\n": [0],
}


@pytest.mark.parametrize(("text", "before"), SPLITS.items())
def test_documents_are_split_at_markers_only(text, before):
    assert [lines for lines, _ in split_documents(text)] == before


def test_the_lines_before_a_document_lead_back_to_the_whole_text():
    text = "a: 1\n---\nb: 2\nc: 3\n"
    (_, _), (before, second) = split_documents(text)
    entry = read(second).root.entry("c")
    assert text.splitlines()[before + entry.mark.line - 1] == "c: 3"
