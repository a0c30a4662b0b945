"""Which kind of index a folder is, and opening or changing it as that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from landfall.index.change import changing_folder
from landfall.index.interface import Change, Index
from landfall.index.manifest import store_of
from landfall.index.reader import FolderIndex, check_is_index


def open_index(path: str | os.PathLike[str], *, device: str | None = None) -> Index:
    """Open a finished index of either kind; ``Index.open`` says the rest."""
    folder = Path(path)
    check_is_index(folder)
    if store_of(folder) is None:
        return FolderIndex.open(folder, device=device)
    from landfall.index.milvus.reader import MilvusIndex

    return MilvusIndex.open(folder, device=device)


@contextmanager
def changing(
    path: str | os.PathLike[str], *, device: str | None = None, opened: Index | None = None
) -> Iterator[Change]:
    """Hold an index and give a change of it to be made; without ``commit``, nothing happens.

    Args:
        path: the index folder.
        device: where the index's model runs.
        opened: the index as it was opened some time ago, whose loaded model and device are used.

    Raises:
        IndexStoreError: no index, one that another process is changing, or one that can't be written.
    """
    folder = Path(path)
    check_is_index(folder)
    if store_of(folder) is None:
        kept = opened if isinstance(opened, FolderIndex) else None
        with changing_folder(folder, device=device, opened=kept) as change:
            yield change
        return
    from landfall.index.milvus.change import changing_milvus

    with changing_milvus(folder, device=device) as change:
        yield change
