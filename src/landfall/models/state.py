"""Strict loading of tensors into a module: all of them and no others, in the right sizes."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from landfall.errors import WeightsError


def load_state(module: nn.Module, tensors: Mapping[str, Tensor], *, source: str, advice: str) -> None:
    """Copy tensors into a module's parameters and buffers, or change nothing and raise.

    A missing ``num_batches_tracked`` is no error: files older than that counter lack it, and no output
    depends on it.

    Args:
        module: what to fill.
        tensors: a flat state dict.
        source: the file, for messages.
        advice: what the user should do when the tensors don't fit.

    Raises:
        WeightsError: names every tensor that is missing, unexpected or of the wrong size.
    """
    expected = module.state_dict()
    missing = [k for k in expected if k not in tensors and not k.endswith(".num_batches_tracked")]
    unexpected = [k for k in tensors if k not in expected]
    wrong_size = [
        f"{k} (found {tuple(tensors[k].shape)}, expected {tuple(expected[k].shape)})"
        for k in expected
        if k in tensors and tensors[k].shape != expected[k].shape
    ]
    problems = [
        f"{what}: {', '.join(names)}"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("wrong size", wrong_size))
        if names
    ]
    if problems:
        raise WeightsError(f"{source}: does not fit. {'; '.join(problems)}. {advice}")
    module.load_state_dict(expected | dict(tensors))
