"""Giving back the room of removed photos, and making one file of many."""

from __future__ import annotations

from os import PathLike

from landfall.index import changing
from landfall.localization.change_report import ChangeReport


def compact_index(index_path: str | PathLike[str], *, half: bool = False) -> ChangeReport:
    """Write an index anew without the descriptors of removed photos; ids and answers stay as they are.

    An index that has nothing to give back is left alone.

    Args:
        index_path: the index folder.
        half: store descriptors in half precision from now on.

    Raises:
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    with changing(index_path) as change:
        index, manifest = change.index, change.index.manifest
        to_halve = half and manifest.descriptor_dtype != "float16"
        if manifest.dead_rows or len(manifest.segments) > 1 or to_halve:
            change.compact(half=half)
            index = change.commit()
        return ChangeReport(index=index, unchanged=len(index))
