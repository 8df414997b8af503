"""No secret in a log: every form of a secret that a program is likely to print is covered (spec/security 3.3).

What goes into logs, measurements, isolation reports and texts of errors is covered. What cannot be:

- outputs, KV values and files, with the names of files: they are what a task hands on, and stars would break the next
  one (use SECRET outputs). What was handed on so is no secret any more to the task that gets it.
- secrets of one or two characters, or of three digits, and words such as `true`: they stand everywhere.
- a secret that a program takes apart: split over lines or with something between its letters, reversed, in other
  letters, compressed, encrypted, hashed, encoded twice or in a way that `forms` lacks.
- what was written before the secret became known, and by other tasks that were never given it.
"""

from casemate.masking.forms import TOO_SHORT, maskable
from casemate.masking.mask import Mask
from casemate.masking.stars import STYLES, Style

__all__ = ["STYLES", "TOO_SHORT", "Mask", "Style", "maskable"]
