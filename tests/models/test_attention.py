"""What models attend to: networks by their heads, DenseVLAD by its descriptors, others not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from landfall.errors import ModelError
from landfall.models.attention import attention_maps
from landfall.models.card import ModelCard
from landfall.models.creation import create_network
from landfall.models.dense_sift import DenseSift, as_tensor, dense_root_sift
from landfall.models.densevlad import DenseVLAD
from landfall.models.densevlad_attention import residual_energy
from landfall.models.vlad import nearest_words
from landfall.models.vocabulary import Vocabulary


def photos(batch: int = 2, height: int = 48, width: int = 80) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ("base", ["share"]),
        ("gem", ["share"]),
        ("netvlad", ["residual energy"]),
        ("crn", ["mask", "residual energy"]),
        ("crn2", ["mask", "residual energy"]),
    ],
)
def test_a_network_attends_as_its_head_does_to_its_map(head: str, names: list[str]) -> None:
    torch.manual_seed(0)
    network = create_network("resnet18", head, height=48, width=80).train()
    images = photos()
    maps = attention_maps(network, images)
    assert network.training
    assert [one.name for one in maps] == names
    network.eval()
    with torch.no_grad():
        expected = network.head.attention(network.features(network.normalise(images)))
    for one, other in zip(maps, expected, strict=True):
        assert one.values.shape == (2, 3, 5)  # a sixteenth of each side
        assert one.values.dtype == torch.float32
        torch.testing.assert_close(one.values, other.values)


def test_an_untrained_crn_attends_as_netvlad_does() -> None:
    torch.manual_seed(0)
    crn = create_network("resnet18", "crn", head_options={"clusters": 4})
    netvlad = create_network("resnet18", "netvlad", head_options={"clusters": 4})
    netvlad.load_state_dict({key: crn.state_dict()[key] for key in netvlad.state_dict()})
    mask, energy = crn.attention(photos())
    torch.testing.assert_close(mask.values, torch.ones_like(mask.values), atol=1e-3, rtol=0)
    torch.testing.assert_close(energy.values, netvlad.attention(photos())[0].values, atol=1e-3, rtol=0)


def test_a_model_that_can_not_tell_is_refused_by_name() -> None:
    class Other:
        card = ModelCard(name="colours", family="colours", descriptor_dim=3, licence="MIT", source="tests")

        def describe(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
            raise NotImplementedError

        def save(self, path: str | Path) -> None:
            raise NotImplementedError

    with pytest.raises(ModelError, match=r"colours .* networks and fitted densevlad"):
        attention_maps(Other(), photos())


def test_a_densevlad_that_is_not_fitted_says_so() -> None:
    with pytest.raises(ModelError, match="not fitted yet"):
        attention_maps(DenseVLAD(), photos())


def a_vocabulary(*scales: float, least_contrast: float = 0.02) -> Vocabulary:
    torch.manual_seed(0)
    return Vocabulary(
        sift=DenseSift(scales=scales, least_contrast=least_contrast),
        mean=torch.rand(128) / 16,
        axes=torch.linalg.qr(torch.randn(128, 12))[0].T.contiguous(),
        words=torch.randn(8, 12) / 4,
    )


def squares_of_all(image: torch.Tensor, vocabulary: Vocabulary) -> float:
    """The squared residuals of the very descriptors that make the VLAD, one by one."""
    total = 0.0
    for scale in dense_root_sift(image, vocabulary.sift):
        for feature in vocabulary.reduce(scale):
            distances = [float((feature - word).square().sum()) for word in vocabulary.words]
            assert int(nearest_words(feature[None], vocabulary.words)) == int(np.argmin(distances))
            total += min(distances)
    return total


def test_densevlads_energy_adds_up_to_the_residuals_of_its_descriptors() -> None:
    image = as_tensor(photos(1)[0])
    one, three = a_vocabulary(1.0), a_vocabulary(0.5, 1.0, 0.7)
    energy = residual_energy(image, one)
    # Cells of 4 pixels; every descriptor's square is spread over its own cells, none is lost.
    assert energy.shape == (48 // 4, 80 // 4)
    assert float(energy.square().sum()) == pytest.approx(squares_of_all(image, one), rel=1e-4)
    # Smaller scales are enlarged bilinearly, which keeps the sum but for what lies at the edges.
    assert residual_energy(image, three).shape == energy.shape
    several = float(residual_energy(image, three).square().sum())
    assert several == pytest.approx(squares_of_all(image, three), rel=0.1)


def test_densevlads_energy_is_where_the_contrast_is() -> None:
    image = np.full((48, 80, 3), 128, np.uint8)
    image[:, :32] = photos(1)[0, :, :32]
    energy = residual_energy(as_tensor(image), a_vocabulary(1.0))
    # A descriptor reaches 16 pixels: none that covers pixels beyond 48 sees the pattern.
    assert bool((energy[:, 13:] == 0).all())
    assert bool((energy[:, :8] > 0).all())


@pytest.mark.parametrize("size", [(48, 80), (8, 8)])
def test_densevlad_attends_to_nothing_where_there_is_nothing(size: tuple[int, int]) -> None:
    plain = torch.full((*size, 3), 77, dtype=torch.uint8)
    energy = residual_energy(plain, a_vocabulary(1.0, 0.7))
    assert energy.ndim == 2
    assert float(energy.max()) == 0


def test_a_fitted_densevlad_offers_its_energy_for_batches() -> None:
    vocabulary = a_vocabulary(1.0, 0.7)
    model = DenseVLAD(vocabulary=vocabulary, whitening=object())  # type: ignore[arg-type]  # not looked at
    images = photos(3)
    [energy] = attention_maps(model, images)
    assert energy.name == "residual energy"
    for row in range(3):
        torch.testing.assert_close(energy.values[row], residual_energy(as_tensor(images[row]), vocabulary))
    assert attention_maps(model, images[:0])[0].values.shape[0] == 0
