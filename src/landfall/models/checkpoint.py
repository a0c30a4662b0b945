"""The checkpoint: one safetensors file that holds a model's weights and its ModelCard.

The file's metadata has one entry, ``landfall``: JSON with ``format`` (the number of this layout) and
``card``. One alone, because safetensors writes several in an order that changes from run to run, and the same
model should be the same bytes. Nothing in it is executed on loading, unlike a pickle. The card carries the
SHA-256 of the tensors, so that a file that was damaged or edited on its way is refused instead of describing
photos wrongly. Tensors are numpy arrays here: models without torch use the same file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from landfall.errors import ModelError, WeightsError
from landfall.files import written_beside
from landfall.models.card import ModelCard

#: Raised by one when an older Landfall could no longer read the file.
FORMAT = 1

KEY = "landfall"

Tensors = dict[str, npt.NDArray[Any]]


def hash_tensors(tensors: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return the SHA-256, in hex, of the tensors' names, dtypes, shapes and bytes, sorted by name."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = np.asarray(tensors[name], order="C")
        digest.update(f"{name}\0{tensor.dtype.str}\0{tensor.shape}\0".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def write_checkpoint(path: str | Path, tensors: Mapping[str, npt.NDArray[Any]], card: ModelCard) -> ModelCard:
    """Write weights and card to one file, which appears whole or not at all.

    Args:
        path: the file to write; an existing one is replaced.
        tensors: names to arrays of any shape, zero-dimensional ones included.
        card: the model's card; its ``sha256`` is filled in.

    Returns:
        The card as written.

    Raises:
        ModelError: the file can't be written.
    """
    path = Path(path)
    # order="C" and not ascontiguousarray, which would turn () into (1,).
    ordered = {name: np.asarray(tensors[name], order="C") for name in sorted(tensors)}
    written = card.model_copy(update={"sha256": hash_tensors(ordered)})
    metadata = {KEY: json.dumps({"format": FORMAT, "card": written.model_dump(mode="json")})}
    try:
        with written_beside(path) as working:
            working.touch()
            readers = working.stat().st_mode
            save_file(ordered, working, metadata=metadata)
            # safetensors lets only the owner read what it writes; here the user's own umask counts.
            working.chmod(readers)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{path}: the model can't be written ({error}). Choose a folder that exists and has room."
        ) from error
    return written


def read_card(path: str | Path) -> ModelCard:
    """Return a checkpoint's card without reading its weights.

    Raises:
        ModelError: no such file, or a file without a card that this version reads.
        WeightsError: not a safetensors file.
    """
    path = Path(path)
    return _parse_card(path, _read(path, with_tensors=False)[0])


def read_checkpoint(path: str | Path) -> tuple[ModelCard, Tensors]:
    """Return a checkpoint's card and tensors, after checking the tensors against the card's hash.

    Raises:
        ModelError: no such file, or a file without a card that this version reads.
        WeightsError: not a safetensors file, or tensors that are not what the card says (a damaged file).
    """
    path = Path(path)
    metadata, tensors = _read(path, with_tensors=True)
    card = _parse_card(path, metadata)
    found = hash_tensors(tensors)
    if card.sha256 != found:
        raise WeightsError(
            f"{path}: damaged: its tensors hash to {found[:12]}…, its card says "
            f"{card.sha256[:12] + '…' if card.sha256 else 'nothing'}. Copy or download the file again."
        )
    return card, tensors


def _read(path: Path, *, with_tensors: bool) -> tuple[dict[str, str], Tensors]:
    """Return a safetensors file's metadata and, where asked for, its tensors."""
    if not path.is_file():
        what = "is a folder, not a checkpoint file" if path.is_dir() else "no such file"
        raise ModelError(f"{path}: {what}. Give the path of a checkpoint that Landfall saved.")
    try:
        with safe_open(path, framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()} if with_tensors else {}  # noqa: SIM118
            return file.metadata() or {}, tensors
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            f"{path}: not a readable safetensors file ({error}). It may be cut short: copy or download it "
            "again. Landfall does not load pickles (.pth, .pt) as models."
        ) from error


def _told(metadata: Mapping[str, str]) -> dict[str, Any] | None:
    """Return what a file's metadata says of a model; None where it says nothing that can be read."""
    try:
        told = json.loads(metadata.get(KEY, "null"))
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _parse_card(path: Path, metadata: Mapping[str, str]) -> ModelCard:
    """Return the card in a file's metadata."""
    told = _told(metadata)
    if told is None:
        raise ModelError(
            f"{path}: has no model card, so it holds bare weights and not a model. For backbone weights make "
            f"a model of them first: `landfall models create --head netvlad --weights {path.name} --out M`."
        )
    number = told.get("format")
    if not isinstance(number, int) or not 1 <= number <= FORMAT:
        raise ModelError(
            f"{path}: has checkpoint format {number!r}, and this Landfall reads up to {FORMAT}. "
            "Upgrade Landfall, or ask for a file saved by an older version."
        )
    try:
        return ModelCard.model_validate(told.get("card"))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'card'}: {e['msg']}" for e in error.errors())
        raise ModelError(
            f"{path}: its model card can't be read ({wrong}). It was made by another version or edited by "
            "hand: load it with the Landfall that made it."
        ) from error
