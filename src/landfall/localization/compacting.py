"""Giving back the room of removed photos, and making one file of many."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from landfall.index.change import changing_folder
from landfall.localization.change_report import ChangeReport
from landfall.localization.upkeep import keep_up


def compact_index(
    index_path: str | PathLike[str], *, half: bool = False, say: Callable[[str], None] = lambda _: None
) -> ChangeReport:
    """Write an index anew without what is left of removed photos; ids and answers stay as they are.

    An index that has nothing to give back is left alone.

    Args:
        index_path: the index folder.
        half: store descriptors in half precision from now on.
        say: told in a sentence what is done beside.

    Raises:
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    of_store = "Milvus gives back the room of removed photos by itself: there is nothing to do."
    with changing_folder(index_path, of_store=of_store) as change:
        index, manifest = change.index, change.index.manifest
        to_halve = half and manifest.descriptor_dtype != "float16"
        many = len(manifest.segments) > 1 or len(manifest.shown_files) > 1
        if not (manifest.dead_rows or many or to_halve):
            return ChangeReport(index=index, unchanged=len(index))
        kind = None if index.structure is None else index.structure.kind
        change.compact(half=half)
        index = change.commit()
    return ChangeReport(index=keep_up(index, kind=kind, say=say), unchanged=len(index))
