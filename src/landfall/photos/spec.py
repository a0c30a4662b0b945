"""The size and interpolation in which a model wants its photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from landfall.errors import UsageError

Interpolation = Literal["bilinear", "bicubic"]


@dataclass(frozen=True)
class InputSpec:
    """What every photo is stretched to before a network sees it.

    Args:
        height, width: pixels of the upright photo; both ``None`` keep the photo's own size.
        interpolation: filter of the (always antialiased) resize.

    Raises:
        UsageError: one side without the other, a side below 1, an interpolation of another name.
    """

    height: int | None = 480
    width: int | None = 640
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        if (self.height is None) != (self.width is None):
            raise UsageError(
                f"The input size is {self.height} x {self.width} (height x width): give both, "
                "or neither for the photo's own size."
            )
        if any(side is not None and side < 1 for side in (self.height, self.width)):
            raise UsageError(
                f"The input size is {self.height} x {self.width} (height x width): sides must be 1 or more."
            )
        if self.interpolation not in ("bilinear", "bicubic"):
            raise UsageError(
                f"The interpolation is {self.interpolation!r}: expected 'bilinear' or 'bicubic'."
            )

    @property
    def size(self) -> tuple[int, int] | None:
        """``(width, height)`` in Pillow's order, or ``None`` for the photo's own size."""
        return None if self.height is None or self.width is None else (self.width, self.height)
