"""Which device a network runs on."""

from __future__ import annotations

import torch

from landfall.errors import ModelError


def resolve_device(device: str | torch.device | None) -> torch.device:
    """Return the device asked for; None takes CUDA where there is one, else the CPU.

    Raises:
        ModelError: no such kind of device, or none of it on this machine.
    """
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise ModelError(f"{device!r} is not a device. Use cpu, cuda, or cuda:N.") from error
    if wanted.type == "cuda" and (wanted.index or 0) >= torch.cuda.device_count():
        raise ModelError(
            f"Device {device} was asked for, and torch {torch.__version__} sees {torch.cuda.device_count()} "
            "CUDA devices here. Use cpu, or install a CUDA build of torch."
        )
    try:
        torch.zeros(1, device=wanted).item()  # a device may have a name and no numbers ("meta")
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(
            f"Device {device} can't be used here ({reason}). Use cpu, cuda, or cuda:N."
        ) from error
    return wanted
