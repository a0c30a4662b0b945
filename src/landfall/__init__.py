"""Landfall tells where a photo was taken.

The names below are the public surface; each is imported when it is first used, so that
``import landfall`` stays fast and brings in no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landfall.extraction import describe
    from landfall.geo import LatLon
    from landfall.index import Index, Match
    from landfall.localization import Fix, localize
    from landfall.models import ModelCard, create_head, create_network, load_network
    from landfall.models.catalogue import backbones, heads

__version__ = "0.1.0"

__all__ = [
    "Fix",
    "Index",
    "LatLon",
    "Match",
    "ModelCard",
    "backbones",
    "create_head",
    "create_network",
    "describe",
    "heads",
    "load_network",
    "localize",
    "models",
]

# Which package each public name lives in.
_HOMES = {
    "Fix": "landfall.localization",
    "Index": "landfall.index",
    "LatLon": "landfall.geo",
    "Match": "landfall.index",
    "ModelCard": "landfall.models",
    "backbones": "landfall.models.catalogue",
    "create_head": "landfall.models",
    "create_network": "landfall.models",
    "describe": "landfall.extraction",
    "heads": "landfall.models.catalogue",
    "load_network": "landfall.models",
    "localize": "landfall.localization",
}


def __getattr__(name: str) -> Any:
    if name == "models":
        # Both a package and, for users, a function that lists what can be loaded: the package is callable.
        return import_module("landfall.models")
    if name not in _HOMES:
        raise AttributeError(f"module 'landfall' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
