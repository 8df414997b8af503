"""Secret backends. The one there is reads the environment, as Kestra's open-source edition does."""

from casemate.secrets.environment import EnvironmentSecrets
from casemate.secrets.ports import Secrets

__all__ = ["EnvironmentSecrets", "Secrets"]
