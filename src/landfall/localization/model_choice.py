"""Which model describes an index's photos when nobody says."""

from __future__ import annotations

from collections.abc import Callable

from landfall.models import Model, load_model

# The model that needs no weights, and so can always be had.
WEIGHT_FREE = "densevlad"


def choose_model(
    name: str | None, *, device: str | None = None, say: Callable[[str], None] = lambda _: None
) -> Model:
    """Load the model that was named; without a name take the weight-free one, and say so.

    Raises:
        ModelError: no such model, or its file can't be used.
    """
    if name is not None:
        return load_model(name, device=device)
    say(
        f"No --model was given, so {WEIGHT_FREE} is used: it needs no weights and learns from your photos. "
        "Give the checkpoint of a network with --model to use that."
    )
    return load_model(WEIGHT_FREE, device=device)
