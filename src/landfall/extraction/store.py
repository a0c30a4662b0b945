"""Finished descriptors on disk: a plain ``.npy`` file and a JSON file beside it.

``OUT`` is an array (N, D) that any program can read; ``OUT.json`` says which photo each row is, which
model made it and which photos failed. The JSON file is written last: where it stands, the array is complete.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.errors import UsageError
from landfall.models.card import ModelCard
from landfall.photos import InputSpec, PhotoProblem

FORMAT = 1


@dataclass(frozen=True, eq=False)
class Descriptors:
    """Descriptors of N photos on disk.

    Args:
        path: the ``.npy`` file.
        names: (N,) each row's photo.
        rows: (N,) int64, each row's place in the list of photos that was given, ascending.
        content_hashes: (N,) hashes of the photos' bytes.
        failures: the photos that could not be described; they have no row.
        model: the card of the model that made them.
        spec: the size that the photos were brought to.
        seconds: what it took: ``total``, ``reading`` (waiting for photos), ``network`` and ``writing``.
        fingerprint: what the rows depend on; runs that agree in it give the same bytes.
    """

    path: Path
    names: tuple[str, ...]
    rows: NDArray[np.int64]
    content_hashes: tuple[str, ...]
    failures: tuple[PhotoProblem, ...]
    model: ModelCard
    spec: InputSpec
    seconds: Mapping[str, float]
    fingerprint: Mapping[str, Any] = field(repr=False)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Descriptors:
        """Open a finished file.

        Raises:
            UsageError: it is missing, unfinished, damaged, or of a newer Landfall.
        """
        path = Path(path)
        told = _read_result(path)
        opened = cls(
            path=path,
            names=tuple(told["names"]),
            rows=np.array(told["rows"], dtype=np.int64),
            content_hashes=tuple(told["content_hashes"]),
            failures=tuple(PhotoProblem(**failure) for failure in told["failures"]),
            model=ModelCard.model_validate(told["model"]),
            spec=InputSpec(**told["spec"]),
            seconds=told["seconds"],
            fingerprint=told["fingerprint"],
        )
        try:
            shape = opened.array.shape
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} can't be read as an array ({error}). Extract it again.") from error
        expected = (len(opened.names), told["dim"])
        if shape != expected:
            raise UsageError(
                f"{path} holds an array of shape {shape}, but {result_path(path).name} tells of {expected}. "
                "One of them is of another run: extract again."
            )
        return opened

    @cached_property
    def array(self) -> NDArray[np.floating]:
        """The descriptors (N, D), float32 or float16, mapped from the file and not read into memory."""
        mapped: NDArray[np.floating] = np.load(self.path, mmap_mode="r")
        return mapped

    @property
    def dim(self) -> int:
        """D, the length of a descriptor."""
        return int(self.array.shape[1])

    def __len__(self) -> int:
        return len(self.names)


def result_path(out: Path) -> Path:
    """Return where the JSON of descriptors at ``out`` stands."""
    return out.with_name(out.name + ".json")


def partial_path(out: Path) -> Path:
    """Return the folder that holds the unfinished work for ``out``."""
    return out.with_name(out.name + ".partial")


def result_document(
    names: list[str],
    rows: list[int],
    content_hashes: list[str],
    failures: list[PhotoProblem],
    fingerprint: Mapping[str, Any],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Return what the JSON beside an array says; what describes the model comes from the fingerprint."""
    return {
        "format": FORMAT,
        "dim": fingerprint["dim"],
        "dtype": fingerprint["dtype"],
        "model": {**fingerprint["model"], "sha256": fingerprint["weights"]},
        "spec": fingerprint["spec"],
        "seconds": {stage: round(value, 6) for stage, value in seconds.items()},
        "failures": [failure.to_dict() for failure in failures],
        "fingerprint": fingerprint,
        "names": names,
        "rows": rows,
        "content_hashes": content_hashes,
    }


def _read_result(path: Path) -> dict[str, Any]:
    beside = result_path(path)
    try:
        told = json.loads(beside.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if partial_path(path).is_dir():
            raise UsageError(f"{path} is not finished. Run the same extraction again to go on.") from None
        raise UsageError(
            f"{path} is no descriptors file of Landfall: {beside.name} is missing beside it. "
            "Make it with `landfall extract`."
        ) from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{beside} can't be read ({error}). Extract {path} again.") from error
    found = told.get("format") if isinstance(told, dict) else None
    if not isinstance(found, int):
        raise UsageError(f"{beside} is not the JSON of a descriptors file. Extract {path} again.")
    if found > FORMAT:
        raise UsageError(
            f"{path} has format {found}; this Landfall reads up to {FORMAT}. Update Landfall to read it."
        )
    checked: dict[str, Any] = told
    return checked
