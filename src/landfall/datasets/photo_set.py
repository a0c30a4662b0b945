"""Photos and what is known of where, when and in which direction they were taken, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.geo import Positions


@dataclass(frozen=True, eq=False)
class PhotoSet:
    """N photos below one folder. Row ``i`` of every column belongs to ``names[i]``.

    Attributes:
        root: the folder that the names are relative to.
        names: N paths relative to ``root`` with forward slashes. A table may also name a photo
            outside its own folder: that one's name is an absolute path.
        positions: N positions, NaN rows where unknown.
        heading_deg: (N,) float64, degrees clockwise from north, NaN where unknown.
        taken_at: (N,) datetime64[s], NaT where unknown.

    Raises:
        ValueError: columns of different lengths; a mistake in the code that made them.
    """

    root: Path
    names: tuple[str, ...]
    positions: Positions
    heading_deg: NDArray[np.float64]
    taken_at: NDArray[np.datetime64]

    def __post_init__(self) -> None:
        lengths = {
            "names": len(self.names),
            "positions": len(self.positions),
            "heading_deg": len(self.heading_deg),
            "taken_at": len(self.taken_at),
        }
        if len(set(lengths.values())) > 1:
            raise ValueError(f"The columns of a PhotoSet must be of one length, not {lengths}")

    @classmethod
    def of(
        cls,
        root: Path,
        names: tuple[str, ...],
        positions: Positions | None = None,
        *,
        heading_deg: NDArray[np.float64] | None = None,
        taken_at: NDArray[np.datetime64] | None = None,
    ) -> PhotoSet:
        """Return a set whose columns are unknown where they are left out."""
        count = len(names)
        return cls(
            root=root,
            names=names,
            positions=Positions.unknown(count) if positions is None else positions,
            heading_deg=np.full(count, np.nan) if heading_deg is None else heading_deg,
            taken_at=np.full(count, "NaT", dtype="datetime64[s]") if taken_at is None else taken_at,
        )

    @classmethod
    def empty(cls, root: Path) -> PhotoSet:
        """Return a set of no photos."""
        return cls.of(root, ())

    def __len__(self) -> int:
        return len(self.names)

    @property
    def paths(self) -> list[Path]:
        """The N files, in order."""
        return [self.root / name for name in self.names]

    def take(self, indices: NDArray[np.integer] | NDArray[np.bool_]) -> PhotoSet:
        """Return the photos at ``indices`` in that order, or those where a boolean mask (N,) is true."""
        rows = np.asarray(indices)
        if rows.dtype == np.bool_:
            if rows.shape != (len(self),):
                raise IndexError(f"A mask of shape {rows.shape} does not fit {len(self)} photos")
            rows = np.flatnonzero(rows)
        rows = rows.astype(np.int64)
        return PhotoSet(
            root=self.root,
            names=tuple(self.names[row] for row in rows.tolist()),
            positions=self.positions.take(rows),
            heading_deg=self.heading_deg[rows],
            taken_at=self.taken_at[rows],
        )
