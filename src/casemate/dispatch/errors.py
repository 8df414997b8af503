"""What can go wrong between control plane and worker."""

from __future__ import annotations

from casemate.errors import CasemateError


class DispatchError(CasemateError):
    """Control plane and worker cannot talk."""


class LinkLost(DispatchError):
    """The control plane does not answer."""


class NotHeld(DispatchError):
    """The worker asked on behalf of a job that is no longer its own; it should stop that job."""
