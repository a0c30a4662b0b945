"""Losses: descriptors of triplets in, a scalar out. Paper, section 4, equation 5.

One loss a file: citation, equation and deviations in its docstring; a pure function for the maths; a small
callable registered by name in `LOSSES`, with keyword-only options that all have defaults. A new loss is
imported here and nowhere else. Losses know neither photos nor networks, and which triplets there are is
decided in `landfall.mining`.
"""

from __future__ import annotations

from landfall.losses.interface import LOSSES, Loss, create_loss
from landfall.losses.multi_similarity import MultiSimilarityLoss
from landfall.losses.triplet import TripletLoss, triplet_loss

__all__ = ["LOSSES", "Loss", "MultiSimilarityLoss", "TripletLoss", "create_loss", "triplet_loss"]
