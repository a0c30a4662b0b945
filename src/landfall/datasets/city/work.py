"""Drawing and writing many photos: side by side on a CPU, in batches on another device."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from landfall.cores import available_cores
from landfall.datasets.city.passes import PASSES
from landfall.datasets.city.route import Shot
from landfall.datasets.names import NameFields, format_name
from landfall.geo import LatLon, utm_letter, utm_to_latlon
from landfall.photos import write_jpeg

if TYPE_CHECKING:
    from landfall.datasets.city.renderer import Renderer

ZONE = 31
ORIGIN_EAST_M, ORIGIN_NORTH_M = 500_000.0, 6_062_000.0
GROUND_ALTITUDE_M = 12.0


@dataclass(frozen=True)
class Job:
    """A photo to draw and the file it goes to."""

    shot: Shot
    path: Path


def draw_all(
    renderer: Renderer, jobs: Sequence[Job], *, device: str = "cpu", workers: int | None = None,
    batch_size: int = 16,
) -> Generator[int]:  # fmt: skip
    """Draw and write photos; yields how many were finished each time.

    Args:
        renderer: of the town.
        jobs: what to draw.
        device: the renderer's.
        workers: photos drawn at a time on a CPU; one for each core where not given.
        batch_size: photos drawn at a time on another device.
    """
    import torch

    renderer.prepare({job.shot.view.visit for job in jobs})
    if not device.startswith("cpu"):
        for start in range(0, len(jobs), batch_size):
            batch = jobs[start : start + batch_size]
            for job, pixels in zip(batch, renderer.draw([job.shot.view for job in batch]), strict=True):
                _write(job, pixels)
            yield len(batch)
        return

    def work(job: Job) -> None:
        # One thread a photo: threads inside small tensor operations gain less than photos side by side,
        # and how torch cuts an operation into threads shows in its last bits.
        torch.set_num_threads(1)
        _write(job, renderer.draw([job.shot.view])[0])

    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers or available_cores())
    try:
        for _ in pool.map(work, jobs):
            yield 1
    finally:
        # Also reached when the caller stops early: what is still waiting is not drawn.
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def location(shot: Shot) -> tuple[float, float, LatLon]:
    """East and north in metres as the photo's name gives them, and the same place in degrees."""
    east, north = round(ORIGIN_EAST_M + shot.view.x, 2), round(ORIGIN_NORTH_M + shot.view.y, 2)
    lat, lon = utm_to_latlon(east, north, ZONE, False)
    return east, north, LatLon(float(lat), float(lon))


def photo_name(shot: Shot) -> str:
    """The photo's ``@`` name."""
    east, north, place = location(shot)
    view = shot.view
    return format_name(
        NameFields(
            east_m=east, north_m=north, zone=ZONE, letter=str(utm_letter(place.lat)),
            lat=place.lat, lon=place.lon, pano_id=f"c{shot.number:06d}",
            heading_deg=view.heading_deg, pitch_deg=view.pitch_deg, roll_deg=view.roll_deg,
            height_m=GROUND_ALTITUDE_M + view.z, taken_at=shot.taken_at,
            note=PASSES[view.visit].name.replace(",", "").replace(" ", "-"),
        )
    )  # fmt: skip


def _write(job: Job, pixels: NDArray[np.uint8]) -> None:
    shot = job.shot
    write_jpeg(
        job.path, pixels, location=location(shot)[2], altitude_m=round(GROUND_ALTITUDE_M + shot.view.z, 2),
        heading_deg=round(shot.view.heading_deg, 2), taken_at=shot.taken_at, quality=90,
    )  # fmt: skip
