"""Random numbers that depend on where in a training they are drawn, and on nothing that ran before.

No generator runs on from round to round: a resumed run draws what an undisturbed one would have.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch


class Purpose(IntEnum):
    """What numbers are for; two purposes never share a stream."""

    EPOCH = 0
    ROUND = 1
    AUGMENTATION = 2
    WEIGHTS = 3


def numpy_generator(seed: int, purpose: Purpose, *place: int) -> np.random.Generator:
    """Return the generator of a place in the training, such as (epoch, round)."""
    return np.random.default_rng(np.random.SeedSequence([seed, int(purpose), *place]))


def torch_generator(seed: int, purpose: Purpose, *place: int) -> torch.Generator:
    """Return the same for torch, on the CPU."""
    return torch.Generator().manual_seed(torch_seed(seed, purpose, *place))


def torch_seed(seed: int, purpose: Purpose, *place: int) -> int:
    """Return a 63-bit number that seeds torch at a place in the training."""
    state = np.random.SeedSequence([seed, int(purpose), *place]).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))
