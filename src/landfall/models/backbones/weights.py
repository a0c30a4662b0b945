"""Weights for a backbone: from a file, or torchvision's ImageNet weights from their public address.

Files hold a flat state dict under torchvision's names. The whole network's file may be given: ``layer4`` and
``fc``, which the paper cuts off, are left over; nothing else may be.
"""

from __future__ import annotations

import hashlib
import pickle
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from landfall.errors import ModelError, OfflineError, WeightsError
from landfall.models.backbones.interface import Backbone
from landfall.models.cache import cache_folder
from landfall.models.state import load_state

_BASE_URL = "https://download.pytorch.org/models/"

#: torchvision's first ImageNet weights, as the paper used; the hexadecimal part begins the file's SHA-256.
IMAGENET_FILES = {
    "resnet18": "resnet18-f37072fd.pth",
    "resnet34": "resnet34-b627a593.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet101": "resnet101-63fe2227.pth",
    "resnet152": "resnet152-394f9c45.pth",
}

#: A server that says nothing for so long counts as out of reach.
TIMEOUT_S = 10.0

_PREFIXES = ("module.", "backbone.")
_CUT_OFF = ("layer4.", "fc.")


@dataclass(frozen=True, slots=True)
class WeightsOrigin:
    """Where a backbone's weights come from, for the model's card."""

    source: str
    licence: str


def load_weights(backbone: Backbone, name: str, weights: str | Path | None) -> WeightsOrigin:
    """Fill a backbone with weights.

    Args:
        backbone: what to fill.
        name: the backbone's registered name.
        weights: None keeps the random initialisation; "imagenet" takes torchvision's, downloaded once; else
            the path of a ``.safetensors``, ``.pth`` or ``.pt`` file.

    Returns:
        What the weights are.

    Raises:
        OfflineError: "imagenet", not in the cache, and the server can't be reached.
        WeightsError: a file that is no state dict, or whose tensors don't fit; every wrong name is listed.
        ModelError: no such file, or no ImageNet weights for this backbone.
    """
    if weights is None:
        return WeightsOrigin(source="random initialisation", licence="MIT")
    if weights == "imagenet":
        path = imagenet_file(name)
        origin = WeightsOrigin(source=f"torchvision ImageNet weights, {path.name}", licence="BSD-3-Clause")
    else:
        path = Path(weights)
        origin = WeightsOrigin(
            source=f"backbone weights from {path.name}", licence="that of the weights' file"
        )
    advice = (
        f"Give weights of a {name} under torchvision's names (layer4 and fc may be there), "
        "or choose the backbone that the file was made for."
    )
    load_state(backbone, _wanted(read_tensors(path), path), source=str(path), advice=advice)
    return origin


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a ``.safetensors``, ``.pth`` or ``.pt`` file; nothing in it is executed.

    Raises:
        ModelError: no such file, or another kind of file.
        WeightsError: a file that can't be read, or that holds something else than named tensors.
    """
    if not path.is_file():
        raise ModelError(
            f"{path}: no such weights file. Give a path, 'imagenet', or nothing for random weights."
        )
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"{path}: not a readable safetensors file ({error}). Get it again.") from error
    if path.suffix not in (".pth", ".pt"):
        raise ModelError(f"{path}: weights are read from .safetensors, .pth or .pt, not {path.suffix!r}.")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        what = str(error).partition("\n")[0] or type(error).__name__
        raise WeightsError(
            f"{path}: can't be read as plain tensors ({what}). It may be cut short, or "
            "hold code, which Landfall does not run: save the state dict alone."
        ) from error
    if not isinstance(found, Mapping) or not all(isinstance(t, Tensor) for t in found.values()):
        held = (
            f"the keys {', '.join(map(str, found))}" if isinstance(found, Mapping) else type(found).__name__
        )
        raise WeightsError(f"{path}: holds {held}; expected a state dict, names to tensors. Save that alone.")
    return dict(found)


def _wanted(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Return the tensors under the backbone's own names, without what the paper cuts off."""
    wanted: dict[str, Tensor] = {}
    for full_name, tensor in tensors.items():
        name = full_name
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        if name.startswith(_CUT_OFF):
            continue
        if name in wanted:
            raise WeightsError(f"{path}: holds {name} twice, with and without a prefix. Keep one of them.")
        wanted[name] = tensor
    return wanted


def imagenet_file(name: str) -> Path:
    """Return the path of torchvision's ImageNet weights for a backbone, downloaded if need be.

    Raises:
        OfflineError: not in the cache, and the server can't be reached.
        WeightsError: a file whose hash is not the published one.
        ModelError: no ImageNet weights are published for this backbone.
    """
    if name not in IMAGENET_FILES:
        raise ModelError(
            f"There are no ImageNet weights for {name!r}, only for {', '.join(IMAGENET_FILES)}. "
            "Give the path of a weights file."
        )
    filename = IMAGENET_FILES[name]
    path = cache_folder() / "weights" / filename
    prefix = filename.rpartition("-")[2].removesuffix(".pth")
    if path.is_file():
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not found.startswith(prefix):
            raise WeightsError(
                f"{path}: its SHA-256 begins with {found[:8]}, the published file's with {prefix}. "
                "Delete it and try again."
            )
        return path
    url = _BASE_URL + filename
    advice = (
        f"Download it elsewhere and put it at {path}, give weights=PATH of a file you have, "
        "or use the model 'densevlad', which needs no weights."
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _socket_timeout(TIMEOUT_S):
            # Writes beside, checks the hash, then renames.
            torch.hub.download_url_to_file(url, str(path), hash_prefix=prefix, progress=False)
    except OSError as error:  # urllib's URLError and HTTPError, timeouts, refused connections, a full disk
        raise OfflineError(f"{url} can't be downloaded ({error}). {advice}") from error
    except RuntimeError as error:  # how torch.hub reports a wrong hash
        raise WeightsError(f"{url} arrived damaged ({error}). Try again. {advice}") from error
    return path


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Let connections made inside give up after a time; torch.hub takes no timeout of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
