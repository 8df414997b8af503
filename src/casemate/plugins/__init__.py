"""Which plugins are installed? A plugin is a wheel: its manifests are data, its code only runs behind the walls.

What is kept was held against a digest before anything of it was looked at, and is so again before each use.
"""

from casemate.plugins.archive import LARGEST
from casemate.plugins.errors import ManagementOff, NoSuchPlugin, PluginRefused
from casemate.plugins.management import Management, folder_of

__all__ = ["LARGEST", "Management", "ManagementOff", "NoSuchPlugin", "PluginRefused", "folder_of"]
