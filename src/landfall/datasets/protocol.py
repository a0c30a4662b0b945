"""Protocols: what a recall was measured on, so that numbers are put together only if they compare."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from landfall.datasets.dataset import Dataset
from landfall.datasets.photo_set import PhotoSet
from landfall.errors import UsageError

Denominator = Literal["all queries", "queries with a positive"]


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is compared, and how; two numbers belong in one column only if their hashes are the same.

    Attributes:
        name: for people, such as "cambridge/test 25 m, all queries".
        hash: 12 hexadecimal digits over the photos' names and positions (to a millimetre), thresholds and
            denominator. It depends on neither the root's path, nor the dataset's name, nor the photos' order.
        thresholds_m: distances within which a match is right, ascending.
        denominator: what recall is a share of.
    """

    name: str
    hash: str
    thresholds_m: tuple[float, ...]
    denominator: Denominator

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        thresholds_m: Iterable[float] = (25.0,),
        denominator: Denominator = "all queries",
    ) -> Protocol:
        """Return the protocol of evaluating ``dataset`` so.

        Raises:
            UsageError: no threshold, one that is not a positive number, or an unknown denominator.
        """
        thresholds = tuple(sorted({float(threshold) for threshold in thresholds_m}))
        if not thresholds or not all(np.isfinite(each) and each > 0 for each in thresholds):
            raise UsageError(f"Thresholds must be one or more positive numbers of metres, not {thresholds}.")
        if denominator not in get_args(Denominator):
            raise UsageError(f"The denominator is one of {get_args(Denominator)}, not {denominator!r}.")
        content = {
            "database": _rows(dataset.database),
            "queries": _rows(dataset.queries),
            "thresholds_mm": [round(threshold * 1000) for threshold in thresholds],
            "denominator": denominator,
        }
        digest = hashlib.blake2b(
            json.dumps(content, separators=(",", ":"), ensure_ascii=True).encode(), digest_size=6
        ).hexdigest()
        metres = ", ".join(f"{threshold:g}" for threshold in thresholds)
        return cls(f"{dataset.label} {metres} m, {denominator}", digest, thresholds, denominator)


def _rows(photos: PhotoSet) -> list[tuple[str, int, int, int, int] | tuple[str]]:
    """Return a row a photo, sorted: its name and, where known, zone, hemisphere and millimetres."""
    positions = photos.positions
    in_metres = np.isfinite(positions.east_m)
    # Near the poles there are no metres; 1e-8 degrees are about a millimetre.
    first = np.where(in_metres, positions.east_m * 1e3, positions.lat * 1e8)
    second = np.where(in_metres, positions.north_m * 1e3, positions.lon * 1e8)
    known = positions.known
    a = np.rint(np.where(known, first, 0)).astype(np.int64).tolist()
    b = np.rint(np.where(known, second, 0)).astype(np.int64).tolist()
    zones, south = positions.zone.tolist(), positions.south.astype(np.int64).tolist()
    return sorted(
        (name, zones[row], south[row], a[row], b[row]) if known[row] else (name,)
        for row, name in enumerate(photos.names)
    )
