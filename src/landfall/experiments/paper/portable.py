"""Records and reports without a path of the machine that made them: files and datasets by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

# All of a path but its last part: from a slash, a drive, "." or "~" on, up to the last slash.
_FOLDERS = re.compile(r"(?<![\w./\\-])(?:[A-Za-z]:|~|\.{1,2})?[/\\](?:[^\s/\\,;:'\"{}\[\]()]+[/\\])*")


def portable_text(text: str) -> str:
    """Return a text, such as an error, with each path cut down to its last part."""
    return _FOLDERS.sub("", text)


def portable_change(change: str) -> str:
    """Return ``key=value`` with a file by its name, spaces in its folders or not."""
    key, _, value = change.partition("=")
    if Path(value).exists():
        return f"{key}={Path(value).name}"
    return f"{key}={portable_text(value)}"


def portable_recipe(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe, as `Recipe.to_dict` gives it, with weights by their file's name."""
    weights = recipe["model"]["weights"]
    named = None if weights is None else Path(weights).name
    return {**recipe, "model": {**recipe["model"], "weights": named}}
