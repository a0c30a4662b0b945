"""Which kind of search an index has: chosen by its size or by its owner, kept up as the index changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from landfall.errors import UsageError
from landfall.files import write_bytes, write_json
from landfall.index import FolderIndex, Index
from landfall.index.change import FolderChange, changing_folder
from landfall.index.kinds import KINDS, build_structure, choose_kind, load_structure
from landfall.index.kinds.report import SearchReport, measure_structure
from landfall.index.manifest import SEARCH
from landfall.localization.calibration.stored import NAME as CALIBRATION

# Of the machine's memory, what a search may hold; the rest is for the network, photos and other programs.
MEMORY_SHARE = 0.5
# Rows beyond a structure are searched exactly, so that up to this share of them costs little.
UNCOVERED_SHARE = 0.1

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


def tune_index(
    path: str | os.PathLike[str],
    kind: str | None = None,
    *,
    memory_bytes: int | None = None,
    seed: int = 0,
    say: Say = lambda _: None,
    progress: Progress = lambda _done, _of: None,
) -> FolderIndex:
    """Give an index a kind of search.

    Args:
        path: the index folder.
        kind: the kind's name; chosen by size and memory by default.
        memory_bytes: what a search may hold; half of the machine's by default.
        seed: of the structure's training.
        say: told in a sentence what is chosen and why, and what takes a while.
        progress: called with rows taken in, of how many.

    Raises:
        UnknownNameError: no kind has that name.
        UsageError: the index is too small for that kind.
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    of_store = (
        "Milvus searches by a kind of its own, chosen when photos were first stored. To change that, build "
        "anew with index=flat, ivf_flat or hnsw in the address of --store."
    )
    with changing_folder(path, of_store=of_store) as change:
        manifest = change.index.manifest
        choice = choose_kind(manifest.rows, manifest.descriptor_dim, memory_bytes or half_of_memory(), kind)
        say(choice.reason)
        if kind is None and choice.kind == "exact":
            if SEARCH not in manifest.derived:
                return change.index
            change.drop(SEARCH)
        else:
            _build(change, choice.kind, seed, say, progress)
        return change.commit()


def check_kind(kind: str) -> None:
    """Refuse the name of a kind that is none, before hours of description.

    Raises:
        UnknownNameError: names the close ones.
    """
    KINDS[kind]


def whiten_index(
    path: str | os.PathLike[str],
    dim: int,
    *,
    seed: int = 0,
    say: Say = lambda _: None,
    progress: Progress = lambda _done, _of: None,
) -> FolderIndex:
    """Whiten an index's descriptors to their first principal axes, fitted on themselves.

    They are stored so from then on, and queries go the same way. It makes an index smaller; whether it finds
    more or less depends on the model and the photos.

    Args:
        path: the index folder.
        dim: numbers of a descriptor from then on, at most; there are no more axes than photos.
        seed: of the sample that it is fitted on.
        say: told in a sentence what is done.
        progress: called with passes over the descriptors done, of how many.

    Raises:
        UsageError: the index is whitened already, or has not so many numbers.
        IndexStoreError: no index, or one that is being changed, can't be written or is damaged.
    """
    from landfall.index.kinds.whitening import fit_index_whitening

    of_store = "Milvus keeps vectors of one length for good. Build anew with a model of shorter descriptors."
    with changing_folder(path, of_store=of_store) as change:
        index = change.index
        if index.whitening is not None:
            raise UsageError(
                f"{path} is whitened already, to {index.manifest.descriptor_dim} numbers. What it was is no "
                "longer there: build it anew to whiten it otherwise."
            )
        whitening = fit_index_whitening(index.descriptors, dim, seed=seed, progress=progress)
        say(f"Whitening {len(index)} descriptors to {len(whitening.projection)} numbers")
        change.whiten(whitening)
        # What was learned from the descriptors as they were holds no more.
        change.drop(CALIBRATION)
        return change.commit()


def keep_searchable(
    index: Index,
    *,
    kind: str | None = None,
    say: Say = lambda _: None,
    progress: Progress = lambda _done, _of: None,
) -> Index:
    """Bring an index's kind of search up to date after a change; a store that searches by itself does that.

    Args:
        index: as it is after the change.
        kind: the kind it had before, where the change let go of it.
        say: told in a sentence what is done.
        progress: called with rows taken in, of how many.

    Raises:
        IndexStoreError: it is being changed by another process, can't be written or is damaged.
    """
    if not isinstance(index, FolderIndex):
        return index
    structure = index.structure
    if structure is None:
        manifest = index.manifest
        chosen = kind or choose_kind(manifest.rows, manifest.descriptor_dim, half_of_memory()).kind
        return index if chosen == "exact" else tune_index(index.path, kind, say=say, progress=progress)
    beyond = index.manifest.rows - structure.covered
    if structure.kind == "exact" or beyond <= UNCOVERED_SHARE * structure.covered:
        return index
    with changing_folder(index.path) as change:
        name = change.index.manifest.derived.get(SEARCH)
        if name is None:
            return change.index
        say(f"Taking {beyond} rows into the {structure.kind} search")
        grown = load_structure(change.folder / name)
        grown.add(change.index.stored, progress=progress)
        change.put_folder(SEARCH, grown.save)
        return change.commit()


def report_search(index: Index, folder: Path, *, seed: int = 0) -> SearchReport | None:
    """Measure an index's kind of search against exact search and write it as JSON and as a plot.

    Args:
        index: with a structure; one without has nothing to measure.
        folder: where ``search.json`` and ``search.png`` go; made if it is missing.
        seed: of the rows that play the queries.

    Returns:
        What was measured; None for an index that is searched exactly.
    """
    if not isinstance(index, FolderIndex) or index.structure is None:
        return None
    measured = measure_structure(index.structure, index.stored, seed=seed, device=index.device)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "search.json", measured.to_json())
    write_bytes(folder / "search.png", measured.plot())
    return measured


def half_of_memory() -> int:
    """Return half of this machine's memory in bytes."""
    return int(MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def _build(change: FolderChange, kind: str, seed: int, say: Say, progress: Progress) -> None:
    structure = build_structure(kind, change.index.stored, seed=seed, say=say, progress=progress)
    change.put_folder(SEARCH, structure.save)
