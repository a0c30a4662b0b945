"""The passes: when the camera drove through town, and what light, season and weather it met."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, fields
from datetime import datetime

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Environment:
    """Light and season of a pass; colours in linear light, angles in degrees, 0..1 where not said."""

    sun_azimuth_deg: float
    sun_elevation_deg: float
    sun: Colour
    sky_light: Colour
    zenith: Colour
    horizon: Colour
    haze_m: float
    clouds: float
    overcast: float
    foliage: Colour
    foliage_light: Colour
    grass: Colour
    bare: float
    snow: float
    wet: float
    lights: float
    white_balance: Colour
    exposure: float
    noise: float
    vignette: float

    def row(self) -> list[float]:
        """All values, colours spread out, in the order of ``environment_columns``."""
        flat: list[float] = []
        for value in astuple(self):
            flat += list(value) if isinstance(value, tuple) else [value]
        return flat

    @property
    def towards_sun(self) -> Colour:
        """Unit vector (east, north, up)."""
        azimuth, elevation = math.radians(self.sun_azimuth_deg), math.radians(self.sun_elevation_deg)
        flat = math.cos(elevation)
        return flat * math.sin(azimuth), flat * math.cos(azimuth), math.sin(elevation)


def environment_columns() -> dict[str, slice]:
    """Where each field of ``Environment`` stands in its row."""
    columns: dict[str, slice] = {}
    at = 0
    for item in fields(Environment):
        width = 3 if "Colour" in str(item.type) else 1
        columns[item.name] = slice(at, at + width)
        at += width
    return columns


@dataclass(frozen=True)
class Pass:
    """One drive or walk through town.

    ``side`` is the camera's lateral place: -1 the left building line, 0 the middle, 1 the right one.
    ``turn_deg`` is how far headings stray from the database's.
    """

    name: str
    start: datetime
    side: tuple[float, float]
    camera_height_m: float
    turn_deg: float
    environment: Environment


DATABASE_PASS = 0

PASSES = (
    Pass(
        "summer noon, by car", datetime(2021, 6, 14, 12, 5), (0.2, 0.3), 2.4, 2.0,
        Environment(
            sun_azimuth_deg=196.0, sun_elevation_deg=57.0, sun=(1.85, 1.7, 1.46),
            sky_light=(0.5, 0.58, 0.72), zenith=(0.13, 0.3, 0.66), horizon=(0.62, 0.74, 0.86),
            haze_m=900.0, clouds=0.45, overcast=0.0, foliage=(0.05, 0.13, 0.025),
            foliage_light=(0.15, 0.28, 0.06), grass=(0.09, 0.17, 0.04), bare=0.0, snow=0.0, wet=0.0,
            lights=0.0, white_balance=(1.0, 1.0, 1.0), exposure=0.92, noise=0.008, vignette=0.22,
        ),
    ),
    Pass(
        "autumn afternoon, on foot", datetime(2021, 10, 19, 15, 40), (-0.65, -0.4), 1.65, 9.0,
        Environment(
            sun_azimuth_deg=248.0, sun_elevation_deg=21.0, sun=(2.0, 1.45, 0.88),
            sky_light=(0.42, 0.46, 0.55), zenith=(0.2, 0.34, 0.58), horizon=(0.86, 0.74, 0.58),
            haze_m=480.0, clouds=0.6, overcast=0.0, foliage=(0.24, 0.1, 0.02),
            foliage_light=(0.5, 0.25, 0.04), grass=(0.14, 0.15, 0.045), bare=0.0, snow=0.0, wet=0.0,
            lights=0.0, white_balance=(1.04, 1.0, 0.93), exposure=1.12, noise=0.012, vignette=0.3,
        ),
    ),
    Pass(
        "winter morning, snow", datetime(2022, 1, 22, 10, 30), (-0.4, -0.2), 2.1, 8.0,
        Environment(
            sun_azimuth_deg=150.0, sun_elevation_deg=12.0, sun=(0.28, 0.27, 0.27),
            sky_light=(0.98, 1.02, 1.08), zenith=(0.6, 0.64, 0.69), horizon=(0.78, 0.8, 0.82),
            haze_m=260.0, clouds=0.8, overcast=1.0, foliage=(0.05, 0.045, 0.04),
            foliage_light=(0.1, 0.09, 0.08), grass=(0.8, 0.83, 0.88), bare=1.0, snow=1.0, wet=0.0,
            lights=0.15, white_balance=(0.95, 1.0, 1.07), exposure=0.78, noise=0.01, vignette=0.2,
        ),
    ),
    Pass(
        "evening after rain", datetime(2021, 11, 6, 17, 15), (0.45, 0.75), 1.6, 9.0,
        Environment(
            sun_azimuth_deg=250.0, sun_elevation_deg=6.0, sun=(0.0, 0.0, 0.0),
            sky_light=(0.125, 0.155, 0.25), zenith=(0.035, 0.06, 0.17), horizon=(0.34, 0.24, 0.24),
            haze_m=380.0, clouds=0.7, overcast=0.0, foliage=(0.1, 0.06, 0.02),
            foliage_light=(0.22, 0.13, 0.04), grass=(0.07, 0.09, 0.03), bare=0.0, snow=0.0, wet=1.0,
            lights=1.0, white_balance=(1.06, 1.0, 0.94), exposure=2.1, noise=0.019, vignette=0.34,
        ),
    ),
    Pass(
        "overcast spring day", datetime(2022, 4, 9, 13, 20), (-0.7, 0.8), 1.75, 9.0,
        Environment(
            sun_azimuth_deg=200.0, sun_elevation_deg=40.0, sun=(0.22, 0.22, 0.21),
            sky_light=(0.92, 0.96, 1.0), zenith=(0.5, 0.56, 0.63), horizon=(0.74, 0.77, 0.8), haze_m=420.0,
            clouds=0.9, overcast=1.0, foliage=(0.09, 0.17, 0.03), foliage_light=(0.24, 0.38, 0.08),
            grass=(0.1, 0.2, 0.04), bare=0.0, snow=0.0, wet=0.45, lights=0.0,
            white_balance=(0.98, 1.0, 1.02), exposure=0.95, noise=0.01, vignette=0.25,
        ),
    ),
)  # fmt: skip
