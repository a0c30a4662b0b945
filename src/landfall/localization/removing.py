"""Taking photos out of an index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import PurePosixPath

from landfall.errors import UsageError
from landfall.index import Index, changing
from landfall.localization.change_report import ChangeReport
from landfall.localization.upkeep import keep_up

# Names compared letter by letter to find close ones; more would take longer than the message is worth.
_COMPARED = 20_000
_TOLD = 5


def remove_photos(
    index_path: str | PathLike[str],
    *,
    ids: Sequence[int] = (),
    names: Sequence[str] = (),
    pattern: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> ChangeReport:
    """Take out the photos that have one of ``ids`` or ``names``, or match ``pattern``: all of them, or none.

    Their descriptors are found no more and stay in the files until ``compact_index``.

    Args:
        index_path: the index folder.
        ids: numbers of photos.
        names: names of photos, as the index tells them.
        pattern: of names, with ``*``, ``?`` and ``[...]``; ``*`` stands for slashes, too.
        say: told in a sentence what is done beside.

    Raises:
        UsageError: nothing was asked for, or an id, a name or the pattern meets no photo, or a name meets
            several; nothing is removed then.
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    if not ids and not names and pattern is None:
        raise UsageError("Say which photos are to be removed: by name, by id, or by a pattern of names.")
    with changing(index_path) as change:
        index = change.index
        chosen = {*_with_ids(index, ids), *_with_names(index, names)}
        if pattern is not None:
            chosen.update(_matching(index, pattern))
        change.records.delete(sorted(chosen))
        index = change.commit()
    return ChangeReport(index=keep_up(index, say=say), removed=len(chosen))


def _with_ids(index: Index, ids: Sequence[int]) -> set[int]:
    found = {record.id for record in index.stored_records.of_ids(list(ids))}
    if unknown := sorted(set(ids) - found):
        every = sorted(index.ids.tolist(), key=lambda known: abs(known - unknown[0]))
        raise UsageError(
            f"{index.path} has no photo with id {_listed(unknown)}. Close ones: {_listed(every)}. "
            "`landfall index info --photos` lists all."
        )
    return found


def _with_names(index: Index, names: Sequence[str]) -> set[int]:
    found: dict[str, list[int]] = {}
    for record in index.stored_records.of_names(list(names)):
        found.setdefault(record.photo, []).append(record.id)
    if unknown := [name for name in names if name not in found]:
        raise UsageError(
            f"{index.path} has no photo called {_listed(unknown)}. {_close(unknown[0], index)}"
            "`landfall index info --photos` lists all."
        )
    for name, several in found.items():
        if len(several) > 1:
            raise UsageError(
                f"{index.path} has {len(several)} photos called {name}, of as many folders. Say which by id: "
                f"{_listed(several)}."
            )
    return {several[0] for several in found.values()}


def _matching(index: Index, pattern: str) -> list[int]:
    names = index.stored_records.texts("photo")
    ids = [
        photo_id
        for photo_id, name in zip(index.ids.tolist(), names, strict=True)
        if fnmatchcase(name, pattern)
    ]
    if not ids:
        raise UsageError(
            f"No photo of {index.path} matches {pattern!r}, such as {_listed(names) or 'none at all'}."
        )
    return ids


def _close(name: str, index: Index) -> str:
    """Return a sentence with the names that a person may have meant."""
    names = index.stored_records.texts("photo")
    own = PurePosixPath(name).name.lower()
    close = [known for known in names if PurePosixPath(known).name.lower() == own]
    close = close or get_close_matches(name, names[:_COMPARED], n=_TOLD, cutoff=0.6)
    return f"Did you mean {_listed(close)}? " if close else ""


def _listed(things: Sequence[object]) -> str:
    return ", ".join(map(str, things[:_TOLD])) + (", ..." if len(things) > _TOLD else "")
