"""What painters are given: pixels of one sort as flat columns, and the light they stand in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from landfall.datasets.city.houses import COLUMN
from landfall.datasets.city.noise import Noise
from landfall.datasets.city.passes import environment_columns


class Light:
    """The passes' environments, one row a photo, looked up per pixel."""

    def __init__(self, table: Tensor) -> None:
        self._table = table
        self._present = {
            name: bool((table[:, place] != 0).any()) for name, place in environment_columns().items()
        }
        self._columns = environment_columns()

    def has(self, name: str) -> bool:
        """Whether any photo of the batch has this; if not, painters may skip the work."""
        return self._present[name]

    def __call__(self, name: str, photo: Tensor) -> Tensor:
        """A field for pixels of ``photo`` (n,): (n,) or (3, n), broadcastable."""
        values = self._table[:, self._columns[name]]
        # one photo at a time, as on a CPU, needs no look-up
        picked = values.expand(1, -1) if len(values) == 1 else values[photo]
        return picked.T if picked.shape[1] == 3 else picked[:, 0]


@dataclass(frozen=True)
class WallPixels:
    """Wall pixels as columns (n,).

    u along the wall from its left end, z above the street, metres. slope_u, slope_z: how far the ray
    moves along the wall and up for every metre it goes into it. pixel_u, pixel_z: a sample's size
    on the wall.
    """

    photo: Tensor
    facade: Tensor
    u: Tensor
    z: Tensor
    slope_u: Tensor
    slope_z: Tensor
    pixel_u: Tensor
    pixel_z: Tensor

    def take(self, rows: Tensor) -> WallPixels:
        """These pixels only."""
        return replace(
            self, **{name: getattr(self, name).index_select(0, rows) for name in self.__dataclass_fields__}
        )


@dataclass(frozen=True)
class Facades:
    """The facades' numbers by column (fields, F), and the signs' lettering."""

    table: Tensor
    letters: Tensor
    sign_codes: Tensor
    sign_lengths: Tensor

    def get(self, name: str, facade: Tensor) -> Tensor:
        """A field (n,) for pixels of these facades."""
        return self.table[COLUMN[name]].index_select(0, facade)

    def colour(self, name: str, facade: Tensor) -> Tensor:
        """A colour (3, n)."""
        first = COLUMN[f"{name}_r"]
        return self.table[first : first + 3].index_select(1, facade)


@dataclass(frozen=True)
class Studio:
    """What every painter may use."""

    light: Light
    facades: Facades
    noise: Noise


def colour(r: float, g: float, b: float, like: Tensor) -> Tensor:
    """A plain colour (3, 1)."""
    return torch.tensor([[r], [g], [b]], device=like.device)


def over(under: Tensor, paint: Tensor, cover: Tensor) -> Tensor:
    """Paint (3, n or 1) laid over colours (3, n) where ``cover`` (n,) says."""
    return torch.lerp(under, paint, cover.to(under.dtype))


WARM = (1.0, 0.58, 0.24)


def street_lamps(studio: Studio, photo: Tensor, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Warm light (3, n) that lamps throw on what stands at (x, y, z), in uneven pools."""
    if not studio.light.has("lights"):
        return torch.zeros(3, 1, device=x.device)
    pools = studio.noise.smooth_cloud(x * 0.55, y * 0.55)
    reach = torch.exp(-((z - 2.5).clamp(min=0.0) * 0.22))
    strength = studio.light("lights", photo) * reach * (0.04 + 0.34 * ((pools - 0.3) * 1.6).clamp(0.0, 1.0))
    return colour(*WARM, like=x) * strength
