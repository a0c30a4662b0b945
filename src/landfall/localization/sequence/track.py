"""A Track: the order of a sequence's photos, when each was taken, and what joining them changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Change = Literal["kept", "moved", "interpolated"]


@dataclass(frozen=True)
class Track:
    """One way through photos; rows are those of the fixes that it belongs to.

    Attributes:
        rows: the fixes of the track, in order of time.
        changes: what became of each of these: ``kept`` stands where its own matches put it (smoothed),
            ``moved`` stands at another candidate, ``interpolated`` between its neighbours.
        times: when each of these was taken, where its photo or name says so.
    """

    rows: tuple[int, ...]
    changes: tuple[Change, ...]
    times: tuple[datetime | None, ...]

    def by_row(self) -> dict[int, tuple[int, Change, datetime | None]]:
        """Return each fix's place in the track, from 1, its change and its time, by row."""
        return {
            row: (place, change, time)
            for place, (row, change, time) in enumerate(
                zip(self.rows, self.changes, self.times, strict=True), start=1
            )
        }
