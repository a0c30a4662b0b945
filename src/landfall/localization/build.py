"""Building an index: list the photos, fit the model where it must be, describe, commit.

Every stage keeps its finished work in the index's ``building`` folder, so that a build that was killed goes
on when it is repeated and ends with the bytes of an undisturbed one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from landfall.cores import available_cores
from landfall.datasets import PhotoListing, PhotoSet, load_photos
from landfall.errors import DatasetError, IndexStoreError, ModelError, PhotoError
from landfall.extraction import Descriptors, Progress, extract
from landfall.index import Building, Index, PhotoRecord, begin
from landfall.models import Model
from landfall.models.fitting import fit_and_keep, needs_fitting, with_input_spec
from landfall.photos import PhotoMetadata, PhotoProblem, read_metadata

if TYPE_CHECKING:
    from landfall.photos import InputSpec

# The model's file in the building folder.
_MODEL = "model.safetensors"
# How many reasons an error lists before it says "and so on".
_REASONS_TOLD = 5


@dataclass(frozen=True)
class BuildReport:
    """What became of the photos of a build.

    Attributes:
        index: the finished index.
        indexed: how many photos it holds.
        without_position: photos that nothing is wrong with but that say not where they were taken.
        failed: photos, folders and table rows that could not be used, each with its reason.
        seconds: where the time went: reading, network, writing.
        resumed: whether an earlier, interrupted build was gone on with.
    """

    index: Index
    indexed: int
    without_position: tuple[PhotoProblem, ...]
    failed: tuple[PhotoProblem, ...]
    seconds: dict[str, float]
    resumed: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the report as ``landfall index build --json`` writes it."""
        skipped = [*self.without_position, *self.failed]
        return {
            "index": str(self.index.path),
            "indexed": self.indexed,
            "skipped": [problem.to_dict() for problem in skipped],
            "failed": len(self.failed),
            "model": self.index.manifest.model.name,
            "descriptor_dim": self.index.manifest.descriptor_dim,
            "seconds": self.seconds,
            "resumed": self.resumed,
        }


def build_index(
    photos: str | Path,
    out: str | PathLike[str],
    *,
    model: Model,
    spec: InputSpec | None = None,
    seed: int = 0,
    batch_size: int = 16,
    workers: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] | None = None,
) -> BuildReport:
    """Build an index of geotagged photos; an interrupted build goes on when it is repeated.

    Args:
        photos: a folder (at any depth), a CSV, or one photo.
        out: the index folder.
        model: what describes the photos; one that learns from them first (densevlad) is fitted here.
        spec: the size photos are brought to; the model card's by default. It becomes the index's own.
        seed: of the fit.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        say: told in a sentence what is being done.
        progress: told after each batch how far the description is.

    Raises:
        DatasetError: nothing to index at ``photos``; the message tells why.
        IndexStoreError: ``out`` is finished, unfinished with another plan, in use, or can't be written; or a
            photo went away while the others were described.
        ModelError: the model can't be fitted on these photos, or is not what its card says.
    """
    folder = _told_path(photos)
    listing = load_photos(photos, workers=workers)
    placed = listing.photos.take(listing.photos.positions.known)
    _check_any(photos, listing, placed)
    if spec is not None:
        model = with_input_spec(model, spec)
    plan = {
        "photos": folder,
        "photos with a position": len(placed),
        "list of photos and positions": _fingerprint(placed),
        "model": model.card.name,
        "input height": model.card.height,
        "input width": model.card.width,
        "seed": seed,
        "batch size": batch_size,
    }
    with begin(out, plan) as building:
        if building.resumed:
            say(f"Going on with the unfinished build of {out}")
        try:
            model = _ready_model(building, model, placed, seed, say)
        except ModelError as error:
            # Nothing is described yet, so there is nothing to go on with; what was left out may be the cause.
            building.abandon()
            problems = (*listing.failed, *listing.without_position)
            left_out = f" Left out: {_first_reasons(problems)}." if problems else ""
            raise ModelError(f"{error}{left_out}") from error
        say(f"Describing {len(placed)} photos with {model.card.name}")
        described = extract(
            placed.paths,
            placed.names,
            model,
            building.folder / "descriptors.npy",
            batch_size=batch_size,
            workers=workers,
            existing="reuse",
            progress=progress,
        )
        if len(described) == 0:
            raise DatasetError(
                f"{photos}: none of its {len(placed)} photos with a position could be read. "
                + _first_reasons(described.failures)
            )
        index = building.commit(
            _records(placed, described, workers),
            described.path,
            building.folder / _MODEL,
            root=str(placed.root.resolve()),
        )
    return BuildReport(
        index=index,
        indexed=len(index),
        without_position=listing.without_position,
        failed=(*listing.failed, *described.failures),
        seconds=dict(described.seconds),
        resumed=building.resumed,
    )


