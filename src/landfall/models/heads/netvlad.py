"""NetVLAD: residuals of local features to learned centroids, softly assigned. Paper, section 3.3.

R. Arandjelović, P. Gronat, A. Torii, T. Pajdla, J. Sivic, *NetVLAD: CNN architecture for weakly supervised
place recognition*, CVPR 2016.

Equations, for L2-normalised features x_l at locations l and centroids c_k:

    s_k(x) = exp(w_k . x) / sum_j exp(w_j . x)            (eq. 2)
    V(k)   = sum_l s_k(x_l) (x_l - c_k)                   (eq. 3)

then each V(k) is L2-normalised (intra-normalisation), all are joined, and the whole is L2-normalised.

Eq. 3 is computed as sum_l s_k(x_l) x_l - (sum_l s_k(x_l)) c_k: one matrix product, and no location's residual
is ever held. Nor is the normalised map: 1 / ||x_l|| multiplies the products with x_l instead.

Deviations: w_k has no bias, and is free of c_k after the initialisation, both as in the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from landfall.errors import ModelError
from landfall.models.heads.attention import AttentionMap, at_least_float32
from landfall.models.heads.centroids import assignment_weights, kmeans
from landfall.models.heads.interface import HEADS, Head
from landfall.models.heads.normalization import inverse_norm, l2_normalize


def netvlad(x: Tensor, weight: Tensor, centroids: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the VLAD descriptors (B, K * C) of a map, of unit norm.

    Args:
        x: (B, C, H, W), not normalised.
        weight: (K, C), the assignment's w_k.
        centroids: (K, C).
        mask: (B, 1, H, W), what each location counts; None counts all as one.
    """
    local = x.flatten(2)  # (B, C, N)
    scale = inverse_norm(local, dim=1)  # (B, 1, N)
    assignment = (torch.matmul(weight, local) * scale).softmax(dim=1)  # (B, K, N)
    if mask is not None:
        assignment = assignment * mask.flatten(2)
    mass = assignment.sum(dim=2, keepdim=True)  # (B, K, 1)
    weighted = torch.bmm((assignment * scale).to(local.dtype), local.transpose(1, 2))  # (B, K, C)
    residuals = weighted - mass * centroids
    return l2_normalize(l2_normalize(residuals, dim=2).flatten(1), dim=1)


def residual_energy(x: Tensor, weight: Tensor, centroids: Tensor) -> Tensor:
    """Return the norm of what each location of a map adds to VLAD: (B, H, W), not negative.

        e_l = sqrt(sum_k s_k(x_l)^2 ||x_l - c_k||^2)

    is the norm of location l's term of eq. 3, all clusters joined, before the normalisations. The assignment
    summed over the clusters would tell nothing: softmax makes it one everywhere.

    Args:
        x, weight, centroids: as of `netvlad`.
    """
    local = l2_normalize(at_least_float32(x).flatten(2), dim=1).transpose(1, 2)  # (B, N, C)
    weight, centroids = weight.to(local.dtype), centroids.to(local.dtype)
    assignment = torch.matmul(local, weight.T).softmax(dim=2)  # (B, N, K)
    # Pair by pair, and no (B, N, K, C): 1 - 2 x.c + ||c||^2 would lose half the digits near a centroid.
    distance = torch.cdist(
        local, centroids.expand(len(x), -1, -1), compute_mode="donot_use_mm_for_euclid_dist"
    )
    energy: Tensor = torch.linalg.vector_norm(assignment * distance, dim=2)  # (B, N)
    return energy.view(len(x), *x.shape[2:])


@HEADS.register("netvlad")
class NetVLAD(Head):
    """Soft assignment by a 1x1 convolution, and residuals to centroids.

    Before `initialise` the centroids are random, and the descriptors of little use.

    Args:
        in_channels: C of the map.
        clusters: K; D is K * C.

    Raises:
        ModelError: fewer than one cluster.
    """

    def __init__(self, *, in_channels: int, clusters: int = 64) -> None:
        super().__init__(in_channels=in_channels)
        if clusters < 1:
            raise ModelError(
                f"A head of {clusters} clusters was asked for; give at least 1 (64 is the default)."
            )
        self.clusters = clusters
        self.conv = nn.Conv2d(in_channels, clusters, kernel_size=1, bias=False)
        # Maps come out of a ReLU, so the random centroids lie where normalised features do.
        self.centroids = nn.Parameter(l2_normalize(torch.rand(clusters, in_channels), dim=1))

    @property
    def out_dim(self) -> int:
        """D, the length of a descriptor."""
        return self.clusters * self.in_channels

    def initialise(self, features: Tensor, *, seed: int = 0, normalise: bool = True) -> None:
        """Set centroids and assignment weights from a sample of local features (paper, section 3.3, eq. 4).

        Args:
            features: (N, in_channels), as they come out of the backbone.
            seed: of the k-means.
            normalise: L2-normalise the features first, as `netvlad` does in every pass. False is the mistake
                that is worth measuring.

        Raises:
            ModelError: fewer features than clusters, another number of channels, or features not finite.
        """
        if features.ndim != 2 or features.shape[1] != self.in_channels:
            raise ModelError(
                f"The sample has shape {tuple(features.shape)}; expected (N, {self.in_channels}), "
                "one row a location."
            )
        sample = features.detach().float().cpu()
        sample = l2_normalize(sample, dim=1) if normalise else sample
        centroids = kmeans(sample.numpy(), self.clusters, seed=seed)
        weights = assignment_weights(centroids, sample.numpy())
        with torch.no_grad():
            self.centroids.copy_(torch.from_numpy(centroids))
            self.conv.weight.copy_(torch.from_numpy(weights)[:, :, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, clusters * in_channels)."""
        return netvlad(x, self.conv.weight.flatten(1), self.centroids)

    def attention(self, x: Tensor) -> tuple[AttentionMap, ...]:
        """Return the locations' residual energy, (B, H, W)."""
        energy = residual_energy(x, self.conv.weight.flatten(1), self.centroids)
        return (AttentionMap("residual energy", "norm of the residuals", energy),)
