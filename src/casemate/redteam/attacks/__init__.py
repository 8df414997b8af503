"""The attacks, one page a class, and the allowed things that must work in spite of all walls."""

from casemate.redteam.attacks.allowed import WELCOME
from casemate.redteam.attacks.files import FILES
from casemate.redteam.attacks.kernel import KERNEL
from casemate.redteam.attacks.network import NETWORK
from casemate.redteam.attacks.processes import PROCESSES
from casemate.redteam.attacks.races import RACES
from casemate.redteam.attacks.resources import RESOURCES
from casemate.redteam.attacks.rights import RIGHTS
from casemate.redteam.attacks.secrets import SECRETS

ATTACKS = (*FILES, *PROCESSES, *NETWORK, *KERNEL, *RESOURCES, *RIGHTS, *SECRETS, *RACES)

__all__ = ["ATTACKS", "WELCOME"]
