"""Loading a dataset from where it lies, whatever its layout."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from landfall.datasets.dataset import Dataset
from landfall.datasets.layouts import LAYOUTS, Layout
from landfall.datasets.os_errors import os_errors_told
from landfall.errors import DatasetError

DATASETS_FOLDER = "DATASETS_FOLDER"


def load_dataset(path_or_name: str | Path, split: str | None = None, *, layout: str = "auto") -> Dataset:
    """Load one split of a dataset.

    Args:
        path_or_name: a folder or a CSV file; or, if there is none of that path, a name under the folder
            that the environment variable ``DATASETS_FOLDER`` names.
        split: which split; None takes the only one, or all there is where the layout knows no splits.
        layout: a name of ``LAYOUTS``; "auto" takes the first that fits.

    Raises:
        DatasetError: nothing there, no layout fits (each says what it lacked), or no such split.
        UnknownNameError: no layout is called that.
    """
    with os_errors_told(path_or_name):
        root = _find(path_or_name)
        chosen = _recognise(root) if layout == "auto" else _demand(root, layout)
        taken = _choose_split(root, chosen, split)
        loaded = chosen.load(root, taken)
    return Dataset(
        name=root.stem if root.is_file() else root.name,
        split=taken,
        layout=chosen.name,
        root=root,
        database=loaded.database,
        queries=loaded.queries,
        problems=loaded.problems,
        left_out=loaded.left_out,
    )


def dataset_splits(path_or_name: str | Path, *, layout: str = "auto") -> tuple[str, ...]:
    """Return the splits of a dataset, sorted; none where its layout knows no splits.

    Raises:
        DatasetError: nothing there, or no layout fits.
        UnknownNameError: no layout is called that.
    """
    with os_errors_told(path_or_name):
        root = _find(path_or_name)
        return (_recognise(root) if layout == "auto" else _demand(root, layout)).splits(root)


def _find(path_or_name: str | Path) -> Path:
    given = Path(path_or_name).expanduser()
    if given.exists():
        # Made absolute, so that "." has a name; not resolved, so that a link keeps its own.
        return Path(os.path.abspath(given))  # noqa: PTH100
    folder = os.environ.get(DATASETS_FOLDER)
    if not folder:
        raise DatasetError(
            f"No dataset {str(path_or_name)!r}: there is no such file or folder, and it can't be a name, "
            f"since {DATASETS_FOLDER} is not set. Give a path, or set it to the folder of your datasets."
        )
    named = Path(os.path.abspath(Path(folder).expanduser() / given))  # noqa: PTH100
    if named.exists():
        return named
    try:
        names = sorted(entry.name for entry in Path(folder).expanduser().iterdir())
    except OSError as error:
        raise DatasetError(
            f"No dataset {str(path_or_name)!r}: {DATASETS_FOLDER} is {folder}, "
            f"which can't be read: {error.strerror}."
        ) from error
    close = get_close_matches(given.name, names, n=3, cutoff=0.5) or names[:10]
    raise DatasetError(
        f"No dataset {str(path_or_name)!r}: looked for that path and for {named}. "
        f"{DATASETS_FOLDER} holds {', '.join(close) or 'nothing'}."
    )


def _recognise(root: Path) -> Layout:
    lacks: list[str] = []
    for layout in LAYOUTS.values():
        missing = layout.missing(root)
        if missing is None:
            return layout
        lacks.append(f"  {layout.name}, which looks for {layout.looks_for}: {missing}")
    raise DatasetError(f"{root} is a dataset of no known layout.\n" + "\n".join(lacks))


def _demand(root: Path, name: str) -> Layout:
    layout = LAYOUTS[name]
    missing = layout.missing(root)
    if missing is not None:
        raise DatasetError(
            f"{root} is not of layout {name!r}, which looks for {layout.looks_for}: {missing}."
        )
    return layout


def _choose_split(root: Path, layout: Layout, split: str | None) -> str | None:
    splits = layout.splits(root)
    if split is None:
        if len(splits) > 1:
            raise DatasetError(f"{root} has the splits {', '.join(splits)}; say which one.")
        return splits[0] if splits else None
    if split in splits:
        return split
    if not splits:
        raise DatasetError(f"{root} has no split {split!r}: it has no splits at all. Leave the split out.")
    raise DatasetError(f"{root} has no split {split!r}; it has {', '.join(splits)}.")
