"""The calibration that travels with an index, and when it is learned anew."""

from __future__ import annotations

import os
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, ValidationError

from landfall.errors import IndexStoreError
from landfall.files import write_text
from landfall.index import Change, Index, changing
from landfall.localization.calibration.calibration import Calibration
from landfall.localization.calibration.features import FEATURES
from landfall.localization.calibration.fit import NoCalibration, calibrate

NAME = "calibration"
# An index that has grown or shrunk by no more than this is as dense as it was, so its calibration holds.
CHANGED_SHARE = 0.1


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    photos: int
    calibration: Calibration | None
    reason: str | None


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


def calibrate_index(
    path: str | os.PathLike[str],
    *,
    seed: int = 0,
    device: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Index:
    """Learn an index's calibration and keep it in the index.

    Raises:
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    with changing(path, device=device) as change:
        return _learn(change, seed, device, say)


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
        return _learn(change, seed, device, say)


def _learn(change: Change, seed: int, device: str | None, say: Callable[[str], None]) -> Index:
    index = change.index
    learned = calibrate(
        index.descriptors,
        index.positions,
        index.taken_s,
        index.heading_deg,
        seed=seed,
        device=device,
        say=say,
    )
    if isinstance(learned, NoCalibration):
        say(f"The index can't be calibrated: {learned.reason}. Its answers will have no confidence.")
        stored = _Stored(photos=len(index), calibration=None, reason=learned.reason)
    else:
        say(learned.describe())
        stored = _Stored(photos=len(index), calibration=learned, reason=None)
    change.put(NAME, ".json", lambda path: write_text(path, stored.model_dump_json(indent=2) + "\n"))
    return change.commit()


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
