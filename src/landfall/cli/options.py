"""Options that several verbs share, spelt and explained once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from landfall.models import Model
    from landfall.photos import InputSpec

Device = Annotated[
    str | None,
    typer.Option(
        "--device", help="cpu, cuda, cuda:1 ...; default: a GPU where there is one.", metavar="NAME"
    ),
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Threads that read photos; default: one a core.")
]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, help="Photos described at once.")]
# What every generator of random numbers takes.
_LARGEST_SEED = 2**32 - 1
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=_LARGEST_SEED, help="Seed of everything drawn at random.")
]
Resize = Annotated[
    tuple[int, int] | None,
    typer.Option(
        "--resize", min=1, metavar="H W", help="Stretch photos to H x W pixels; default: what the model says."
    ),
]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write the answer as JSON to FILE (- for stdout)."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no remarks on stderr.")]
ModelName = Annotated[
    str | None,
    typer.Option("--model", metavar="MODEL", help="A checkpoint file or a name from 'landfall models list'."),
]
IndexPath = Annotated[
    Path, typer.Option("--index", metavar="INDEX", help="A folder made by 'landfall index build'.")
]


def input_spec(resize: tuple[int, int] | None, model: Model) -> InputSpec | None:
    """Return how photos are brought to the size that ``--resize`` asks for; None where the model's own holds.

    The model's way of resizing holds in either case: a network that learned from bicubic photos wants them.
    """
    if resize is None:
        return None
    return replace(model.card.input_spec, height=resize[0], width=resize[1])
