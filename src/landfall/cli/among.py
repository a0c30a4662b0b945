"""The options that say which of an index's photos to look among."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.errors import UsageError

if TYPE_CHECKING:
    from landfall.index import Among

_DISTANCE = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*(m|km)\s*", re.ASCII)
_DIRECTION = re.compile(r"\s*(-?\d+\.?\d*)\s*(?:\+-|±)\s*(\d+\.?\d*)\s*")
_DEFAULT_TOLERANCE_DEG = 45.0

Near = Annotated[
    str | None,
    typer.Option("--near", metavar="LAT,LON", help="Look only among photos near there; see --within."),
]
Within = Annotated[
    str | None, typer.Option("--within", metavar="DISTANCE", help="How near: 5km (the default) or 300m.")
]
TakenFrom = Annotated[
    str | None,
    typer.Option("--taken-from", metavar="TIME", help="Only among photos taken then or later: 2021-06-14."),
]
TakenTo = Annotated[
    str | None, typer.Option("--taken-to", metavar="TIME", help="Only among photos taken then or earlier.")
]
Heading = Annotated[
    str | None,
    typer.Option("--heading", metavar="DEG[+-DEG]", help="Only among photos that look that way: 90+-45."),
]
_DEFAULT_WITHIN_M = 5000.0


def among_of(
    near: str | None, within: str | None, taken_from: str | None, taken_to: str | None, heading: str | None
) -> Among | None:
    """Return what the options ask for; None where they ask nothing.

    Raises:
        UsageError: one that can't be understood, or ``--within`` without ``--near``.
    """
    if not any((near, within, taken_from, taken_to, heading)):
        return None
    from landfall.geo import parse_latlon
    from landfall.index import Among

    if near is None and within is not None:
        raise UsageError("--within says how near; say near where with --near LAT,LON, too.")
    toward = None if heading is None else parse_direction(heading)
    return Among(
        near=None if near is None else parse_latlon(near),
        within_m=None if near is None else _DEFAULT_WITHIN_M if within is None else parse_distance(within),
        taken_from=None if taken_from is None else parse_time(taken_from, end=False),
        taken_to=None if taken_to is None else parse_time(taken_to, end=True),
        heading_deg=None if toward is None else toward[0],
        heading_within_deg=None if toward is None else toward[1],
    )


def parse_distance(text: str) -> float:
    """Return the metres of ``300m`` or ``5km``.

    Raises:
        UsageError: no such thing; a number alone may be either, so it is none.
    """
    found = _DISTANCE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is no distance; expected a number with its unit, such as 300m or 5km.")
    return float(found[1]) * (1000.0 if found[2] == "km" else 1.0)


def parse_time(text: str, *, end: bool) -> datetime:
    """Return the moment of an ISO date or time.

    Args:
        text: ``2021-06-14``, ``2021-06-14T12:05`` and the like.
        end: a date alone is its last second instead of its first.

    Raises:
        UsageError: no such thing.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{text!r} is no time; expected 2021-06-14 or 2021-06-14T12:05.") from error
    whole_day = len(text.strip()) <= len("2021-06-14")
    return moment.replace(hour=23, minute=59, second=59) if end and whole_day else moment


def parse_direction(text: str) -> tuple[float, float]:
    """Return heading and tolerance in degrees of ``90`` or ``90+-30``.

    Raises:
        UsageError: no such thing.
    """
    found = _DIRECTION.fullmatch(text)
    if found is not None:
        return float(found[1]), float(found[2])
    try:
        return float(text), _DEFAULT_TOLERANCE_DEG
    except ValueError as error:
        raise UsageError(f"{text!r} is no heading; expected degrees from north: 90, or 90+-30.") from error
