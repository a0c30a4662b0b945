"""One round of training, timed: as the library does it, and as the plain reference does.

Each function here runs in a process of its own, started by ``training_round.py``, and sends a `Timed`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import faiss
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import plain_training
from landfall.models import Network, load_network
from landfall.models.device import resolve_device
from landfall.training.batches import Batch, RoundLoader
from landfall.training.data import TrainingData
from landfall.training.describing import Describer, DescriptorSpace
from landfall.training.feature_cache import FeatureCache, compute_frozen
from landfall.training.inputs import InputReader
from landfall.training.lightning_trainer import create_trainer, quiet_lightning, uses_bf16
from landfall.training.machine import Machine
from landfall.training.module import TrainingModule
from landfall.training.photo_cache import PhotoCache
from landfall.training.progress import unheard
from landfall.training.recipe import MIB, Recipe
from landfall.training.rounds import Rounds
from landfall.training.state import RunState
from stopwatch import Stopwatch


@dataclass(frozen=True)
class Setup:
    """What every way is given.

    Args:
        dataset: path of it.
        recipe: of the training; its first round is what is measured.
        network: the checkpoint that the round starts from.
        device: "cpu" or "cuda".
        threads: of torch and faiss.
        workers: threads that decode photos.
    """

    dataset: str
    recipe: Recipe
    network: Path
    device: str
    threads: int
    workers: int

    def begin(self) -> tuple[Network, TrainingData]:
        """Return the network, as training lays it out, and the data, with the threads set."""
        torch.set_num_threads(self.threads)
        faiss.omp_set_num_threads(self.threads)
        network = load_network(self.network, device=self.device)
        if not isinstance(network, Network):
            raise TypeError(f"{self.network} holds a {type(network).__name__}, which can't be trained")
        network.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network, TrainingData.load(self.dataset, self.recipe)


@dataclass
class Timed:
    """What a way took for the round, and what it found.

    Attributes:
        seconds: by stage: filling (what is done once for a whole training), mining, steps.
        cpu_s: by stage, the seconds of all cores together.
        photos: by stage, those described in mining and those shown in steps.
        gpu_share: by stage, the share of time that the GPU computed, where that was watched.
        triplets: (T, 2 + N) rows of photos: query, positive and negatives of the round.
        losses: of the steps.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    photos: dict[str, int] = field(default_factory=dict)
    gpu_share: dict[str, float] = field(default_factory=dict)
    triplets: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 0), np.int64))
    losses: list[float] = field(default_factory=list)

    def end(self, stage: str, stopwatch: Stopwatch, photos: int) -> None:
        """Stop the clock of a stage."""
        self.seconds[stage], self.cpu_s[stage] = stopwatch.stop()
        self.photos[stage] = photos
        if stopwatch.gpu_share is not None:
            self.gpu_share[stage] = stopwatch.gpu_share

    def rate(self, stage: str) -> float:
        """Return a stage's photos a second."""
        return self.photos[stage] / self.seconds[stage]

    def of_round(self, spent: Mapping[str, float], *, filling: bool = False) -> float:
        """Add up what the stages spent, scaled to all of the round's steps where a part was gone through."""
        steps = spent["steps"] * self.triplets.size / self.photos["steps"]
        return spent["mining"] + steps + (spent.get("filling", 0.0) if filling else 0.0)


class TimedModule(TrainingModule):
    """The library's module with a stopwatch; it neither validates nor saves, as the reference doesn't."""

    timed: Timed
    watch: bool
    _stopwatch: Stopwatch
    _rows: list[NDArray[np.int64]]

    def on_fit_start(self) -> None:
        """Nothing: what is filled was filled before."""

    def train_dataloader(self) -> RoundLoader:
        self._rows = []
        self._stopwatch = Stopwatch(watch=self.watch)
        loader = super().train_dataloader()
        self.timed.end("mining", self._stopwatch, self.state.spent.mining_photos)
        self._stopwatch = Stopwatch(watch=self.watch)
        return loader

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        before = self.state.loss_sum
        objective = super().training_step(batch, batch_idx)
        self.timed.losses.append(self.state.loss_sum - before)
        self._rows.append(batch.rows)
        return objective

    def on_train_epoch_end(self) -> None:
        """Stop the clock in the place of validating and saving."""
        self.timed.triplets = np.concatenate(self._rows)
        self.timed.end("steps", self._stopwatch, self.timed.triplets.size)


