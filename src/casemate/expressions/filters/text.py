"""Filters of text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from casemate.expressions import given as arguments
from casemate.expressions.budget import check_depth
from casemate.expressions.errors import Fault
from casemate.expressions.filters.filter import Filter
from casemate.expressions.given import Given
from casemate.expressions.patterns import replace_all, split
from casemate.expressions.printing import java_text
from casemate.expressions.run import Run
from casemate.expressions.slugs import slug
from casemate.expressions.values import class_name, is_number

_BLANKS = "".join(map(chr, range(0x21)))  # what Java's trim() takes off
_ELLIPSIS = "..."


def _shown(value: object, run: Run) -> str:
    return java_text(value, run.session.meter)


def _upper(value: object, _given: Given, run: Run) -> str:
    return _shown(value, run).upper()


def _lower(value: object, _given: Given, run: Run) -> str:
    return _shown(value, run).lower()


def _title(value: object, _given: Given, _run: Run) -> str:
    """The first letter of every word in title case, the others as they are."""
    result, starts = [], True
    for letter in arguments.text(value):
        result.append(_title_case(letter) if starts else letter)
        starts = letter.isspace()
    return "".join(result)


def _title_case(letter: str) -> str:
    changed = letter.title()
    return changed if len(changed) == 1 else letter


def _capitalize(value: object, _given: Given, _run: Run) -> str:
    text = arguments.text(value)
    blanks = len(text) - len(text.lstrip())
    return text[:blanks] + _title_case(text[blanks : blanks + 1]) + text[blanks + 1 :]


def _trim(value: object, _given: Given, _run: Run) -> str:
    return arguments.text(value).strip(_BLANKS)


def _abbreviate(value: object, given: Given, _run: Run) -> str:
    text, width = arguments.text(value), arguments.whole(given, "length")
    if width is None:
        raise Fault("The 'abbreviate' filter expects an argument 'length'.")
    if width < 0:
        raise Fault("Invalid argument to abbreviate filter; must be greater than zero")
    if len(text) < width or len(text) <= len(_ELLIPSIS):
        return text
    return text[:width] if width <= len(_ELLIPSIS) else text[: width - len(_ELLIPSIS)] + _ELLIPSIS


def _slice(value: object, given: Given, _run: Run) -> object:
    start = _index(given, "fromIndex") or 0
    if start < 0:
        raise Fault("fromIndex must be greater than 0")
    if not isinstance(value, str | list | tuple):
        what = "Slice filter can only be applied to String, List and array inputs."
        raise Fault(f"{what} Actual type was: {class_name(value)}")
    end = _index(given, "toIndex")
    if end is None:
        end = len(value)
    elif end > len(value):
        raise Fault(f"toIndex must be smaller than input size: {len(value)}")
    elif start >= end:
        raise Fault("toIndex must be greater than fromIndex")
    if start > end:
        raise Fault(f"fromIndex must be smaller than input size: {len(value)}")
    return value[start:end]


def _index(given: Given, name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if not is_number(value):
        raise Fault(f"Argument {name} must be a number. Actual type: {class_name(value)}")
    return int(value)


def _split(value: object, given: Given, run: Run) -> object:
    delimiter = arguments.optional_text(given, "delimiter")
    if delimiter is None:
        raise Fault("missing delimiter parameter in split filter")
    text = arguments.text(value)
    run.session.meter.charge(len(text))
    return split(text, delimiter, arguments.whole(given, "limit") or 0, run.session.meter)


def _slugify(value: object, _given: Given, run: Run) -> str:
    return slug(_shown(value, run))


# ---- parts of a text, around a separator


def _part(name: str, cut: Callable[[str, str], str]) -> Filter:
    def apply(value: object, given: Given, run: Run) -> str:
        separator = arguments.required(given, "separator", f"The '{name}' filter expects an argument 'separator'.")
        return cut(_shown(value, run), "" if separator is None else arguments.text(separator))

    return Filter(apply, ("separator",))


def _before(text: str, separator: str) -> str:
    return text.partition(separator)[0] if separator else ""


def _after(text: str, separator: str) -> str:
    return text.partition(separator)[2] if separator else text


def _before_last(text: str, separator: str) -> str:
    head, found, _ = text.rpartition(separator) if separator else (text, "x", "")
    return head if found else text


def _after_last(text: str, separator: str) -> str:
    _, found, tail = text.rpartition(separator) if separator else ("", "", "")
    return tail if found else ""


def _starts(value: object, given: Given, run: Run) -> bool:
    return _shown(value, run).startswith(_affix(given, "startsWith", run))


def _ends(value: object, given: Given, run: Run) -> bool:
    return _shown(value, run).endswith(_affix(given, "endsWith", run))


def _affix(given: Given, name: str, run: Run) -> str:
    value = given.get("value")
    if value is None:
        raise Fault(f"The '{name}' filter expects an argument 'value'.")
    return _shown(value, run)


# ---- lines


def _indent(value: object, given: Given, run: Run) -> str:
    """Every line but the first moved to the right."""
    text = _shown(value, run)
    return _indented(text, "indent", given, run) if text else text


def _nindent(value: object, given: Given, run: Run) -> str:
    """The same with a line break before, so that the first line moves too."""
    text = _shown(value, run)
    return _indented(_line_break(text) + text, "nindent", given, run) if text else text


def _indented(text: str, name: str, given: Given, run: Run) -> str:
    arguments.required(given, "amount", f"The '{name}' filter expects an integer as argument 'amount'.")
    amount = arguments.whole(given, "amount")
    if amount is None or amount < 0:
        raise Fault(f"The '{name}' filter expects a positive integer >=0 as argument 'amount'.")
    prefix = arguments.optional_text(given, "prefix") if "prefix" in given else " "
    line_break = _line_break(text)
    run.session.meter.charge(text.count(line_break) * amount * len(prefix or ""))
    return text.replace(line_break, line_break + (prefix or "") * amount)


def _line_break(text: str) -> str:
    """The kind of line break that the text uses."""
    return next((mark for mark in ("\r\n", "\n\r", "\n", "\r") if mark in text), "\n")


# ---- every text within a value


def _leaves(value: object, change: Callable[[str], str], run: Run, depth: int = 0) -> object:
    """The value with every leaf turned to text and changed; null stays null, maps and lists what they are."""
    check_depth(depth)
    run.session.meter.step()
    if isinstance(value, Mapping):
        return {key: _leaves(item, change, run, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_leaves(item, change, run, depth + 1) for item in value]
    return None if value is None else change(_shown(value, run))


def _replace(value: object, given: Given, run: Run) -> object:
    pairs = given.get("replace_pairs")
    if pairs is None:
        raise Fault("The argument 'replace_pairs' is required.")
    if not isinstance(pairs, Mapping):
        raise arguments.unfit(pairs, "util.Map")
    texts = [(_shown(old, run), _shown(new, run)) for old, new in pairs.items()]
    by_pattern = arguments.flag(given, "regexp", default=False)

    def change(text: str) -> str:
        for old, new in texts:
            text = replace_all(text, old, new, run.session.meter) if by_pattern else _substituted(text, old, new, run)
        return text

    return _leaves(value, change, run)


def _substituted(text: str, old: str, new: str, run: Run) -> str:
    run.session.meter.charge(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


_ESCAPES = {"single": ("'", "\\'"), "double": ('"', '\\"'), "shell": ("'", "'\\''")}


def _escape_char(value: object, given: Given, run: Run) -> object:
    kind = arguments.required(given, "type", "The 'escapeChar' filter expects an argument 'type'.")
    escape = _ESCAPES.get(str(kind).lower())
    if escape is None:
        allowed = "either 'single', 'double', or 'shell'"
        raise Fault(f"The 'escapeChar' filter expects the value of 'type' to be {allowed}.")
    return _leaves(value, lambda text: text.replace(*escape), run)


TEXT: Mapping[str, Filter] = {
    "upper": Filter(_upper),
    "lower": Filter(_lower),
    "title": Filter(_title),
    "capitalize": Filter(_capitalize),
    "trim": Filter(_trim),
    "abbreviate": Filter(_abbreviate, ("length",)),
    "slice": Filter(_slice, ("fromIndex", "toIndex")),
    "split": Filter(_split, ("delimiter", "limit")),
    "slugify": Filter(_slugify, ("format", "timeZone", "existingFormat", "locale")),
    "substringBefore": _part("substringBefore", _before),
    "substringAfter": _part("substringAfter", _after),
    "substringBeforeLast": _part("substringBeforeLast", _before_last),
    "substringAfterLast": _part("substringAfterLast", _after_last),
    "startsWith": Filter(_starts, ("value",)),
    "endsWith": Filter(_ends, ("value",)),
    "indent": Filter(_indent, ("amount", "prefix")),
    "nindent": Filter(_nindent, ("amount", "prefix")),
    "replace": Filter(_replace, ("replace_pairs", "regexp")),
    "escapeChar": Filter(_escape_char, ("type",)),
}
