"""Network: a backbone and a head, with the card that says how to use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from landfall.errors import ModelError
from landfall.models.backbones import Backbone
from landfall.models.card import ModelCard
from landfall.models.checkpoint import Tensors, write_checkpoint
from landfall.models.heads import AttentionMap, ClusteredHead, Head
from landfall.models.initialisation import SampleReport, sample_features
from landfall.models.state import load_state


class Network(nn.Module):
    """Backbone, then head.

    Args:
        backbone: gives the feature map.
        head: takes it; its ``in_channels`` are the backbone's ``out_channels``.
        card: what the two are and how photos are prepared for them.

    Attributes:
        card: as given; `initialise` and `save` complete it.
        sample: what the last `initialise` read, or None.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: Backbone, head: Head, card: ModelCard) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.card = card
        self.sample: SampleReport | None = None
        # In units of a pixel's 0..255. The card holds them, so checkpoints need not.
        self.register_buffer("mean", torch.tensor(card.mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(card.std).view(1, 3, 1, 1) * 255, persistent=False)

    def features(self, x: Tensor) -> Tensor:
        """Return the feature map (B, C, h, w) of normalised photos (B, 3, H, W).

        Raises:
            ModelError: photos too small to give a map of at least one location.
        """
        least = self.backbone.min_size_px
        height, width = x.shape[-2:]
        if min(height, width) < least:
            raise ModelError(
                f"Photos of {height} x {width} pixels (height x width) are too small for "
                f"{self.card.backbone}; it needs at least {least} x {least}."
            )
        return self.backbone(x)  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> Tensor:
        """Return the descriptors (B, D) of normalised photos (B, 3, H, W)."""
        return self.head(self.features(x))  # type: ignore[no-any-return]

    def describe_frozen(self, features: Tensor) -> Tensor:
        """Return the descriptors (B, D) of what the backbone's frozen stages made of photos (B, C, h, w)."""
        return self.head(self.backbone.trained_features(features))  # type: ignore[no-any-return]

    def normalise(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """Return photos (B, H, W, 3) uint8 as the network takes them: (B, 3, H, W), on its device.

        The result is laid out channels last, as the photos are and as convolutions like it best.

        Raises:
            ModelError: another shape or type of array.
        """
        if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
            raise ModelError(
                f"Photos came as {images.dtype} of shape {images.shape}; expected uint8 (B, H, W, 3), RGB."
            )
        # torch warns of arrays that it could write to although they forbid it.
        pixels = torch.from_numpy(np.require(images, requirements=["C", "W"]))
        x = pixels.to(self.mean.device).permute(0, 3, 1, 2).to(self.mean.dtype)
        return x.sub_(self.mean).div_(self.std)

    def describe(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the descriptors (B, D) float32 of photos (B, H, W, 3) uint8, RGB.

        Runs in evaluation mode whatever mode the network is in, and leaves that mode as it was.

        Raises:
            ModelError: another shape or type of array, or photos too small.
        """
        with self._inference():
            described: npt.NDArray[np.float32] = self(self.normalise(images)).float().cpu().numpy()
        return described

    def attention(self, images: npt.NDArray[np.uint8]) -> tuple[AttentionMap, ...]:
        """Return what the head attends to on photos (B, H, W, 3) uint8, RGB: maps (B, h, w) on the CPU.

        Runs as `describe` does.

        Raises:
            ModelError: another shape or type of array, or photos too small.
        """
        with self._inference():
            maps = self.head.attention(self.features(self.normalise(images)))
            return tuple(replace(one, values=one.values.float().cpu()) for one in maps)

    def _describe_map(self, images: npt.NDArray[np.uint8]) -> Tensor:
        """Return the feature map (B, C, h, w) of photos (B, H, W, 3) uint8, as `describe` sees it."""
        with self._inference():
            return self.features(self.normalise(images))

    @contextmanager
    def _inference(self) -> Iterator[None]:
        """Hold every module in evaluation mode without gradients; leave each in the mode it was in."""
        training = [module for module in self.modules() if module.training]
        for module in training:
            module.training = False
        try:
            with torch.inference_mode():
                yield
        finally:
            for module in training:
                module.training = True

    def initialise(
        self,
        photos: Sequence[str | Path],
        *,
        seed: int = 0,
        max_photos: int = 500,
        locations_per_photo: int = 100,
        normalise: bool = True,
    ) -> Self:
        """Set the centroids of a clustered head from a sample of photos; other heads stay as they are.

        What was read is kept in ``sample``, broken photos by name among it.

        Args:
            photos: paths to sample from, best those that the network will be trained on.
            seed: picks photos, locations and the clusters' start.
            max_photos: photos to read, or all if there are fewer (paper: 500).
            locations_per_photo: of each photo's map, or all if there are fewer (paper: 100).
            normalise: see `NetVLAD.initialise`.

        Raises:
            ModelError: no photo could be read, or fewer locations than clusters.
        """
        if not isinstance(self.head, ClusteredHead):
            return self
        features, self.sample = sample_features(
            self._describe_map,
            photos,
            self.card.input_spec,
            seed=seed,
            max_photos=max_photos,
            locations_per_photo=locations_per_photo,
        )
        self.head.initialise(features, seed=seed, normalise=normalise)
        self.card = self.card.model_copy(update={"seed": seed, "sha256": None})
        return self

    def save(self, path: str | Path) -> None:
        """Write weights and card to one safetensors file (see `landfall.models.checkpoint`).

        Raises:
            ModelError: the file can't be written.
        """
        tensors = {name: tensor.detach().cpu().numpy() for name, tensor in self.state_dict().items()}
        self.card = write_checkpoint(path, tensors, self.card)

    def load_tensors(self, tensors: Tensors, *, path: Path) -> None:
        """Fill the network with a checkpoint's tensors, all of them and no others.

        Raises:
            WeightsError: names every tensor that is missing, unexpected or of the wrong size.
        """
        state = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
        load_state(
            self,
            state,
            source=str(path),
            advice="The file's card does not describe its weights: save the model again, or get it anew.",
        )
