"""Loading a model, by the path of its checkpoint or by a published name.

A checkpoint's card names the model's family; the family's loader, registered in `FAMILIES` by the module
that knows the weights, makes the model. That module is imported only then: a weight-free model loads
without torch.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol

from landfall.errors import ModelError, UnknownNameError
from landfall.models.card import ModelCard
from landfall.models.catalogue import models
from landfall.models.checkpoint import Tensors, read_checkpoint
from landfall.models.model import Model
from landfall.models.published import PUBLISHED
from landfall.registry import Registry


class FamilyLoader(Protocol):
    """Makes a model of what a checkpoint holds."""

    def __call__(self, card: ModelCard, tensors: Tensors, *, path: Path, device: str | None) -> Model:
        """Return the model, ready to describe.

        Args:
            card: the checkpoint's card.
            tensors: its arrays; the loader checks names and shapes, and raises WeightsError naming all wrong.
            path: the file, for messages.
            device: as in `load_model`.
        """
        ...


FAMILIES: Registry[FamilyLoader] = Registry("model family")

# The module that registers each family's loader.
_FAMILY_MODULES = {
    "densevlad": "landfall.models.densevlad",
    "network": "landfall.models.creation",
}


def load_model(path_or_name: str | Path, *, device: str | None = None) -> Model:
    """Return a model, ready to describe photos.

    Args:
        path_or_name: a checkpoint's path, or a published name (`catalogue.models`). A string that is a
            published name means that model; write ``./name`` for a file of that name.
        device: "cpu", "cuda", "cuda:1"; None takes CUDA where there is one. Ignored by models that run on
            the CPU only.

    Raises:
        ModelError: no such file or name, a card that this version can't read, a device that isn't there.
        WeightsError: tensors missing, unexpected, wrongly sized, or damaged.
        OfflineError: a published model whose weights must be downloaded, and no network.
    """
    if device is not None:
        # Also for a model that ignores it: a device that isn't there is a mistake worth telling.
        from landfall.models.device import resolve_device

        resolve_device(device)
    if isinstance(path_or_name, str) and path_or_name in models():
        return PUBLISHED[path_or_name](device=device)
    path = Path(path_or_name)
    if not path.exists():
        hint = str(UnknownNameError("model", str(path_or_name), models()))
        raise ModelError(f"{path_or_name}: no such checkpoint file. As a name: {hint}")
    card, tensors = read_checkpoint(path)
    if card.family not in _FAMILY_MODULES:
        raise ModelError(
            f"{path}: is of model family {card.family!r}; this Landfall knows {', '.join(_FAMILY_MODULES)}. "
            f"It was made by Landfall {card.landfall_version}: use that version or a newer one."
        )
    import_module(_FAMILY_MODULES[card.family])
    return FAMILIES[card.family](card, tensors, path=path, device=device)


#: The public name; what is loaded need not be a network in the narrow sense.
load_network = load_model
