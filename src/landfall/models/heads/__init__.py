"""Heads: what turns a feature map (B, C, h, w) into one descriptor (B, D). Paper, section 3.

One head a file: citation, equation and deviations in its docstring; a pure function for the maths; a small
module registered by name in `HEADS`, with keyword-only typed options and ``in_channels`` first. A new head is
imported here and nowhere else; the contract tests then run over it.
"""

from __future__ import annotations

from landfall.models.heads.attention import AttentionMap
from landfall.models.heads.base import Base
from landfall.models.heads.crn import CRN
from landfall.models.heads.crn2 import CRN2
from landfall.models.heads.gem import GeM
from landfall.models.heads.interface import HEADS, ClusteredHead, Head
from landfall.models.heads.netvlad import NetVLAD

__all__ = ["CRN", "CRN2", "HEADS", "AttentionMap", "Base", "ClusteredHead", "GeM", "Head", "NetVLAD"]
