"""What in a flow may do harm? Rules as data, what they find as values. Files are read by whoever asks."""

from casemate.scanning.builtin import BUILTIN
from casemate.scanning.junit import as_junit
from casemate.scanning.locating import Locator
from casemate.scanning.model import FLOW, GRAVITY, Finding, Rule, Severity, Span, Suppression
from casemate.scanning.places import places
from casemate.scanning.report import Checked, Report, as_json
from casemate.scanning.rules import Ruleset, extended
from casemate.scanning.sarif import as_sarif
from casemate.scanning.scan import Scanned, about_entries, flow_name, scan
from casemate.scanning.suppressions import ABOUT, Entry

__all__ = [
    "ABOUT",
    "BUILTIN",
    "FLOW",
    "GRAVITY",
    "Checked",
    "Entry",
    "Finding",
    "Locator",
    "Report",
    "Rule",
    "Ruleset",
    "Scanned",
    "Severity",
    "Span",
    "Suppression",
    "about_entries",
    "as_json",
    "as_junit",
    "as_sarif",
    "extended",
    "flow_name",
    "places",
    "scan",
]