def _told_path(photos: str | Path) -> str:
    """Return where the photos are as the index will tell it, in UTF-8."""
    path = str(Path(photos).expanduser().resolve())
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(
            f"{path.encode(errors='backslashreplace').decode()}: its path is not valid UTF-8, and an index "
            "says where its photos were. Rename that folder."
        ) from error
    return path


def _ready_model(
    building: Building, model: Model, placed: PhotoSet, seed: int, say: Callable[[str], None]
) -> Model:
    """Return the model, fitted if it must be, and kept in the building folder."""
    kept = building.folder / _MODEL
    if needs_fitting(model):
        if not kept.exists():
            say(f"Fitting {model.card.name} on photos drawn from {len(placed)}")
        return fit_and_keep(model, placed.paths, kept, seed=seed)
    model.save(kept)
    return model


def _check_any(path: str | Path, listing: PhotoListing, placed: PhotoSet) -> None:
    if len(placed):
        return
    without, failed = listing.without_position, listing.failed
    found = len(listing.photos) + len(failed)
    if not found and listing.is_table:
        raise DatasetError(f"{path} lists no photos: it has a header and no rows.")
    if not found:
        raise DatasetError(
            f"{path} has no photos (and {listing.other_files} other files). Expected a folder that holds "
            "photos at any depth, or a CSV that lists them."
        )
    if not without:
        raise DatasetError(f"{path}: none of its {found} photos could be used: {_first_reasons(failed)}")
    why = f"{len(without)} have no position, {len(failed)} can't be used" if failed else "none has a position"
    raise DatasetError(
        f"{path}: none of its {found} photos can be indexed, because {why}. "
        "An index needs photos with GPS in their EXIF, standard '@' names with a UTM zone, or a CSV with "
        "path, lat and lon. " + _first_reasons((*without, *failed))
    )


def _first_reasons(problems: tuple[PhotoProblem, ...]) -> str:
    told = "; ".join(f"{problem.photo}: {problem.reason}" for problem in problems[:_REASONS_TOLD])
    return told + ("; and so on" if len(problems) > _REASONS_TOLD else "")


def _fingerprint(photos: PhotoSet) -> str:
    """Return a short hash of which photos are indexed, and where they were taken."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update("\0".join(photos.names).encode(errors="surrogateescape"))
    digest.update(np.round(np.stack([photos.positions.lat, photos.positions.lon]), 9).tobytes())
    return digest.hexdigest()


def _records(placed: PhotoSet, described: Descriptors, workers: int | None) -> list[PhotoRecord]:
    """Return what the index keeps of each described photo, numbered from 1 in the order of its rows."""
    indexed = placed.take(described.rows)
    paths = indexed.paths
    with ThreadPoolExecutor(workers or available_cores()) as pool:
        headers = list(pool.map(_header_and_size, paths))
    lat, lon = indexed.positions.lat.tolist(), indexed.positions.lon.tolist()
    headings, times = indexed.heading_deg.tolist(), indexed.taken_at.tolist()
    return [
        PhotoRecord(
            id=row + 1,
            photo=indexed.names[row],
            content_hash=described.content_hashes[row],
            lat=lat[row],
            lon=lon[row],
            altitude_m=header.altitude_m,
            # A name or a table says what its maker measured; the camera's own word comes second.
            heading_deg=header.heading_deg if np.isnan(headings[row]) else headings[row],
            taken_at=times[row] or header.taken_at,
            bytes=size,
            width=header.width,
            height=header.height,
            row=row,
        )
        for row, (header, size) in enumerate(headers)
    ]


def _header_and_size(path: Path) -> tuple[PhotoMetadata, int]:
    """Return a described photo's metadata and its file's bytes; it may have gone since it was described."""
    try:
        return read_metadata(path), path.stat().st_size
    except (PhotoError, OSError) as error:
        raise IndexStoreError(
            f"{error}: it was there when it was described. Put it back and run the same again, or delete the "
            "unfinished index to begin anew without it."
        ) from error
