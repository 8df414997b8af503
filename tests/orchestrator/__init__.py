"""The loop from a decision to rows, hints, claims and reports."""
