"""The picture of a checked match: both photos, their names, and lines for what agrees."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from landfall.errors import PhotoError
from landfall.localization.geometry import match_picture, verify
from landfall.localization.geometry import picture as module
from landfall.rendering import draw_matches

Pixels = NDArray[np.uint8]


def test_a_match_is_drawn_and_counted(
    tmp_path: Path, draw: Callable[..., Pixels], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = draw(1, 120, 160)
    Image.fromarray(scene).save(tmp_path / "a.png")
    Image.fromarray(np.roll(scene, 12, axis=1)).save(tmp_path / "b.png")
    [checked] = verify(tmp_path / "a.png", [tmp_path / "b.png"])
    told: dict[str, object] = {}

    def spy(*photos: object, **texts: object) -> bytes:
        told.update(texts, photos=photos)
        return draw_matches(*photos, **texts)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "draw_matches", spy)
    from_file = match_picture(tmp_path / "a.png", checked)
    assert told["title"] == f"{checked.inliers} pairs of local features agree on one homography"
    with Image.open(io.BytesIO(from_file)) as picture:
        assert picture.format == "PNG"
    assert match_picture(scene, checked) == from_file


def test_a_match_that_could_not_be_checked_says_why(tmp_path: Path, draw: Callable[..., Pixels]) -> None:
    [checked] = verify(draw(1, 120, 160), [tmp_path / "gone.png"])
    with pytest.raises(PhotoError, match=r"gone\.png: no such file"):
        match_picture(draw(1, 120, 160), checked)
