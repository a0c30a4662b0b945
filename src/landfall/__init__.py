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
    from landfall.models import (
        ModelCard,
        backbones,
        create_head,
        create_network,
        heads,
        load_network,
        models,
    )

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
    "backbones": "landfall.models",
    "create_head": "landfall.models",
    "create_network": "landfall.models",
    "describe": "landfall.extraction",
    "heads": "landfall.models",
    "load_network": "landfall.models",
    "localize": "landfall.localization",
    "models": "landfall.models",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the names are of many types
    if name not in _HOMES:
        raise AttributeError(f"module 'landfall' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
