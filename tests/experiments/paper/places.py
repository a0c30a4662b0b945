"""Datasets that are planned and not read: names and positions are true, photos are a few bytes."""

from __future__ import annotations

from pathlib import Path

from landfall.datasets.names import NameFields, format_name

#: Metres from each place's query to its nearest database photo: so far apart that radii tell them apart.
NEAREST_M = (3.0, 4.0, 8.0, 8.0, 9.0, 15.0)


def make_places(root: Path) -> Path:
    """Make ``train`` and ``val`` of six places 1 km apart, two database photos and one query each."""
    for split in ("train", "val"):
        for place, nearest_m in enumerate(NEAREST_M):
            _touch(root / "images" / split / "database", 1000.0 * place, "a")
            _touch(root / "images" / split / "database", 1000.0 * place + 500.0, "b")
            _touch(root / "images" / split / "queries", 1000.0 * place - nearest_m, "q")
    return root


def _touch(folder: Path, east_m: float, note: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fields = NameFields(east_m=300_000.0 + east_m, north_m=5_790_000.0, zone=31, letter="U", note=note)
    (folder / format_name(fields)).write_bytes(b"photo")
