"""Draw a city into a folder: a dataset in the standard layout, with positions in names and EXIF.

The town stands on the Dogger Bank, in the open North Sea: no real place is mistaken for it. It lies on the
central meridian of its UTM zone, where grid north is true north to a hundredth of a degree.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from landfall import files
from landfall.datasets.city.passes import DATABASE_PASS, PASSES
from landfall.datasets.city.plan import Plan
from landfall.datasets.city.route import shots
from landfall.datasets.city.sizes import SPLITS, CitySize, SizeName, resolve
from landfall.datasets.city.work import ORIGIN_EAST_M, ORIGIN_NORTH_M, ZONE, Job, draw_all, photo_name
from landfall.errors import UsageError

DRAWING_VERSION = 1
ROLES = ("database", "queries")
TINY_SHAPE = (120, 160)

_README = """A drawn city
============

These pictures are synthetic: a computer drew them from a seed. No such town exists; its positions lie in the
open North Sea. images/<split>/database was photographed on one pass, images/<split>/queries on others, at
another time of day and year and from elsewhere in the street. File names and EXIF carry the true positions;
city.json says how the city was drawn.
"""


def draw_city(
    out: Path, *, size: SizeName | CitySize = "demo", photos: int | None = None, seed: int = 0,
    device: str = "cpu", image_height: int | None = None, image_width: int | None = None,
    workers: int | None = None, batch_size: int = 16, progress: Callable[[int], None] | None = None,
) -> Path:  # fmt: skip
    """Draw a city, or finish drawing it.

    Photos that are already there are kept: a killed drawing goes on where it stopped, and the same arguments
    give the same bytes on the same machine. On another machine or device, rounding may change single
    pixels by a level or two.

    Args:
        out: the dataset's folder, made where it is missing.
        size: ``tiny`` (56 photos, 120 x 160), ``demo`` (402), ``large``, or a ``CitySize``.
        photos: how many in all, for ``large`` (10 000 where not given).
        seed: another seed, another city.
        device: where torch draws, ``cpu`` or ``cuda``.
        image_height, image_width: of the photos, in pixels; 240 x 320 (``tiny`` 120 x 160) where not given.
        workers: photos drawn at a time on a CPU; one for each core where not given.
        batch_size: photos drawn at a time on another device.
        progress: called with the number of photos finished so far, before the first and after each.

    Returns:
        ``out``, which ``load_dataset`` reads.

    Raises:
        UsageError: an unknown size, an impossible number of photos or image size, a device that isn't here,
            or a folder that holds another city or can't be written.
    """
    chosen = resolve(size, photos)
    height, width = TINY_SHAPE if chosen.name == "tiny" else (240, 320)
    height, width = image_height or height, image_width or width
    if not (32 <= height <= 4096 and 32 <= width <= 4096):
        raise UsageError(f"Photos of {height} x {width} pixels can't be drawn; choose 32 to 4096 each way.")
    if device != "cpu":
        _need_device(device)
    out = Path(out)
    plan, taken = shots(seed, chosen)
    paths = [out / "images" / shot.split / shot.role / photo_name(shot) for shot in taken]
    try:
        _claim(out, _description(chosen, seed, height, width, plan))
        for folder in {path.parent for path in paths}:
            folder.mkdir(parents=True, exist_ok=True)
        missing = [i for i, path in enumerate(paths) if not path.exists()]
        done = len(paths) - len(missing)
        if progress is not None:
            progress(done)
        if missing:
            from landfall.datasets.city.renderer import Renderer
            from landfall.datasets.city.town import furnish

            renderer = Renderer(furnish(plan), height=height, width=width, device=device)
            jobs = [Job(taken[i], paths[i]) for i in missing]
            drawing = draw_all(renderer, jobs, device=device, workers=workers, batch_size=batch_size)
            with closing(drawing):
                for finished in drawing:
                    done += finished
                    if progress is not None:
                        progress(done)
    except OSError as error:
        raise UsageError(
            f"{out} can't be drawn into: {error.strerror or error}. What is drawn so far is kept: mend that "
            "and run the same again, or choose another folder."
        ) from error
    return out


def _need_device(device: str) -> None:
    import torch

    try:
        torch.zeros(1, device=device).item()  # "meta" makes tensors, and has no numbers in them
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"Torch can't draw on the device {device!r} here ({reason}). Use 'cpu'.") from error


def _description(size: CitySize, seed: int, height: int, width: int, plan: Plan) -> dict[str, object]:
    passes = [
        {
            "name": each.name,
            "role": "database" if i == DATABASE_PASS else "queries",
            "start": each.start.isoformat(),
        }
        for i, each in enumerate(PASSES)
    ]
    return {
        "synthetic": True, "drawing_version": DRAWING_VERSION, "seed": seed, "size": size.name,
        "photos": {split: dict(zip(ROLES, size.of(split), strict=True)) for split in SPLITS},
        "step_m": size.step_m, "image_height": height, "image_width": width,
        "utm": {"zone": ZONE, "origin_east_m": ORIGIN_EAST_M, "origin_north_m": ORIGIN_NORTH_M},
        "town": {"width_m": round(plan.width_m, 1), "depth_m": round(plan.depth_m, 1)}, "passes": passes,
    }  # fmt: skip


def _claim(out: Path, description: dict[str, object]) -> None:
    """Write city.json and README.txt, or check that the city already begun here is the same."""
    card, readme = out / "city.json", out / "README.txt"
    if card.exists():
        old = files.read_json(card)
        if old is None:
            raise UsageError(
                f"{card} holds no JSON object, so what stands here is unknown. "
                "Draw into another folder, or remove this one."
            )
        differing = [key for key in description if old.get(key) != description[key]]
        if differing:
            raise UsageError(
                f"{out} holds a city drawn otherwise ({', '.join(differing)} differ). "
                "Draw into another folder, or with the arguments that city.json gives."
            )
        return
    # A claim that was killed has left these at most; city.json comes last.
    own = {readme.name, files.beside(readme).name, files.beside(card).name}
    if out.is_dir() and any(path.name not in own for path in out.iterdir()):
        raise UsageError(f"{out} is not empty and holds no city. Draw into a new folder.")
    out.mkdir(parents=True, exist_ok=True)
    import torch

    environment = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
                   "machine": platform.machine()}  # fmt: skip
    files.write_text(readme, _README)
    files.write_text(card, json.dumps({**description, "environment": environment}, indent=2) + "\n")
