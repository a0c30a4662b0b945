"""Backbones: what turns normalised photos (B, 3, H, W) into a feature map (B, C, h, w).

One architecture a file, registered by name in `BACKBONES`, with its publisher's parameter names so that
published weights load as they are. ``weights.py`` finds and checks those weights.
"""

from __future__ import annotations

from landfall.models.backbones.interface import BACKBONES, Backbone
from landfall.models.backbones.resnet import ResNet

__all__ = ["BACKBONES", "Backbone", "ResNet"]
