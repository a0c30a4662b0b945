"""Training a network by a recipe, and going on with a training that stopped. Paper, section 4."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from landfall.errors import TrainingError
from landfall.models import Network
from landfall.models.device import resolve_device
from landfall.training.data import TrainingData
from landfall.training.describing import Describer, DescriptorSpace
from landfall.training.failures import told_memory_errors
from landfall.training.feature_cache import FeatureCache, compute_frozen, fingerprint
from landfall.training.inputs import InputReader
from landfall.training.keeper import Keeper
from landfall.training.lightning_trainer import create_trainer, interruptible, quiet_lightning, uses_bf16
from landfall.training.machine import Machine, is_first_process
from landfall.training.module import TrainingModule
from landfall.training.photo_cache import PhotoCache
from landfall.training.plan import Plan
from landfall.training.progress import Tell, unheard
from landfall.training.recipe import MIB, Recipe
from landfall.training.run_folder import RunFolder, environment
from landfall.training.start import initialise, make_network, take_head
from landfall.training.state import RunState, Saved, read_state

Say = Callable[[str], None]

# How long the other processes wait for the first one to make the run's folder.
_PATIENCE_S = 120.0


@dataclass(frozen=True)
class TrainingResult:
    """What a training came to.

    Attributes:
        folder: its files; ``folder.best`` and ``folder.last`` are models.
        state: what each epoch gave, and which was best.
    """

    folder: RunFolder
    state: RunState


def train(
    recipe: Recipe,
    dataset: str | Path,
    out: str | Path,
    *,
    layout: str = "auto",
    start: Path | None = None,
    machine: Machine | None = None,
    say: Say = lambda _: None,
    progress: Tell = unheard,
) -> TrainingResult:
    """Train a network on a dataset, into a new folder.

    Args:
        recipe: how.
        dataset: a path, or a name under ``$DATASETS_FOLDER``, with the recipe's splits.
        out: the run's folder; it must not hold a training.
        layout: of the dataset.
        start: a saved network that `landfall.training.start.start_network` made by the same model, seed and
            photos: its head is taken instead of being computed again.
        machine: where to run.
        say: is told what a person should know before it starts, line by line.
        progress: is told how far it is.

    Raises:
        TrainingError: the folder can't be used, the disk has no room, the loss is no number, or memory
            ran out.
        DatasetError: a split is missing, or photos can't be read.
        UsageError: no query has a positive, or one has too few negatives.
        ModelError: the network can't be made.
        PhotoError: a photo turned out to be broken.
    """
    folder = RunFolder(Path(out))
    if not is_first_process():
        _wait_for(folder)
        return _run(folder, None, start, machine or Machine(), say, progress)
    with folder.held():
        path = Path(dataset).expanduser()
        about = {
            "dataset": str(path.absolute()) if path.exists() else str(dataset),
            "layout": layout,
            "fingerprint": TrainingData.load(str(dataset), recipe, layout=layout).fingerprint,
            "environment": environment(),
        }
        folder.start(recipe, about)
        return _run(folder, None, start, machine or Machine(), say, progress)


def resume(
    run: str | Path,
    *,
    dataset: str | Path | None = None,
    start: Path | None = None,
    machine: Machine | None = None,
    say: Say = lambda _: None,
    progress: Tell = unheard,
) -> TrainingResult:
    """Go on with a training from its last saved round, exactly as if it had not stopped.

    Args:
        run: the training's folder.
        dataset: where the same dataset is now, if it moved.
        start, machine, say, progress: as in `train`.

    Raises:
        TrainingError: no training is there, it is another dataset, and as in `train`.
    """
    folder = RunFolder(Path(run))
    folder.read()
    if not is_first_process():
        return _run(folder, dataset, start, machine or Machine(), say, progress)
    with folder.held():
        return _run(folder, dataset, start, machine or Machine(), say, progress)


def _run(
    folder: RunFolder,
    dataset: str | Path | None,
    start: Path | None,
    machine: Machine,
    say: Say,
    progress: Tell,
) -> TrainingResult:
    recipe, about = folder.read()
    saved = read_state(folder.state) if folder.state.exists() else None
    if saved is not None and saved.state.finished:
        say(f"{folder.root} is finished; its best model is {folder.best.name}.")
        return TrainingResult(folder, saved.state)
    data = TrainingData.load(str(dataset or about["dataset"]), recipe, layout=about["layout"])
    if data.fingerprint != about["fingerprint"]:
        raise TrainingError(
            f"{folder.root} was trained on other photos or positions than {data.train.root} holds now. "
            "Restore them, or start anew with another --out."
        )
    device = resolve_device(machine.device)
    data.check_photos(workers=machine.workers)
    with ExitStack() as open_things, told_memory_errors(recipe):
        network = _network(recipe, data, saved, start, device, say)
        plan = Plan(recipe, data, network, _frozen_shape(network, recipe), processes=machine.processes)
        if is_first_process():
            folder.check_room(plan.disk_bytes)
            for line in plan.lines():
                say(line)
        state = saved.state if saved is not None else RunState()
        keeper = Keeper(folder, state, title=network.card.name) if is_first_process() else None
        if keeper is not None:
            open_things.callback(keeper.close)
        photos = PhotoCache(
            data.paths,
            height=recipe.model.height,
            width=recipe.model.width,
            budget_bytes=int(recipe.memory.photos_mb * MIB) // machine.processes,
            workers=machine.workers,
        )
        open_things.callback(photos.close)
        bf16 = uses_bf16(recipe, device)
        reader = InputReader(photos, _feature_cache(folder, machine, network, data, plan))
        module = TrainingModule(
            network,
            recipe,
            data,
            describer=Describer(network, reader, recipe.mining.batch_size, bf16),
            space=DescriptorSpace(
                folder.cache,
                network.card.descriptor_dim,
                recipe.mining.half,
                int(recipe.memory.descriptors_mb * MIB),
            ),
            state=state,
            optimizer_state=saved.optimizer if saved is not None else None,
            keeper=keeper,
            tell=progress if is_first_process() else unheard,
        )
        open_things.enter_context(quiet_lightning())
        open_things.enter_context(interruptible())
        create_trainer(recipe, device, machine, bf16, module.rounds.total - state.round).fit(module)
        if keeper is not None:
            keeper.clear_caches()
    return TrainingResult(folder, module.state)


def _network(
    recipe: Recipe,
    data: TrainingData,
    saved: Saved | None,
    start: Path | None,
    device: torch.device,
    say: Say,
) -> Network:
    """Return the network where the training is: as saved, or initialised."""
    name = f"{recipe.model.backbone}-{recipe.model.head}-{data.train.name}"
    network = make_network(recipe, name=name, device=device, weights=saved is None)
    if saved is not None:
        network.load_state_dict(saved.weights)
    elif start is not None:
        take_head(network, start)
    elif is_first_process():
        initialise(network, recipe, data.train.database.paths, say)
    network.card = network.card.model_copy(
        update={
            "trained_on": data.train.label,
            "seed": recipe.seed,
            "sha256": None,
            **_origin(saved),
        }
    )
    return network


def _origin(saved: Saved | None) -> dict[str, str]:
    """Return where the weights come from, which a network made of a saved state no longer knows."""
    return {} if saved is None else {"source": saved.source, "licence": saved.licence}


def _frozen_shape(network: Network, recipe: Recipe) -> tuple[int, int, int]:
    """Return (h, w, C) of one photo's frozen features."""
    blank = np.zeros((1, recipe.model.height, recipe.model.width, 3), np.uint8)
    _, channels, height, width = compute_frozen(network, blank).shape
    return height, width, channels


def _feature_cache(
    folder: RunFolder, machine: Machine, network: Network, data: TrainingData, plan: Plan
) -> FeatureCache | None:
    if plan.cached_features == 0:
        return None
    told = fingerprint(network, f"{data.files_fingerprint} {plan.cached_features}")
    return FeatureCache(
        folder.cache if machine.cache is None else machine.cache / f"features-{told}",
        plan.frozen_shape,
        len(data.paths),
        budget_bytes=int(plan.recipe.memory.features_mb * MIB),
        fingerprint=told,
    )


def _wait_for(folder: RunFolder) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not folder.about.exists():
        if time.monotonic() > deadline:
            raise TrainingError(f"The first process has made no training in {folder.root}; see what it says.")
        time.sleep(0.1)
