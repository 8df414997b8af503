"""No secret in a log: every form of a secret that a program is likely to print is covered (spec/security 3.3).

What goes into logs, measurements, isolation reports and texts of errors is covered. Outputs, KV values and files are
not: they are what a task hands on, and stars would break the next one. Which ways of writing a secret are covered and
which cannot be is said in docs/explanation/secrets.md, and tried by tests/worker/test_ways_to_print.py.
"""

from casemate.masking.forms import TOO_SHORT, maskable
from casemate.masking.mask import Mask
from casemate.masking.stars import STYLES, Style

__all__ = ["STYLES", "TOO_SHORT", "Mask", "Style", "maskable"]