def measure_landfall(setup: Setup, features_mb: float, watch: bool, sender: Connection) -> None:
    """Send what the library takes for the round.

    Args:
        setup: as for every way.
        features_mb: what frozen features may take on disk; 0 keeps none.
        watch: take the GPU's share.
        sender: takes a `Timed`.
    """
    network, data = setup.begin()
    recipe = setup.recipe
    height, width = recipe.model.height, recipe.model.width
    timed, rounds = Timed(), Rounds(recipe, data)
    device = resolve_device(setup.device)
    bf16 = uses_bf16(recipe, device)
    machine = Machine(setup.device, 1, setup.workers)
    photos = PhotoCache(
        data.paths,
        height=height,
        width=width,
        budget_bytes=int(recipe.memory.photos_mb * MIB),
        workers=setup.workers,
    )
    with tempfile.TemporaryDirectory() as folder, quiet_lightning():
        features = None
        if features_mb:
            blank = np.zeros((1, height, width, 3), np.uint8)
            _, channels, h, w = compute_frozen(network, blank).shape
            features = FeatureCache(
                Path(folder),
                (h, w, channels),
                len(data.paths),
                budget_bytes=int(features_mb * MIB),
                fingerprint="benchmark",
            )
        module = TimedModule(
            network,
            recipe,
            data,
            describer=Describer(network, InputReader(photos, features), recipe.mining.batch_size, bf16),
            space=DescriptorSpace(
                Path(folder),
                network.card.descriptor_dim,
                recipe.mining.half,
                int(recipe.memory.descriptors_mb * MIB),
            ),
            state=RunState(),
            optimizer_state=None,
            keeper=None,
            tell=unheard,
        )
        module.timed, module.watch = timed, watch
        trainer = create_trainer(recipe, device, machine, bf16, rounds=1)
        _warm(network, lambda pixels: network(network.normalise(pixels)), setup)
        stopwatch = Stopwatch()
        filled = _fill(network, photos, features, rounds)
        timed.end("filling", stopwatch, filled)
        trainer.fit(module)
    photos.close()
    sender.send(timed)


def _fill(network: Network, photos: PhotoCache, features: FeatureCache | None, rounds: Rounds) -> int:
    """Fill what a training keeps, and return how many photos that were.

    Frozen features are those of all photos, as training computes them; of photos, the round's that have none.
    """
    kept = 0
    if features is not None:
        features.fill(network, photos, lambda _done, _total: None)
        kept = features.capacity
    planned = rounds.plan(0)
    rows = np.concatenate([rounds.data.query_rows[planned.queries], planned.database])
    rows = rows[rows >= kept]
    for _ in photos.stream([rows[start : start + 16] for start in range(0, len(rows), 16)]):
        pass
    return kept + len(rows)


def measure_reference(setup: Setup, queries: int, keep: Path | None, sender: Connection) -> None:
    """Send what the plain reference takes for the round.

    Args:
        setup: as for every way.
        queries: those of the steps, the first of the round.
        keep: a folder for the descriptors, which others compare triplets by.
        sender: takes a `Timed`.
    """
    network, data = setup.begin()
    recipe, timed = setup.recipe, Timed()
    planned = Rounds(recipe, data).plan(0)
    reader = plain_training.PlainReader(
        data.paths, height=recipe.model.height, width=recipe.model.width, workers=setup.workers
    )
    _warm(network, lambda pixels: plain_training.describe(network, pixels), setup)
    stopwatch = Stopwatch()
    found, *described = plain_training.mine(
        network, reader, planned, data, batch_size=recipe.mining.batch_size
    )
    timed.end("mining", stopwatch, len(planned.queries) + len(planned.database))
    if keep is not None:
        for name, descriptors in zip(("queries", "database"), described, strict=True):
            np.save(keep / f"{name}.npy", descriptors)
    del described
    timed.triplets = np.concatenate(
        [data.query_rows[found.queries][:, None], found.positives[:, None], found.negatives], axis=1
    )
    part = timed.triplets[:queries]
    stopwatch = Stopwatch()
    timed.losses = plain_training.step(
        network,
        reader,
        part,
        batch_queries=recipe.schedule.batch_queries,
        lr=recipe.optimizer.lr,
    )
    timed.end("steps", stopwatch, part.size)
    sender.send(timed)


def _warm(network: Network, describe: Callable[[NDArray[np.uint8]], Tensor], setup: Setup) -> None:
    """Take a step's photos there and back once, which loads code that no stage should be charged for."""
    model, recipe = setup.recipe.model, setup.recipe
    count = recipe.schedule.batch_queries * (2 + recipe.mining.negatives)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, model.height, model.width, 3), dtype=np.uint8)
    describe(pixels)[:, ::7].sum().backward()  # type: ignore[no-untyped-call]
    network.zero_grad()
