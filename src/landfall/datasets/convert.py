"""Writing datasets anew: in the standard layout, with positions in names, or as one CSV."""

from __future__ import annotations

import csv
import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

import numpy as np

from landfall.datasets.dataset import Dataset
from landfall.datasets.name_columns import parse_names
from landfall.datasets.names import NameFields, fit_text, format_name, format_timestamp, parse_name
from landfall.datasets.photo_set import PhotoSet
from landfall.errors import DatasetError
from landfall.files import beside, written_beside
from landfall.geo import utm_letter
from landfall.photos import PhotoProblem

Target = Literal["standard", "csv"]
_COLUMNS = ("path", "split", "role", "east", "north", "zone", "letter", "lat", "lon", "heading", "time")
_LONGEST_ID = 80


@dataclass(frozen=True, slots=True)
class Conversion:
    """What was written.

    Attributes:
        out: the new dataset's folder or CSV file.
        written: how many photos are in it.
        skipped: photos that the new layout has no way to hold, each with the reason.
    """

    out: Path
    written: int
    skipped: tuple[PhotoProblem, ...]


def convert_dataset(
    datasets: Dataset | Sequence[Dataset],
    out: str | Path,
    *,
    to: Target = "standard",
    split: str = "test",
    link: bool = False,
) -> Conversion:
    """Write a dataset, or several splits of one, in another layout. Photos keep their bytes and suffix.

    The standard layout is a folder of photos with ``@`` names; a photo whose position is unknown has no such
    name and is skipped. A CSV lists the photos where they are. ``out`` appears only when it is complete.

    Args:
        datasets: what to write.
        out: the new folder or CSV file; must not exist.
        to: "standard" or "csv".
        split: what to call the split of a dataset that has none (standard layout only).
        link: make hard links in place of copies.

    Raises:
        DatasetError: ``out`` exists, two datasets of one split, no photo to write, or links are not possible.
    """
    sets = [datasets] if isinstance(datasets, Dataset) else list(datasets)
    out = Path(out)
    if to not in get_args(Target):
        raise DatasetError(f"Can't convert to {to!r}; expected one of {', '.join(get_args(Target))}.")
    splits = [dataset.split or split for dataset in sets]
    if len(set(splits)) < len(splits):
        raise DatasetError(f"Two of the datasets have one split ({', '.join(splits)}); give each split once.")
    if os.path.lexists(out):
        raise DatasetError(f"{out} exists already and is not overwritten. Give another name, or remove it.")
    if os.path.lexists(beside(out)):
        raise DatasetError(
            f"{beside(out)} exists: another conversion is running, or one was interrupted. "
            "If none is running, remove it and try again."
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    skipped: list[PhotoProblem] = []
    with written_beside(out) as working:
        if to == "csv":
            written = _write_table(sets, working)
        else:
            written, skipped = _write_standard(sets, splits, working, link=link)
    return Conversion(out, written, tuple(skipped))


def _write_standard(
    sets: Sequence[Dataset], splits: Sequence[str], folder: Path, *, link: bool
) -> tuple[int, list[PhotoProblem]]:
    written = 0
    skipped: list[PhotoProblem] = []
    for dataset, split in zip(sets, splits, strict=True):
        for part, photos in (("database", dataset.database), ("queries", dataset.queries)):
            names, problems = position_names(photos)
            skipped += problems
            if not names:
                raise DatasetError(
                    f"{dataset.label} has no {part} photo with a position, "
                    "and the standard layout needs some. Convert it to a CSV."
                )
            target = folder / "images" / split / part
            target.mkdir(parents=True)
            paths = photos.paths
            for row, name in names.items():
                _put(paths[row], target / name, link=link)
            written += len(names)
    return written, skipped


def position_names(photos: PhotoSet) -> tuple[dict[int, str], list[PhotoProblem]]:
    """Return row -> a new ``@`` name, unlike any other whatever the case, and the photos that can't have one.

    A name that already gives the photo's position is kept; otherwise the old name becomes the pano id.
    """
    positions = photos.positions
    columns = parse_names(photos.names)
    named = columns.positions
    kept = (named.east_m == positions.east_m) & (named.north_m == positions.north_m)
    kept &= (named.zone == positions.zone) & (named.south == positions.south)
    kept[list(columns.remarks)] = False
    letters = utm_letter(positions.lat).tolist()
    names: dict[int, str] = {}
    skipped: list[PhotoProblem] = []
    taken: set[str] = set()
    for row, name in enumerate(photos.names):
        path = PurePosixPath(name)
        if not np.isfinite(positions.east_m[row]):
            why = "no UTM so near a pole" if positions.known[row] else "its position is unknown"
            skipped.append(PhotoProblem(name, why))
            continue
        new, count = path.name, 1
        if not kept[row]:
            new = format_name(_fields(photos, row, path.stem, letters[row]), path.suffix)
        fields = parse_name(new) if new.lower() in taken else None
        while fields is not None and new.lower() in taken:
            count += 1
            new = format_name(replace(fields, note=f"{fields.note or ''}~{count}"), path.suffix)
        taken.add(new.lower())
        names[row] = new
    return names, skipped


def _fields(photos: PhotoSet, row: int, stem: str, letter: str) -> NameFields:
    positions = photos.positions
    zone, south = int(positions.zone[row]), bool(positions.south[row])
    if letter and (letter < "N") != south:
        # A hair across the equator from its zone's hemisphere, which is what must be read back.
        letter = "M" if south else "N"
    heading, moment = float(photos.heading_deg[row]), photos.taken_at[row]
    return NameFields(
        east_m=float(positions.east_m[row]),
        north_m=float(positions.north_m[row]),
        zone=zone or None,
        letter=letter or None,
        lat=float(positions.lat[row]) if zone else None,
        lon=float(positions.lon[row]) if zone else None,
        pano_id=fit_text(stem).encode()[:_LONGEST_ID].decode(errors="ignore"),
        heading_deg=None if np.isnan(heading) else heading,
        taken_at=None if np.isnat(moment) else moment.astype(object),
    )


def _put(source: Path, target: Path, *, link: bool) -> None:
    try:
        if link:
            os.link(source, target)
        else:
            shutil.copy2(source, target)
    except OSError as error:
        hint = " They are on different disks; copy in place of linking." if error.errno == errno.EXDEV else ""
        raise DatasetError(f"{source} can't be written to {target}: {error.strerror}.{hint}") from error


def _write_table(sets: Sequence[Dataset], path: Path) -> int:
    written = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for dataset in sets:
            for role, photos in (("database", dataset.database), ("query", dataset.queries)):
                writer.writerows(_rows(dataset, role, photos, path.parent))
                written += len(photos)
    if not written:
        raise DatasetError(f"{', '.join(dataset.label for dataset in sets)}: no photos to write.")
    return written


def _rows(dataset: Dataset, role: str, photos: PhotoSet, folder: Path) -> Iterator[list[str]]:
    positions = photos.positions
    letters = utm_letter(positions.lat).tolist()
    for row, path in enumerate(photos.paths):
        zone, moment = int(positions.zone[row]), photos.taken_at[row]
        numbers = (positions.lat[row], positions.lon[row], photos.heading_deg[row])
        lat, lon, heading = ("" if np.isnan(value) else repr(float(value)) for value in numbers)
        east, north = (
            "" if np.isnan(value) else repr(float(value))
            for value in (positions.east_m[row], positions.north_m[row])
        )
        letter = letters[row] if zone and (letters[row] < "N") == bool(positions.south[row]) else ""
        if zone and not letter:
            letter = "south" if positions.south[row] else "north"
        yield [
            Path(os.path.relpath(path, folder)).as_posix(),
            dataset.split or "",
            role,
            east,
            north,
            str(zone or ""),
            letter,
            lat,
            lon,
            heading,
            "" if np.isnat(moment) else format_timestamp(moment.astype(object)),
        ]
