"""Fixes as one self-contained page: a map, and each photo beside the indexed photos it was found by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from landfall.index import Index, Match
from landfall.localization.fix import Fix
from landfall.localization.outputs import UNCALIBRATED, says_uncalibrated
from landfall.localization.outputs.words import NOT_IN_INDEX, described
from landfall.localization.sequence import Track
from landfall.photos import thumbnail_reader
from landfall.rendering import (
    DATABASE_COLOR,
    FIX_COLOR,
    Lines,
    Page,
    Points,
    Popup,
    SheetPhoto,
    SheetRow,
    map_section,
    sheet_section,
    table,
)

MATCHES_SHOWN = 5
# A page of more pictures than this is slow to open; the others stand in the map without pictures.
PHOTOS_SHOWN = 200
_THUMBNAIL_PX = 240


def fixes_page(
    fixes: Sequence[Fix],
    index: Index,
    paths: Mapping[str, Path],
    *,
    track: Track | None = None,
    title: str = "Where the photos were taken",
) -> Page:
    """Return a page with a map of all fixes, the photos with their matches, and what went wrong.

    Args:
        fixes: of ``localize``.
        index: that they were found in; its photos are shown where they still are in the folder they were
            indexed from.
        paths: where the queries are, by the name that their fixes have.
        track: drawn as a line from photo to photo.
        title: of the page.
    """
    found = [fix for fix in fixes if fix.location is not None]
    failed = [fix for fix in fixes if fix.location is None]
    shown = found[:PHOTOS_SHOWN]
    read = thumbnail_reader(_THUMBNAIL_PX)
    pictures = {fix.photo: read(paths[fix.photo]) for fix in shown if fix.photo in paths}
    page = Page(title, subtitle=_subtitle(fixes, failed, index))
    layers: list[Points | Lines] = [
        _indexed_layer(index),
        *_track_layer(fixes, track),
        _fixes_layer(found, pictures),
    ]
    page.section("Map", map_section(layers))
    more = f"The first {len(shown)} of {len(found)} photos." if len(shown) < len(found) else ""
    rows = [_row(fix, index, read, pictures) for fix in shown]
    remarks = [UNCALIBRATED] if says_uncalibrated(fixes) else []
    remarks += [more] if more else []
    page.section("Photos and what they were found by", *remarks, sheet_section(rows))
    if failed:
        page.section("Not localized", table(("Photo", "Why"), [(fix.photo, fix.error) for fix in failed]))
    return page


def _subtitle(fixes: Sequence[Fix], failed: Sequence[Fix], index: Index) -> str:
    alike = sum(fix.in_index is not None for fix in fixes)
    parts = [f"{len(fixes) - len(failed)} photos found among {len(index)} with {index.manifest.model.name}"]
    if failed:
        parts.append(f"{len(failed)} failed")
    if alike:
        parts.append(f"{alike} are in the index themselves")
    return ", ".join(parts)


def _indexed_layer(index: Index) -> Points:
    positions = index.positions
    names = [Popup(photo.photo) for photo in index.photos()]
    return Points("Indexed photos", positions.lon, positions.lat, DATABASE_COLOR, popups=names, radius_px=3.0)


def _track_layer(fixes: Sequence[Fix], track: Track | None) -> list[Lines]:
    """Return the lines from each photo of the track to the next; no layer without a track."""
    if track is None:
        return []
    places = [place for row in track.rows if (place := fixes[row].location) is not None]
    lat, lon = np.array([place.lat for place in places]), np.array([place.lon for place in places])
    return [Lines("Track", lon[:-1], lat[:-1], lon[1:], lat[1:], FIX_COLOR)]


def _fixes_layer(found: Sequence[Fix], pictures: Mapping[str, bytes | None]) -> Points:
    places = [fix.location for fix in found if fix.location is not None]
    popups = []
    for fix, place in zip(found, places, strict=True):
        picture = pictures.get(fix.photo)
        popups.append(
            Popup(
                fix.photo,
                lines=(f"{place.lat:.6f}, {place.lon:.6f}", *described(fix)),
                thumbnails=() if picture is None else ((picture, ""),),
            )
        )
    lat, lon = np.array([place.lat for place in places]), np.array([place.lon for place in places])
    # A refused answer's radius would say where the photo is, if it were here at all.
    radii = [np.nan if fix.radius_m is None or fix.accepted is False else fix.radius_m for fix in found]
    return Points(
        "Localized photos",
        lon,
        lat,
        FIX_COLOR,
        popups=popups,
        radius_px=7.0,
        radius_m=np.array(radii, np.float64),
    )


def _row(
    fix: Fix,
    index: Index,
    read: Callable[[Path], bytes | None],
    pictures: Mapping[str, bytes | None],
) -> SheetRow:
    assert fix.location is not None  # only fixes with a position are given
    caption = f"{fix.location.lat:.6f}, {fix.location.lon:.6f}"
    if fix.accepted is False:
        caption += f" · {NOT_IN_INDEX}"
    elif fix.confidence is not None and fix.radius_m is not None:
        caption += f" · within {fix.radius_m:.0f} m (90 %) · sure to {100 * fix.confidence:.0f} %"
    if fix.in_index is not None:
        caption += f" · is in the index as {fix.in_index}"
    matches = [
        SheetPhoto(
            match.photo,
            None if (path := index.path_of(match.id)) is None else read(path),
            caption=f"{match.lat:.6f}, {match.lon:.6f} · distance {match.distance:.3f}{_agreeing(match)}",
        )
        for match in fix.matches[:MATCHES_SHOWN]
    ]
    return SheetRow(SheetPhoto(fix.photo, pictures.get(fix.photo), caption=caption), matches)


def _agreeing(match: Match) -> str:
    return "" if match.inliers is None else f" · {match.inliers} features agree"
