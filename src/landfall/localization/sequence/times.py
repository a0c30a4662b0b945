"""When the photos of a sequence were taken: their EXIF's word, else their names', else their order.

Positions are not read. A camera's own clock and a satellite's can't be told apart by hours, so photos whose
times know their zone and photos whose times don't are never ordered by time together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from landfall.cores import available_cores
from landfall.datasets.names import is_position_name, split_fields, timestamp
from landfall.errors import PhotoError
from landfall.photos import read_metadata

_TIMESTAMP_FIELD = 12
# Stands for the time of a photo that can't be read: it has no part in the sequence, so none is missed.
_UNREADABLE = datetime.min


@dataclass(frozen=True, eq=False)
class PhotoTimes:
    """Times of N photos.

    Attributes:
        seconds: (N,) from any beginning; 0 for a photo that can't be read, which has no part in a sequence.
        taken_at: the times as they were read; None for all where the order of names stands for them.
        remark: where the times come from, if not from what every photo says.
    """

    seconds: NDArray[np.float64]
    taken_at: tuple[datetime | None, ...]
    remark: str | None


def read_times(
    paths: Sequence[Path], names: Sequence[str], *, step_s: float, workers: int | None = None
) -> PhotoTimes:
    """Read when photos were taken.

    Args:
        paths: of the photos.
        names: what each is called; where times are of no use, photos are taken in the order of their names,
            numbers in them by their value.
        step_s: seconds between neighbours then.
        workers: threads that read photos; one a core by default.
    """
    with ThreadPoolExecutor(workers or available_cores()) as pool:
        taken = list(pool.map(_taken_at, paths))
    readable = [moment for moment in taken if moment is not _UNREADABLE]
    usable = [moment for moment in readable if moment is not None]
    trouble = _trouble(usable, len(readable))
    if trouble is None:
        moments = [None if moment is _UNREADABLE else moment for moment in taken]
        return PhotoTimes(np.array([_seconds(moment) for moment in moments]), tuple(moments), None)
    order = sorted(range(len(names)), key=lambda row: _natural(names[row]))
    seconds = np.empty(len(names))
    seconds[order] = np.arange(len(names)) * step_s
    remark = f"{trouble}, so the photos are joined in the order of their names, {step_s:g} s apart."
    return PhotoTimes(seconds, (None,) * len(names), remark)


def _seconds(moment: datetime | None) -> float:
    """Return seconds of a time; a camera's own clock is taken as it stands, since only differences count."""
    if moment is None:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _taken_at(path: Path) -> datetime | None:
    try:
        moment = read_metadata(path).taken_at
    except PhotoError:
        # Its fix says why; nothing is asked of it here.
        return _UNREADABLE
    if moment is None and is_position_name(path.name):
        moment = timestamp(split_fields(path.name)[_TIMESTAMP_FIELD])
    return moment


def _trouble(usable: Sequence[datetime], count: int) -> str | None:
    """Return why times can't order the photos, in words; None where they can."""
    if len(usable) < count:
        return f"{count - len(usable)} of {count} photos don't say when they were taken"
    if len({moment.tzinfo is None for moment in usable}) > 1:
        return "Some photos' times have a zone and others' have none"
    if count > 1 and len(set(usable)) == 1:
        return f"All {count} photos say the same time"
    return None


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts ``9.jpg`` before ``10.jpg``."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in parts]
