"""A query and one of its matches side by side, with the local features that agree."""

from __future__ import annotations

from os import PathLike

import numpy as np
from numpy.typing import NDArray

from landfall.errors import PhotoError
from landfall.localization.geometry.check import Checked, Photo
from landfall.localization.geometry.reranking import LEAST_INLIERS
from landfall.photos import InputSpec, load_photo, read_metadata
from landfall.rendering import MatchPhoto, draw_matches

# Larger photos are shown at this size.
_LONGEST_SIDE_PX = 800
_MODELS = {"fundamental": "one epipolar geometry", "homography": "one homography", None: "no model"}


def match_picture(query: Photo, checked: Checked, *, query_name: str = "Query", title: str = "") -> bytes:
    """Return a PNG of a query beside a match, a line for each pair of features that agrees.

    Args:
        query: as it was given to ``verify``.
        checked: what ``verify`` says of the match.
        query_name: stands under the query.
        title: the heading; how many features agree, by default.

    Raises:
        PhotoError: one of the photos can't be read, now or when it was checked.
    """
    if checked.inliers is None or checked.geometry is None:
        raise PhotoError(str(checked.candidate), checked.reason or "it was not checked")
    pairs = len(checked.geometry.matches)
    chance = f"; fewer than {LEAST_INLIERS} may be chance" if checked.inliers < LEAST_INLIERS else ""
    count = (
        "1 pair of local features agrees"
        if checked.inliers == 1
        else f"{checked.inliers} pairs of local features agree"
    )
    return draw_matches(
        MatchPhoto(_pixels(query), query_name, checked.query_xy),
        MatchPhoto(
            _pixels(checked.candidate), f"Match {checked.rank}: {checked.candidate.name}", checked.match_xy
        ),
        title=title or f"{count} on {_MODELS[checked.geometry.kind]}",
        legend=f"of {pairs} that look alike{chance}",
    )


def _pixels(photo: Photo) -> NDArray[np.uint8]:
    if isinstance(photo, np.ndarray):
        return photo
    return _read(photo)


def _read(path: str | PathLike[str]) -> NDArray[np.uint8]:
    header = read_metadata(path)
    shrink = min(1.0, _LONGEST_SIDE_PX / max(header.height, header.width))
    size = max(1, round(header.height * shrink)), max(1, round(header.width * shrink))
    return load_photo(path, InputSpec(*size)).pixels
