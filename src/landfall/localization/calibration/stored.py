"""The calibration that travels with an index, and when it is learned anew."""

from __future__ import annotations

import os
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, ValidationError

from landfall.datasets import spots
from landfall.errors import IndexStoreError
from landfall.files import write_text
from landfall.index import Change, FolderIndex, Index, changing
from landfall.localization.calibration.calibration import Calibration
from landfall.localization.calibration.features import CHECKED_FEATURES, FEATURES
from landfall.localization.calibration.fit import SAMPLE, Check, NoCalibration, calibrate
from landfall.localization.calibration.learnt import LearntFrom
from landfall.localization.photo_check import PhotoCheck
from landfall.models.fitting import fit_sample_of, learnt_from_photos

NAME = "calibration"
# An index that has grown or shrunk by no more than this is as dense as it was, so its calibration holds.
CHANGED_SHARE = 0.1
# Twenty matches of each are compared with it, twice: some hundred milliseconds a photo.
CHECKED_SAMPLE = 300


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    photos: int
    calibration: Calibration | None
    reason: str | None
    checked: Calibration | None = None


def index_calibration(index: Index) -> Calibration | NoCalibration:
    """Return what an index knows of how sure its answers may be.

    Raises:
        IndexStoreError: it is damaged.
    """
    stored = _read(index)
    if stored is None:
        return NoCalibration(f"it was never calibrated; `landfall index calibrate {index.path}` does it")
    if stored.calibration is None:
        return NoCalibration(stored.reason or "no reason was kept")
    if stored.calibration.features != FEATURES:
        return NoCalibration(
            f"it was calibrated by another Landfall; `landfall index calibrate {index.path}` does it anew"
        )
    return stored.calibration


def checked_calibration(index: Index) -> Calibration | None:
    """Return what an index knows of answers whose matches were checked geometrically; None where nothing.

    Raises:
        IndexStoreError: it is damaged.
    """
    stored = _read(index)
    if stored is None or stored.checked is None or stored.checked.features != CHECKED_FEATURES:
        return None
    return stored.checked


def calibrate_index(
    path: str | os.PathLike[str],
    *,
    check: bool = False,
    seed: int = 0,
    device: str | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Callable[[int, int], None] | None = None,
) -> Index:
    """Learn an index's calibration and keep it in the index.

    Args:
        path: the index folder.
        check: learn it for answers whose matches are checked geometrically, too, from the photos themselves.
        seed: of the samples.
        device: where the search runs.
        say: told in a sentence what is being done.
        progress: called with the counts of photos checked geometrically so far and to check.

    Raises:
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    with changing(path, device=device) as change:
        return _learn(change, seed, device, say, check=check, progress=progress)


def keep_calibrated(
    index: Index,
    *,
    seed: int = 0,
    device: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Index:
    """Learn an index's calibration where there is none yet, or where the index has changed much since.

    Raises:
        IndexStoreError: it is being changed by another process, can't be written or is damaged.
    """
    stored = _read(index)
    if stored is not None and abs(len(index) - stored.photos) <= CHANGED_SHARE * stored.photos:
        return index
    with changing(index.path, device=device) as change:
        return _learn(change, seed, device, say, check=stored is not None and stored.checked is not None)


def _learn(
    change: Change,
    seed: int,
    device: str | None,
    say: Callable[[str], None],
    *,
    check: bool,
    progress: Callable[[int, int], None] | None = None,
) -> Index:
    index = change.index
    fitted = learnt_from_photos(index.manifest.model)
    whitened = isinstance(index, FolderIndex) and index.whitening is not None
    learnt = _learnt_from(index, seed) if fitted and not whitened else None

    def learn(sample: int, look: Check | None) -> Calibration | NoCalibration:
        return calibrate(
            index.descriptors,
            index.positions,
            index.taken_s,
            index.heading_deg,
            sample=sample,
            check=look,
            learnt=learnt,
            known_too_well=whitened or fitted,
            seed=seed,
            device=device,
            search=None if isinstance(index, FolderIndex) else index.search_rows,
            say=say,
        )

    learned = learn(SAMPLE, None)
    checked = None
    if check and isinstance(learned, Calibration):
        counter = PhotoCheck(index)
        found = learn(CHECKED_SAMPLE, lambda photos, rows: counter.rows(photos, rows, progress))
        if isinstance(found, Calibration):
            checked = found
        else:
            say(f"Answers that are checked geometrically can't be calibrated: {found.reason}.")
    if isinstance(learned, NoCalibration):
        say(f"The index can't be calibrated: {learned.reason}. Its answers will have no confidence.")
        stored = _Stored(photos=len(index), calibration=None, reason=learned.reason)
    else:
        say(learned.describe())
        stored = _Stored(photos=len(index), calibration=learned, reason=None, checked=checked)
    change.put(NAME, ".json", lambda path: write_text(path, stored.model_dump_json(indent=2) + "\n"))
    return change.commit()


def _learnt_from(index: Index, seed: int) -> LearntFrom | None:
    """Return which photos the index's model learnt from; None where it does not say."""
    sample = fit_sample_of(index.model)
    if sample is None:
        return None
    return LearntFrom.of(sample, index.content_hashes, spots(index.positions), seed=seed)


def _read(index: Index) -> _Stored | None:
    text = index.note(NAME)
    if text is None:
        return None
    try:
        return _Stored.model_validate_json(text)
    except ValidationError as error:
        raise IndexStoreError(
            f"The calibration of {index.path} can't be read ({str(error).splitlines()[0]}). "
            f"`landfall index calibrate {index.path}` makes it anew."
        ) from error
