"""The filters, `value | name(…)`, by name (spec/engine 6.8)."""

from __future__ import annotations

from collections.abc import Mapping

from casemate.expressions.filters.collections import COLLECTIONS
from casemate.expressions.filters.dates import DATES
from casemate.expressions.filters.encodings import ENCODINGS
from casemate.expressions.filters.filter import Filter
from casemate.expressions.filters.numbers import NUMBERS
from casemate.expressions.filters.serialisation import SERIALISATION
from casemate.expressions.filters.text import TEXT

FILTERS: Mapping[str, Filter] = {**TEXT, **ENCODINGS, **NUMBERS, **COLLECTIONS, **DATES, **SERIALISATION}
