"""VLAD: local features to one vector a photo, by the sum of their residuals at each visual word.

Jegou, Douze, Schmid and Perez, "Aggregating local descriptors into a compact image representation", CVPR
2010; signed square root: Jegou et al., "Aggregating local image descriptors into compact codes", PAMI 2012;
intra-normalisation: Arandjelovic and Zisserman, "All about VLAD", CVPR 2013:

    V_k = sum over features x nearest to word c_k of (x - c_k),
    V_k <- sign(V_k) sqrt(|V_k|),  V_k <- V_k / ||V_k||,  V <- V / ||V||.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def nearest_words(features: Tensor, words: Tensor) -> Tensor:
    """Return which of words (K, d) is nearest to each of features (N, d): (N,) int64; the first of equals."""
    # ||x - c||^2 less ||x||^2, halved and negated: one matrix product, no (N, K, d).
    half_squares = words.square().sum(dim=1) / 2
    return torch.addmm(half_squares, features, words.T, beta=-1).argmax(dim=1)


def vlad(features: Tensor, words: Tensor) -> Tensor:
    """Return the VLAD (K * d,) of features (N, d) for words (K, d): unit norm, or zeros where N is 0.

    A word without features, or whose residuals cancel out, gives zeros.
    """
    if not len(features):
        return words.new_zeros(words.numel())
    nearest = nearest_words(features, words)
    counts = torch.bincount(nearest, minlength=len(words)).to(features.dtype)
    # sum (x - c_k) = sum x - n_k c_k: no residual of a single feature is stored.
    residuals = torch.zeros_like(words).index_add_(0, nearest, features) - counts[:, None] * words
    rooted = residuals.sign() * residuals.abs().sqrt()
    return F.normalize(F.normalize(rooted, dim=1).flatten(), dim=0)
