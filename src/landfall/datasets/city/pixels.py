"""Picking pixels out of a batch of canvases, and putting their light back.

Flat positions and ``index_select`` take, on a CPU, a third of the time of brackets with three
index tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pixels:
    """Some pixels (n,) of a batch (B, C, R): flat position, and which photo, column and row that is."""

    flat: Tensor
    photo: Tensor
    column: Tensor
    row: Tensor

    def __len__(self) -> int:
        return len(self.flat)

    @staticmethod
    def where(mask: Tensor) -> Pixels:
        """The pixels at which ``mask`` (B, C, R) holds."""
        return Pixels.at(torch.nonzero(mask.reshape(-1))[:, 0], mask.shape)

    @staticmethod
    def at(flat: Tensor, shape: tuple[int, ...]) -> Pixels:
        """Pixels at flat positions of an array of this shape (B, C, R)."""
        batch, columns, rows = shape
        strip = torch.div(flat, rows, rounding_mode="floor")
        row = flat - strip * rows
        if batch == 1:
            return Pixels(flat, torch.zeros_like(strip), strip, row)
        photo = torch.div(strip, columns, rounding_mode="floor")
        return Pixels(flat, photo, strip - photo * columns, row)

    def of(self, values: Tensor) -> Tensor:
        """Values (n,) of an array (B, C, R) at these pixels."""
        return values.reshape(-1).index_select(0, self.flat)


def rows_of(table: Tensor, photo: Tensor, row: Tensor | None = None) -> Tensor:
    """Rows of a table for each pixel: (B, k) by photo, or (B, N, k) by photo and row.

    With one photo, a (1, k) table comes back as it is, to be broadcast.
    """
    if row is None:
        return table if len(table) == 1 else table.index_select(0, photo)
    if len(table) > 1:
        row = row + photo * table.shape[1]
    return table.reshape(-1, table.shape[-1]).index_select(0, row)
