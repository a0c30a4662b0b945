"""What follows every change of an index: its kind of search and its calibration are kept up to date."""

from __future__ import annotations

from collections.abc import Callable

from landfall.index import Index
from landfall.localization.calibration import keep_calibrated
from landfall.localization.searching import keep_searchable


def keep_up(
    index: Index,
    *,
    kind: str | None = None,
    seed: int = 0,
    say: Callable[[str], None] = lambda _: None,
) -> Index:
    """Return the index with what is worked out from its photos learned anew, as far as it has changed.

    Args:
        index: as it is after a change.
        kind: its kind of search before, where the change let go of it.
        seed: of what is drawn.
        say: told in a sentence what is done.

    Raises:
        IndexStoreError: it is being changed by another process, can't be written or is damaged. The change
            itself stands.
    """
    return keep_calibrated(
        keep_searchable(index, kind=kind, say=say), seed=seed, device=index.device, say=say
    )
