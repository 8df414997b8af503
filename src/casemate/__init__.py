"""Casemate runs Kestra's flows, each task run in its own sandbox enforced by the Linux kernel."""

__version__ = "0.1.0"
