"""Where downloaded weights are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """Return ``$LANDFALL_CACHE``, or the platform's folder for a user's cached data.

    The folder need not exist.
    """
    if chosen := os.environ.get("LANDFALL_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "landfall" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "landfall"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "landfall"
