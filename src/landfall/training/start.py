"""The network that a training starts from: pretrained, its centroids from training photos. Paper, 3.3."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from landfall.models import Network, create_network
from landfall.models.checkpoint import read_checkpoint
from landfall.models.device import resolve_device
from landfall.models.heads import ClusteredHead
from landfall.models.state import load_state
from landfall.training.randomness import Purpose, torch_seed
from landfall.training.recipe import Recipe


def make_network(recipe: Recipe, *, name: str, device: torch.device, weights: bool = True) -> Network:
    """Return a recipe's network with its random part drawn from the seed, and without centroids yet.

    Args:
        recipe: its ``model`` and ``seed``.
        name: for the model card.
        device: where it goes.
        weights: load the backbone's; a caller that fills it from elsewhere does without.

    Raises:
        ModelError: the network can't be made.
    """
    options = recipe.model
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(recipe.seed, Purpose.WEIGHTS))
        network = create_network(
            options.backbone,
            options.head,
            weights=options.weights if weights else None,
            head_options=options.head_options,
            backbone_options=options.backbone_options,
            height=options.height,
            width=options.width,
            name=name,
        )
    # Photos come channels last, and so do the gradients of the backbone's weights.
    network.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.to(device)


def initialise(network: Network, recipe: Recipe, photos: Sequence[Path], say: Callable[[str], None]) -> None:
    """Set the centroids of a clustered head from training photos; other heads stay as they are.

    Raises:
        ModelError: no photo could be read, or fewer locations than clusters.
    """
    if isinstance(network.head, ClusteredHead):
        say(f"Starting {network.head.clusters} clusters from training photos.")
    network.initialise(
        photos,
        seed=recipe.seed,
        max_photos=recipe.model.init_photos,
        locations_per_photo=recipe.model.init_locations,
        normalise=recipe.model.init_normalise,
    )


def start_network(
    recipe: Recipe,
    photos: Sequence[Path],
    *,
    name: str,
    device: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Network:
    """Return the network that a training by this recipe starts from.

    Args:
        recipe: how it is made.
        photos: the training split's database.
        name: for the model card.
        device: "cpu", "cuda"; None takes a GPU where there is one.
        say: is told what takes a while.

    Raises:
        ModelError: the network can't be made or initialised.
    """
    network = make_network(recipe, name=name, device=resolve_device(device))
    initialise(network, recipe, photos, say)
    return network


def take_head(network: Network, path: Path) -> None:
    """Give a network the head of a saved one, such as `start_network` made by the same model and seed.

    Raises:
        ModelError: no network is there.
        WeightsError: its head is another one.
    """
    _, tensors = read_checkpoint(path)
    head = {
        name.removeprefix("head."): torch.from_numpy(tensor)
        for name, tensor in tensors.items()
        if name.startswith("head.")
    }
    load_state(network.head, head, source=str(path), advice="Start from a network of the same recipe.")
