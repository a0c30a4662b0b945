"""What a training will take of memory and disk, reckoned and told before it starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landfall.models import Network
from landfall.training.data import TrainingData
from landfall.training.feature_cache import FeatureCache
from landfall.training.recipe import MIB, Recipe
from landfall.training.rounds import Rounds

# Tables, plots and TensorBoard's files of a long training.
_LOGS_BYTES = 64 * MIB


@dataclass(frozen=True, eq=False)
class Plan:
    """Sizes of a training.

    Args:
        recipe: its budgets.
        data: its photos.
        network: its weights.
        frozen_shape: (h, w, C) of one photo's frozen features.
        processes: that train together.
    """

    recipe: Recipe
    data: TrainingData
    network: Network
    frozen_shape: tuple[int, int, int]
    processes: int = 1

    @property
    def photo_bytes(self) -> int:
        """One decoded photo."""
        return 3 * self.recipe.model.height * self.recipe.model.width

    @property
    def kept_photos(self) -> int:
        """Decoded photos that fit into memory."""
        return min(len(self.data.paths), int(self.recipe.memory.photos_mb * MIB) // self.photo_bytes)

    @property
    def cached_features(self) -> int:
        """Photos whose frozen features fit on the disk's share."""
        budget = int(self.recipe.memory.features_mb * MIB)
        return min(len(self.data.paths), budget // FeatureCache.photo_bytes(self.frozen_shape))

    @property
    def features_bytes(self) -> int:
        """The frozen features' file."""
        return self.cached_features * FeatureCache.photo_bytes(self.frozen_shape)

    @property
    def round_photos(self) -> int:
        """Photos described for one round, at most."""
        mining, counts = self.recipe.mining, self.data.positives.counts
        queries = min(mining.queries_per_round, len(self.data.usable))
        positives = int(np.sort(counts)[::-1][:queries].sum())
        candidates = {"partial": mining.sample, "full": len(self.data.train.database), "random": 0}
        return queries + min(len(self.data.train.database), positives + candidates[mining.strategy])

    @property
    def round_bytes(self) -> int:
        """Descriptors of one round, at most."""
        each = 2 if self.recipe.mining.half else 4
        return self.round_photos * self.network.card.descriptor_dim * each

    @property
    def validation_bytes(self) -> int:
        """Descriptors of the validation split, in full precision."""
        photos = len(self.data.val.database) + len(self.data.val.queries)
        return photos * self.network.card.descriptor_dim * 4

    @property
    def model_bytes(self) -> int:
        """The network's weights."""
        return sum(tensor.nbytes for tensor in self.network.state_dict().values())

    @property
    def disk_bytes(self) -> int:
        """All that is written, with the copy that stands beside each file while it is replaced."""
        trained = sum(weight.nbytes for weight in self.network.parameters() if weight.requires_grad)
        state = self.model_bytes + 2 * trained
        descriptors = max(self.round_bytes, self.validation_bytes)
        mapped = self.processes > 1 or descriptors > self.recipe.memory.descriptors_mb * MIB
        files = 2 * self.model_bytes + state + max(self.model_bytes, state)
        return files + self.features_bytes + (descriptors if mapped else 0) + _LOGS_BYTES

    def lines(self) -> list[str]:
        """Say it to a person."""
        data, recipe, rounds = self.data, self.recipe, Rounds(self.recipe, self.data)
        most = max(self.round_bytes, self.validation_bytes)
        mapped = self.processes > 1 or most > recipe.memory.descriptors_mb * MIB
        told = [
            f"Training {self.network.card.name} on {data.train.label}: {len(data.train.database)} database "
            f"photos, {len(data.query_rows)} queries, of which {data.unusable} have no positive within "
            f"{recipe.data.train_radius_m:g} m and are left out.",
            f"Validating on {data.val.label}: {len(data.val.database)} database photos, "
            f"{len(data.val.queries)} queries"
            + (", and those photos as queries, too." if recipe.data.database_queries else "."),
            f"An epoch: {rounds.queries_per_epoch} queries in {rounds.per_epoch} rounds; at most "
            f"{recipe.schedule.epochs} epochs.",
            f"Descriptors: up to {self.round_bytes / MIB:,.0f} MiB a round and "
            f"{self.validation_bytes / MIB:,.0f} MiB in validation, "
            + ("mapped from a file." if mapped else "in memory."),
            f"Decoded photos: {self.kept_photos} of {len(data.paths)} kept in memory, "
            f"{self.kept_photos * self.photo_bytes / MIB:,.0f} MiB.",
        ]
        if recipe.memory.features_mb:
            told.append(
                f"Frozen features: {self.cached_features} of {len(data.paths)} photos on disk, "
                f"{self.features_bytes / MIB:,.0f} MiB."
            )
        return told
