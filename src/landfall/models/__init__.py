"""Models: what turns photos into descriptors.

Here belong the networks (``backbones/``, ``heads/``, and ``network.py`` that joins them), the weight-free
model, and what any of them needs to be used right: its card, its checkpoint file, loading by path or by name.
A model sees pixels and gives descriptors; it knows no dataset, no index and no training.

Importing this package loads neither torch nor OpenCV: each name is fetched from its module when first used.
The lists ``heads()``, ``backbones()`` and ``models()`` are in ``catalogue.py``, because ``heads`` and
``backbones`` are folders here. The package itself can be called: ``landfall.models()`` gives the names of the
published models.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landfall.models.card import ModelCard
    from landfall.models.checkpoint import read_card
    from landfall.models.creation import create_backbone, create_head, create_network
    from landfall.models.densevlad import DenseVLAD
    from landfall.models.loading import load_model, load_network
    from landfall.models.model import Model
    from landfall.models.network import Network

_HOMES = {
    "DenseVLAD": "densevlad",
    "Model": "model",
    "ModelCard": "card",
    "Network": "network",
    "create_backbone": "creation",
    "create_head": "creation",
    "create_network": "creation",
    "load_model": "loading",
    "load_network": "loading",
    "read_card": "checkpoint",
}

__all__ = [
    "DenseVLAD",
    "Model",
    "ModelCard",
    "Network",
    "create_backbone",
    "create_head",
    "create_network",
    "load_model",
    "load_network",
    "read_card",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__


class _CallablePackage(ModuleType):
    """``landfall.models`` is a package and, for users, also a function; Python lets one name be both."""

    def __call__(self) -> list[str]:
        """Return the names of the published models, sorted."""
        from landfall.models.catalogue import models

        return models()


sys.modules[__name__].__class__ = _CallablePackage
