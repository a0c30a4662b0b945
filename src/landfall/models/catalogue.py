"""What there is: the names of heads, backbones and published models.

The lists are functions of their own module because ``landfall.models.heads`` and ``.backbones`` are folders.
"""

from __future__ import annotations

from importlib import import_module

from landfall.models.published import PUBLISHED


def heads() -> list[str]:
    """Return the names of the heads, sorted; `create_head` and `create_network` take them."""
    # Heads and backbones are torch modules; listing published models needs no torch.
    from landfall.models.heads import HEADS

    return HEADS.names()


def backbones() -> list[str]:
    """Return the names of the backbones, sorted; `create_backbone` and `create_network` take them."""
    from landfall.models.backbones import BACKBONES

    return BACKBONES.names()


def models() -> list[str]:
    """Return the names of the published models, sorted; `load_model` takes them."""
    # A weight-free model is registered by the module that defines it.
    import_module("landfall.models.densevlad")
    return PUBLISHED.names()
