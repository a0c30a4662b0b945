"""Making heads, backbones and networks by name, and the loader of network checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from landfall.errors import ModelError, UnknownNameError
from landfall.models.backbones import BACKBONES, Backbone
from landfall.models.backbones.weights import load_weights
from landfall.models.card import ModelCard
from landfall.models.checkpoint import Tensors
from landfall.models.device import resolve_device
from landfall.models.heads import HEADS, Head
from landfall.models.loading import FAMILIES
from landfall.models.network import Network
from landfall.models.options import complete_options


def create_head(name: str, *, in_channels: int, **options: Any) -> Head:
    """Return a head, untrained.

    Args:
        name: one of `landfall.heads()`.
        in_channels: C of the feature map that it will take.
        **options: the head's own, for example ``clusters=64``, ``mask_activation="none"``.

    Raises:
        UnknownNameError: no such head, or no such option of it.
        ModelError: an option's value makes no sense.
    """
    make = HEADS[name]
    return make(in_channels=in_channels, **complete_options(f"head {name!r}", make, options))


def create_backbone(name: str, *, weights: str | Path | None = None, **options: Any) -> Backbone:
    """Return a backbone.

    Args:
        name: one of `landfall.backbones()`.
        weights: None for random ones, "imagenet", or the path of a weights file.
        **options: the backbone's own, for example ``train_batch_norm=True``.

    Raises:
        UnknownNameError: no such backbone, or no such option of it.
        ModelError: the weights can't be had or don't fit (`WeightsError`, `OfflineError`).
    """
    backbone = _make_backbone(name, options)
    load_weights(backbone, name, weights)
    return backbone


def _make_backbone(name: str, options: Mapping[str, Any]) -> Backbone:
    make = BACKBONES[name]
    return make(**complete_options(f"backbone {name!r}", make, options))


def create_network(
    backbone: str = "resnet18",
    head: str = "netvlad",
    *,
    weights: str | Path | None = None,
    head_options: Mapping[str, Any] | None = None,
    backbone_options: Mapping[str, Any] | None = None,
    height: int | None = 480,
    width: int | None = 640,
    name: str | None = None,
) -> Network:
    """Return a network that no place recognition has trained yet.

    Args:
        backbone: one of `landfall.backbones()`.
        head: one of `landfall.heads()`. Clustered ones want `Network.initialise` next.
        weights: the backbone's: None for random ones, "imagenet" (downloaded once), or a file's path.
        head_options: see `create_head`.
        backbone_options: see `create_backbone`.
        height, width: the size in pixels that photos are stretched to; None for both keeps their own.
        name: what the model's card calls it; None makes one of backbone and head.

    Raises:
        UnknownNameError: no such backbone, head or option.
        OfflineError: "imagenet", and the weights can't be downloaded.
        WeightsError: weights that don't fit; every missing, unexpected and wrongly sized name is listed.
        ModelError: no such weights file, or an option's value makes no sense.
    """
    make_backbone, make_head = BACKBONES[backbone], HEADS[head]
    all_backbone_options = complete_options(f"backbone {backbone!r}", make_backbone, backbone_options or {})
    all_head_options = complete_options(f"head {head!r}", make_head, head_options or {})
    body = make_backbone(**all_backbone_options)
    pooling = make_head(in_channels=body.out_channels, **all_head_options)
    origin = load_weights(body, backbone, weights)
    card = ModelCard(
        name=name or f"{backbone}-{head}",
        family="network",
        backbone=backbone,
        head=head,
        backbone_options=all_backbone_options,
        head_options=all_head_options,
        descriptor_dim=pooling.out_dim,
        height=height,
        width=width,
        licence=origin.licence,
        source=origin.source,
    )
    return Network(body, pooling, card)


@FAMILIES.register("network")
def network_from_checkpoint(card: ModelCard, tensors: Tensors, *, path: Path, device: str | None) -> Network:
    """Return the network of a checkpoint, in evaluation mode on a device.

    Raises:
        WeightsError: tensors missing, unexpected or wrongly sized.
        ModelError: a backbone, head or option that this version doesn't know, or a device that isn't there.
    """
    on = resolve_device(device)
    try:
        body = _make_backbone(card.backbone or "", card.backbone_options)
        pooling = create_head(card.head or "", in_channels=body.out_channels, **card.head_options)
    except UnknownNameError as error:
        raise ModelError(
            f"{path}: {error} The file was made by Landfall {card.landfall_version}: use that or a newer one."
        ) from error
    network = Network(body, pooling, card)
    network.load_tensors(tensors, path=path)
    return network.eval().to(on)
