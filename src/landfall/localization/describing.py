"""Describing the photos of a change, so that a change that was killed goes on when it is repeated."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence

from landfall.datasets import PhotoSet
from landfall.errors import ModelError
from landfall.extraction import Descriptors, Progress, extract
from landfall.files import read_json, write_json
from landfall.index import Change, Index
from landfall.index.change import writing
from landfall.localization.listed import fingerprint_of
from landfall.localization.photo_records import Stamp
from landfall.models import Model
from landfall.models.fitting import needs_fitting

_PLAN = "plan.json"


def describe_for(
    change: Change,
    placed: PhotoSet,
    stamps: Sequence[Stamp],
    what: str,
    *,
    batch_size: int,
    workers: int | None,
    say: Callable[[str], None],
    progress: Callable[[Progress], None] | None,
) -> Descriptors:
    """Describe photos with an index's own model into the change's work folder.

    Finished work of the same photos is gone on with; that of others is dropped. ``forget_work`` removes it
    when the change is committed.

    Args:
        change: of the index.
        placed: N photos, at least one.
        stamps: (N,) of their files.
        what: the change in words, for the person whose unfinished work is dropped.
        batch_size: photos described at once.
        workers: threads that read photos; one a core by default.
        say: told in a sentence what is being done.
        progress: told after each batch how far the description is.

    Raises:
        UsageError: the work folder can't be written, or the disk has no room.
    """
    index = change.index
    files = hashlib.blake2b(repr(list(stamps)).encode(), digest_size=8).hexdigest()
    plan = {"what": what, "photos": fingerprint_of(placed), "files": files, "batch size": batch_size}
    with writing(change.folder):
        earlier = read_json(change.work / _PLAN)
        if earlier == plan:
            say(f"Going on with an unfinished change: {what}")
        else:
            if earlier is not None:
                say(f"Dropped an unfinished change that was not repeated: {earlier.get('what')}")
            forget_work(change)
            change.work.mkdir()
            write_json(change.work / _PLAN, plan)
    say(f"Describing {len(placed)} photos with {index.manifest.model.name}")
    return extract(
        placed.paths,
        placed.names,
        index.model,
        change.work / "descriptors.npy",
        batch_size=batch_size,
        workers=workers,
        dtype=index.manifest.descriptor_dtype,
        existing="reuse",
        progress=progress,
    )


def forget_work(change: Change) -> None:
    """Remove a change's work folder, if there is one."""
    if change.work.exists():
        shutil.rmtree(change.work)


def check_same_model(index: Index, model: Model) -> None:
    """Look whether a model is the one that described an index.

    One that has still to be fitted on photos passes by its name: it was fitted when the index was built.

    Raises:
        ModelError: it is another.
    """
    own, asked = index.manifest.model, model.card
    same = own.name == asked.name if needs_fitting(model) else own.sha256 == asked.sha256
    if not same:
        raise ModelError(
            f"{index.path} was described by {own.name} ({_short(own.sha256)}), and {asked.name} "
            f"({_short(asked.sha256)}) was given. Descriptors of two models can't be compared: leave the "
            "model out to use the index's own, or build another index."
        )


def _short(sha256: str | None) -> str:
    return "not saved yet" if sha256 is None else f"sha256 {sha256[:12]}"
