"""The models that have a name: weights that anyone can get, or that need none.

An entry takes a device and returns a model. What is called a name here never changes what it computes;
better weights get a new name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from landfall.registry import Registry

if TYPE_CHECKING:
    from landfall.models.model import Model
    from landfall.models.network import Network


class PublishedModel(Protocol):
    """Makes a published model; the first line of its docstring says what it is."""

    def __call__(self, *, device: str | None = None) -> Model:
        """Return the model on a device (None takes CUDA where there is one)."""
        ...


PUBLISHED: Registry[PublishedModel] = Registry("published model")


@PUBLISHED.register("resnet18-base")
def resnet18_base(*, device: str | None = None) -> Network:
    """ImageNet ResNet-18 cut at conv4, mean of the L2-normalised map: 256 numbers, downloaded once (45 MB).

    Raises:
        OfflineError: the weights are not in the cache and can't be downloaded.
    """
    return _imagenet("resnet18-base", "base", {}, device)


@PUBLISHED.register("resnet18-gem")
def resnet18_gem(*, device: str | None = None) -> Network:
    """ImageNet ResNet-18 cut at conv4, GeM p=3 without whitening: 256 numbers, downloaded once (45 MB).

    Raises:
        OfflineError: the weights are not in the cache and can't be downloaded.
    """
    return _imagenet("resnet18-gem", "gem", {"whitening": False}, device)


def _imagenet(name: str, head: str, head_options: dict[str, object], device: str | None) -> Network:
    # torch is loaded only for a network, not for the list of names.
    from landfall.models.creation import create_network
    from landfall.models.device import resolve_device

    network = create_network("resnet18", head, weights="imagenet", head_options=head_options, name=name)
    return network.eval().to(resolve_device(device))
