"""Networks on real street views, with ImageNet weights (`make trial`)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch.nn.functional as F

from landfall.models.creation import create_network
from landfall.models.heads import CRN, CRN2
from landfall.models.initialisation import sample_features
from landfall.models.network import Network
from landfall.photos import load_photo

DATA = os.environ.get("LANDFALL_TRIAL_DATA")

pytestmark = [
    pytest.mark.trial,
    pytest.mark.skipif(DATA is None, reason="LANDFALL_TRIAL_DATA names no folder of real photos"),
]


def weights() -> Path:
    return Path(DATA or "") / "weights" / "resnet18_imagenet_layer3.safetensors"


def photos(side: str, count: int) -> list[Path]:
    folder = Path(DATA or "") / "cambridge" / "images" / side
    return sorted(folder.glob("*.jpg"))[:: max(1, len(list(folder.glob("*.jpg"))) // count)][:count]


@pytest.fixture(scope="module")
def netvlad() -> Network:
    network = create_network("resnet18", "netvlad", weights=weights(), height=240, width=320)
    return network.initialise(photos("train/database", 100), max_photos=60).eval()


@pytest.mark.parametrize("head", ["crn", "crn2"])
@pytest.mark.parametrize("activation", ["softplus", "relu"])
def test_untrained_masks_leave_netvlad_and_learn(netvlad: Network, head: str, activation: str) -> None:
    options = {"mask_activation": activation}
    network = create_network("resnet18", head, weights=weights(), head_options=options, height=240, width=320)
    network.head.load_state_dict(netvlad.head.state_dict(), strict=False)
    images = np.stack([load_photo(p, network.card.input_spec).pixels for p in photos("test/queries", 12)])
    difference = network.describe(images) - netvlad.describe(images)
    assert np.linalg.norm(difference, axis=1).max() < 1e-4

    described = network(network.normalise(images[:3]))
    ((described[0] - described[1]).norm() - (described[0] - described[2]).norm()).backward()
    assert isinstance(network.head, CRN | CRN2)
    for name, parameter in network.head.mask.named_parameters():
        if name != "accumulate.bias":  # moves the whole mask, which is normalised away
            assert parameter.grad is not None
            assert parameter.grad.abs().max().item() > 0, name


def test_start_from_photos_is_deterministic_and_sharp(netvlad: Network) -> None:
    again = create_network("resnet18", "netvlad", weights=weights(), height=240, width=320)
    again.initialise(photos("train/database", 100), max_photos=60)
    for key, value in netvlad.head.state_dict().items():
        assert (value == again.head.state_dict()[key]).all()
    # Paper, eq. 4: over the sample the best cluster outweighs the second a hundredfold, in mean logarithms.
    local, _ = sample_features(
        lambda images: netvlad.features(netvlad.normalise(images)).detach(),
        photos("train/database", 100),
        netvlad.card.input_spec,
        max_photos=60,
    )
    weight = netvlad.head.state_dict()["conv.weight"].flatten(1)
    best = (F.normalize(local, dim=1) @ weight.T).topk(2, dim=1).values
    assert (best[:, 0] - best[:, 1]).mean().item() == pytest.approx(np.log(100), rel=1e-3)
