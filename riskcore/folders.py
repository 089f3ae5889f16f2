"""Where a user's files belong on this system: settings and data of riskcore."""

import os
import sys
from pathlib import Path
from typing import Literal

NAME = "riskcore"
# Per kind: the variable and the folder of Windows, the variable and the folder of the XDG base directories.
_FOLDERS = {
    "settings": ("APPDATA", "AppData/Roaming", "XDG_CONFIG_HOME", ".config"),
    "data": ("LOCALAPPDATA", "AppData/Local", "XDG_DATA_HOME", ".local/share"),
    "cache": ("LOCALAPPDATA", "AppData/Local", "XDG_CACHE_HOME", ".cache"),
}


def user_folder(kind: Literal["settings", "data", "cache"]) -> Path:
    """The folder of this user's settings, data or what may be deleted; macOS keeps the first two in one."""
    if sys.platform == "darwin":
        if kind == "cache":
            return Path.home() / "Library" / "Caches" / NAME
        return Path.home() / "Library" / "Application Support" / NAME
    on_windows, windows_default, elsewhere, default = _FOLDERS[kind]
    variable, folder = (on_windows, windows_default) if sys.platform == "win32" else (elsewhere, default)
    return Path(os.environ.get(variable) or Path.home() / folder) / NAME
