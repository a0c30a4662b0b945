"""What is drawn once for a triplet, what for each photo, and what each change does."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from landfall.training.augmentation import Augmentation
from landfall.training.recipe import AugmentationSection

TRIPLETS, PHOTOS, HEIGHT, WIDTH = 6, 4, 24, 32


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def changed(images: Tensor, drawn_by: int = 0, /, **options: float) -> Tensor:
    return Augmentation(AugmentationSection(**options))(images, generator(drawn_by))


@pytest.fixture
def images() -> Tensor:
    """Triplets that show one photo each, so that what is done to it can be compared."""
    each = torch.rand((TRIPLETS, 1, 3, HEIGHT, WIDTH), generator=generator(9)) * 0.8 + 0.1
    return each.expand(-1, PHOTOS, -1, -1, -1).contiguous()


GEOMETRIC = [{"flip": 0.5}, {"rotation_deg": 30.0}, {"crop": 0.5}, {"perspective": 0.3}]
PHOTOMETRIC = [{"brightness": 0.7}, {"contrast": 0.5}, {"saturation": 0.5}, {"hue": 0.5}, {"erasing": 1.0}]


def test_nothing_is_done_by_default(images: Tensor) -> None:
    assert torch.equal(changed(images), images)


@pytest.mark.parametrize("options", [*GEOMETRIC, {"flip": 0.5, "rotation_deg": 30.0, "crop": 0.6}])
def test_moves_are_the_same_for_a_triplet_and_differ_between_triplets(
    images: Tensor, options: dict[str, float]
) -> None:
    out = changed(images, **options)
    assert out.shape == images.shape
    for photo in range(1, PHOTOS):
        torch.testing.assert_close(out[:, photo], out[:, 0])
    moved = [not torch.allclose(out[t], images[t], atol=1e-3) for t in range(TRIPLETS)]
    assert any(moved)
    drawn = Augmentation(AugmentationSection(**options)).homographies(TRIPLETS, HEIGHT, WIDTH, generator())
    assert len({tuple(h.flatten().tolist()) for h in drawn}) > 1


@pytest.mark.parametrize("options", PHOTOMETRIC)
def test_colours_differ_between_the_photos_of_a_triplet(images: Tensor, options: dict[str, float]) -> None:
    out = changed(images, **options)
    assert not torch.allclose(out[:, 0], out[:, 1], atol=1e-3)
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize("options", [*GEOMETRIC, *PHOTOMETRIC])
def test_the_same_seed_draws_the_same(images: Tensor, options: dict[str, float]) -> None:
    assert torch.equal(changed(images, 4, **options), changed(images, 4, **options))
    assert not torch.equal(changed(images, 4, **options), changed(images, 5, **options))


def test_a_flip_mirrors_left_and_right(images: Tensor) -> None:
    torch.testing.assert_close(changed(images, flip=1.0), images.flip(-1), atol=1e-4, rtol=0)


def test_flips_are_as_frequent_as_asked() -> None:
    drawn = Augmentation(AugmentationSection(flip=0.25)).homographies(4000, HEIGHT, WIDTH, generator())
    # Three standard deviations of 4000 draws are 0.02.
    assert float((drawn[:, 0, 0] < 0).double().mean()) == pytest.approx(0.25, abs=0.021)


def test_a_rotation_turns_about_the_middle_by_at_most_what_is_asked() -> None:
    drawn = Augmentation(AugmentationSection(rotation_deg=30.0)).homographies(500, HEIGHT, WIDTH, generator())
    angles = torch.atan2(drawn[:, 1, 0], drawn[:, 0, 0]).rad2deg()
    assert float(angles.abs().max()) <= 30.0 + 1e-6
    assert float(angles.abs().max()) > 29.0
    middle = torch.tensor([(WIDTH - 1) / 2, (HEIGHT - 1) / 2, 1.0], dtype=torch.float64)
    torch.testing.assert_close(drawn @ middle, middle.expand(500, 3), atol=1e-6, rtol=0)


def test_a_crop_keeps_at_least_its_share_and_stays_inside() -> None:
    drawn = Augmentation(AugmentationSection(crop=0.4)).homographies(500, HEIGHT, WIDTH, generator())
    corners = torch.tensor([[0, 0, 1], [WIDTH - 1, 0, 1], [WIDTH - 1, HEIGHT - 1, 1], [0, HEIGHT - 1, 1]])
    back = corners.double() @ torch.linalg.inv(drawn).transpose(1, 2)
    where = back[..., :2] / back[..., 2:]
    assert float(where.min()) >= -1e-6
    assert float(where[..., 0].max()) <= WIDTH - 1 + 1e-6
    assert float(where[..., 1].max()) <= HEIGHT - 1 + 1e-6
    share = (where[:, 1, 0] - where[:, 0, 0]) * (where[:, 3, 1] - where[:, 0, 1])
    share = share / ((WIDTH - 1) * (HEIGHT - 1))
    assert float(share.min()) >= 0.4 - 1e-6
    assert float(share.min()) < 0.45
    assert float(share.max()) > 0.95


def test_brightness_is_a_factor_within_its_spread() -> None:
    grey = torch.full((TRIPLETS, PHOTOS, 3, HEIGHT, WIDTH), 0.4)
    factors = changed(grey, brightness=0.5)[..., 0, 0] / 0.4
    assert float(factors.min()) >= 0.5 - 1e-5
    assert float(factors.max()) <= 1.5 + 1e-5
    assert float(factors.std()) > 0.1


def test_hue_leaves_grey_alone() -> None:
    grey = torch.full((2, 2, 3, HEIGHT, WIDTH), 0.4)
    torch.testing.assert_close(changed(grey, hue=0.5), grey, atol=1e-5, rtol=0)


def test_erasing_blackens_one_rectangle_of_its_share() -> None:
    white = torch.ones((40, 3, 3, 48, 64))
    black = (changed(white, erasing=0.5) == 0).all(dim=2).flatten(0, 1)
    erased = black.flatten(1).any(dim=1)
    # 120 photos, p = 0.5: three standard deviations are 0.14.
    assert float(erased.double().mean()) == pytest.approx(0.5, abs=0.14)
    for photo in black[erased]:
        tall, wide = photo.any(dim=1), photo.any(dim=0)
        assert int(photo.sum()) == int(tall.sum()) * int(wide.sum())
        assert 0.02 * 0.5 < int(photo.sum()) / photo.numel() < 0.33 * 1.2
    assert math.isclose(float(black[~erased].sum()), 0.0)
