"""How much of a city to draw: photos a split, and how far apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from landfall.errors import UsageError

SizeName = Literal["tiny", "demo", "large"]
SPLITS = ("train", "val", "test")
VIEWS_A_PLACE = 2
SMALLEST = 24
LARGEST = 200_000


@dataclass(frozen=True)
class CitySize:
    """Photos of each split, ``(database, queries)``; the camera stops every ``step_m`` metres."""

    name: str
    train: tuple[int, int]
    val: tuple[int, int]
    test: tuple[int, int]
    step_m: float = 10.0

    def __post_init__(self) -> None:
        for split in SPLITS:
            database, queries = self.of(split)
            if database < VIEWS_A_PLACE or queries < 1:
                raise UsageError(
                    f"City size {self.name!r} wants {database} database photos and {queries} queries in "
                    f"{split}; "
                    f"every split needs at least {VIEWS_A_PLACE} and 1. Ask for more photos."
                )

    def of(self, split: str) -> tuple[int, int]:
        """Database photos and queries of a split."""
        counts: tuple[int, int] = getattr(self, split)
        return counts

    @property
    def photos(self) -> int:
        """Photos in all."""
        return sum(sum(self.of(split)) for split in SPLITS)


SIZES = {
    "tiny": CitySize("tiny", train=(12, 4), val=(8, 4), test=(20, 8)),
    "demo": CitySize("demo", train=(66, 30), val=(40, 16), test=(180, 70)),
}
LARGE_DEFAULT = 10_000


def large(photos: int) -> CitySize:
    """Exactly this many photos: two thirds of them database, half for training, a sixth for validation.

    Raises:
        UsageError: fewer photos than three splits need, or more than a town is laid out for.
    """
    if not SMALLEST <= photos <= LARGEST:
        raise UsageError(
            f"A drawn city can have {SMALLEST} to {LARGEST} photos; {photos} were asked for. "
            "Choose a number between."
        )
    train, val = photos // 2, photos // 6
    counts = [train, val, photos - train - val]
    queries = [max(1, count * 3 // 10) for count in counts]
    parts = [(count - asked, asked) for count, asked in zip(counts, queries, strict=True)]
    return CitySize("large", train=parts[0], val=parts[1], test=parts[2])


def resolve(size: SizeName | CitySize, photos: int | None) -> CitySize:
    """The size that a name means.

    Raises:
        UsageError: an unknown name, or a number of photos for a size that has its own.
    """
    if size == "large":
        return large(LARGE_DEFAULT if photos is None else photos)
    if photos is not None:
        raise UsageError(
            f"A number of photos goes with size 'large' only, not with {size!r}. Leave one of them out."
        )
    if isinstance(size, CitySize):
        return size
    if size not in SIZES:
        raise UsageError(f"No city size is called {size!r}. Known: tiny, demo, large.")
    return SIZES[size]
