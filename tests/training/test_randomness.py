from __future__ import annotations

import torch

from landfall.training.randomness import Purpose, numpy_generator, torch_generator


def test_a_place_has_its_numbers_whatever_ran_before() -> None:
    first = numpy_generator(3, Purpose.ROUND, 1, 2).random(4).tolist()
    numpy_generator(3, Purpose.ROUND, 0, 0).random(100)
    assert numpy_generator(3, Purpose.ROUND, 1, 2).random(4).tolist() == first
    drawn = torch.rand(4, generator=torch_generator(3, Purpose.AUGMENTATION, 1, 2))
    assert torch.equal(drawn, torch.rand(4, generator=torch_generator(3, Purpose.AUGMENTATION, 1, 2)))


def test_seeds_purposes_and_places_have_streams_of_their_own() -> None:
    places = [
        (seed, purpose, epoch, part)
        for seed in (0, 1)
        for purpose in Purpose
        for epoch in (0, 1)
        for part in (0, 1)
    ]
    assert len({float(numpy_generator(*place).random()) for place in places}) == len(places)
    assert len({torch_generator(*place).initial_seed() for place in places}) == len(places)
