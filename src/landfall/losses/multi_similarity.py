"""The multi-similarity loss, as later work on place recognition uses it in place of triplets.

X. Wang et al., *Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning*, CVPR 2019.

Equation 15 there, for query q, cosines s and base lambda, averaged over queries:
log(1 + exp(-alpha (s(q, p) - lambda))) / alpha + log(1 + sum_i exp(beta (s(q, n_i) - lambda))) / beta.

Deviations: pairs come from the mined triplets, one positive a query; the paper mines pairs of its own within
a batch, for which the places of all photos would have to be known here. Nothing is said of a query and
another query's photos, which may show one place. The defaults are those of pytorch-metric-learning, which
computes it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from landfall.errors import UsageError
from landfall.losses.interface import LOSSES, checked_number, widened


@LOSSES.register("multi_similarity")
class MultiSimilarityLoss:
    """The multi-similarity loss over mined triplets.

    Args:
        alpha: the weight in the exponent of positive pairs.
        beta: that of negative pairs; a large one counts the hardest negative alone.
        base: lambda, the cosine that positives are pushed above and negatives below.

    Raises:
        UsageError: alpha or beta not above 0, base not above -1, or pytorch-metric-learning not installed.
    """

    def __init__(self, *, alpha: float = 2.0, beta: float = 50.0, base: float = 0.5) -> None:
        for option, value, above in (("alpha", alpha, 0.0), ("beta", beta, 0.0), ("base", base, -1.0)):
            checked_number("multi_similarity", option, value, above=above)
        try:
            from pytorch_metric_learning import losses
        except ImportError as error:
            raise UsageError(
                "The multi_similarity loss needs pytorch-metric-learning, which can't be imported "
                f"({error}). Install it with: pip install 'landfall[train]', or use the triplet loss."
            ) from error
        self._loss: Any = losses.MultiSimilarityLoss(alpha=alpha, beta=beta, base=base)

    def __call__(self, query: Tensor, positive: Tensor, negatives: Tensor) -> Tensor:
        """Return the loss of descriptors (B, D), (B, D) and (B, N, D)."""
        q, p, n = widened(query, positive, negatives)
        count, each = n.shape[:2]
        anchors = torch.arange(count, device=q.device)
        pairs = (
            anchors,
            anchors,
            anchors.repeat_interleave(each),
            count + torch.arange(count * each, device=q.device),
        )
        # With beta at 50, cosines in a half precision would decide the loss by their rounding.
        with torch.autocast(q.device.type, enabled=False):
            loss: Tensor = self._loss(q, indices_tuple=pairs, ref_emb=torch.cat([p, n.flatten(0, 1)]))
        return loss
