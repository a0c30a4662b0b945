"""Building an index: list the photos, fit the model where it must be, describe, commit.

Every stage keeps its finished work in the index's ``building`` folder, so that a build that was killed goes
on when it is repeated and ends with the bytes of an undisturbed one. Descriptors are stored in half
precision: a number of 11 bits is off by far less than what tells two photos apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landfall.datasets import PhotoSet, load_photos
from landfall.errors import DatasetError, ModelError, UsageError
from landfall.extraction import Progress, extract
from landfall.index import Building, Index, begin
from landfall.index.milvus.address import parse_address
from landfall.index.milvus.building import MilvusBuilding
from landfall.localization.listed import check_any, fingerprint_of, first_reasons, source_of, told_path
from landfall.localization.photo_records import records_of, stamps_of
from landfall.localization.searching import check_kind
from landfall.localization.thumbnails import make_thumbnails, shown, thumbnails_work
from landfall.localization.upkeep import keep_up
from landfall.models import Model
from landfall.models.fitting import fit_and_keep, needs_fitting, with_input_spec
from landfall.photos import PhotoProblem

if TYPE_CHECKING:
    from landfall.photos import InputSpec

# The model's file in the building folder.
_MODEL = "model.safetensors"


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
    store: str | None = None,
    search: str | None = None,
    thumbnail_px: int | None = None,
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
        store: where photos and descriptors go, as "milvus://HOST:PORT/COLLECTION"; the folder by default.
        search: the kind of search in a folder; chosen by size and memory by default.
        thumbnail_px: longest side of a thumbnail that is kept of each photo, so that whoever may ask the
            index may see its photos; none is kept by default.
        seed: of the fit.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        say: told in a sentence what is being done.
        progress: told after each batch how far the description is, and then how far the thumbnails are.

    Raises:
        DatasetError: nothing to index at ``photos``; the message tells why.
        IndexStoreError: ``out`` is finished, unfinished with another plan, in use, or can't be written; or a
            photo went away while the others were described; or the store can't be reached or is taken.
        ModelError: the model can't be fitted on these photos, or is not what its card says.
        UnknownNameError: no kind of search has that name.
        UsageError: ``store`` is no address, or ``search`` is given with it.
    """
    address = None if store is None else parse_address(store)
    if address is not None and thumbnail_px is not None:
        raise UsageError("A store keeps no thumbnails; leave out --thumbnails, or --store.")
    if search is not None:
        check_kind(search)
        if address is not None:
            raise UsageError(
                f"Milvus searches by kinds of its own, and {search!r} is one of an index in a folder. Leave "
                "out --search, or say index=flat, ivf_flat or hnsw in the address: "
                f"--store '{replace(address, vector_index='hnsw')}'."
            )
    folder = told_path(photos)
    listing = load_photos(photos, workers=workers)
    placed = listing.photos.take(listing.photos.positions.known)
    check_any(photos, listing, placed)
    if spec is not None:
        model = with_input_spec(model, spec)
    plan = {
        "photos": folder,
        "photos with a position": len(placed),
        "list of photos and positions": fingerprint_of(placed),
        "model": model.card.name,
        "input height": model.card.height,
        "input width": model.card.width,
        "seed": seed,
        "batch size": batch_size,
    }
    if address is not None:
        plan["store"] = str(address)
    if thumbnail_px is not None:
        plan["thumbnails"] = thumbnail_px
    with begin(out, plan) as building:
        elsewhere = None if address is None else MilvusBuilding(building, address)
        if building.resumed:
            say(f"Going on with the unfinished build of {out}")
        try:
            model = _ready_model(building, model, placed, seed, say)
        except ModelError as error:
            # Nothing is described yet, so there is nothing to go on with; what was left out may be the cause.
            building.abandon()
            problems = (*listing.failed, *listing.without_position)
            left_out = f" Left out: {first_reasons(problems)}." if problems else ""
            raise ModelError(f"{error}{left_out}") from error
        say(f"Describing {len(placed)} photos with {model.card.name}")
        stamps = stamps_of(placed.paths)
        described = extract(
            placed.paths,
            placed.names,
            model,
            building.folder / "descriptors.npy",
            batch_size=batch_size,
            workers=workers,
            dtype="float16",
            existing="reuse",
            progress=progress,
        )
        if len(described) == 0:
            raise DatasetError(
                f"{photos}: none of its {len(placed)} photos with a position could be read. "
                + first_reasons(described.failures)
            )
        records = records_of(placed, stamps, described, workers=workers)
        thumbnails, not_shown = None, []
        if thumbnail_px is not None:
            say(f"Making thumbnails of {len(records)} photos")
            thumbnails = thumbnail_px, building.folder / thumbnails_work(thumbnail_px)
            not_shown = make_thumbnails(
                thumbnails[1],
                [shown(record, placed.root) for record in records],
                len(records),
                longest_side_px=thumbnail_px,
                workers=workers,
                progress=progress,
            )
        root, source = str(placed.root.resolve()), source_of(photos, listing)
        made = building.folder / _MODEL
        index: Index
        if elsewhere is None:
            index = building.commit(
                records, described.path, made, root=root, source=source, thumbnails=thumbnails
            )
        else:
            index = elsewhere.commit(records, described.path, made, root=root, source=source, say=say)
    index = keep_up(index, kind=search, seed=seed, say=say)
    return BuildReport(
        index=index,
        indexed=len(index),
        without_position=listing.without_position,
        failed=(*listing.failed, *described.failures, *not_shown),
        seconds=dict(described.seconds),
        resumed=building.resumed,
    )


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
