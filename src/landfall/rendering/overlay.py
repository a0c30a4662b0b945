"""Numbers laid over a photo as colours: the scale they share, and the blend."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

#: Perceptually uniform, legible in grey, and told apart by people of any colour vision.
_MAP = "viridis"
#: For numbers of either sign: neutral at zero, and as strong on both sides.
_SIGNED_MAP = "coolwarm"
#: Numbers that differ by less than this share of their size are shown as equal: full contrast would draw
#: rounding, or the noise of an untrained mask, as if it were structure.
_LEAST_SPAN = 0.05
#: Percent of the numbers that lie between the ends of the scale: one that stands out must not hide the rest.
_SHOWN = (1.0, 99.0)
#: How much of the overlay is colour; the rest is the photo in grey.
_OPACITY = 0.6


@dataclass(frozen=True, slots=True)
class ColorScale:
    """Which numbers the two ends of the colours stand for.

    Args:
        low, high: finite, low below high. With a negative ``low`` the colours are those of signed numbers.
        below, above: whether numbers beyond that end are shown as it is.
    """

    low: float
    high: float
    below: bool = False
    above: bool = False

    @classmethod
    def of(cls, values: Iterable[NDArray[np.floating]]) -> Self:
        """Return the scale that several arrays share: nearly from their least to their greatest number.

        It is symmetric around zero where there are negative ones, and wider where they hardly differ.
        """
        every = np.concatenate([np.ravel(array) for array in values] or [np.zeros(0)]).astype(np.float64)
        low, high = np.percentile(every, _SHOWN).tolist() if every.size else (0.0, 0.0)
        reach = max(abs(low), abs(high))
        if reach == 0:
            low, high = 0.0, 1.0
        elif low < 0:
            low, high = -reach, reach
        else:
            missing = max(0.0, _LEAST_SPAN * reach - (high - low))
            low, high = low - missing / 2, high + missing / 2
        return cls(low, high, below=bool((every < low).any()), above=bool((every > high).any()))

    @property
    def signed(self) -> bool:
        """Whether zero is in the middle."""
        return self.low < 0

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Numbers to mark on a colour bar, with as many digits as tell its ends apart."""
        decimals = min(max(0, 2 - math.floor(math.log10(self.high - self.low))), 12)
        low = f"{'≤ ' if self.below else ''}{self.low:.{decimals}f}".replace("-", "−")
        high = f"{'≥ ' if self.above else ''}{self.high:.{decimals}f}"
        zero = ((0.0, "0"),) if self.signed else ()
        return ((self.low, low), *zero, (self.high, high))

    def colors(self, values: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return the colours (..., 3) uint8 of numbers (...)."""
        share = np.clip((values - self.low) / (self.high - self.low), 0.0, 1.0)
        rgba: NDArray[np.uint8] = self.colormap()(share, bytes=True)
        return rgba[..., :3]

    def colormap(self) -> Colormap:
        """Return matplotlib's colour map."""
        from matplotlib import colormaps

        return colormaps[_SIGNED_MAP if self.signed else _MAP]


def overlay(photo: NDArray[np.uint8], heat: NDArray[np.floating], scale: ColorScale) -> NDArray[np.uint8]:
    """Return a photo in grey with a map's colours over it: (H, W, 3) uint8.

    Args:
        photo: (H, W, 3) RGB.
        heat: (h, w), enlarged bilinearly so that its outer edges are the photo's.
        scale: of the colours.
    """
    from PIL import Image

    height, width = photo.shape[:2]
    enlarged = Image.fromarray(heat.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    grey = np.asarray(Image.fromarray(photo).convert("L"), dtype=np.float32)[..., None]
    blended = (1 - _OPACITY) * grey + _OPACITY * scale.colors(np.asarray(enlarged))
    return np.rint(blended).astype(np.uint8)
