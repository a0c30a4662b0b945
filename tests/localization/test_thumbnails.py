"""Thumbnails of real files: made with every way into an index, upright, telling nothing but the picture."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.localization.conftest import PLACES, STEP_DEG, picture
from tests.localization.test_changing import KilledError, more, names, stop_after

from landfall.geo import LatLon
from landfall.index import FolderIndex, Index, verify_index
from landfall.localization import (
    add_photos,
    add_thumbnails,
    build_index,
    compact_index,
    merge_indexes,
    remove_photos,
    remove_thumbnails,
    update_index,
)
from landfall.models import Model
from landfall.photos import write_jpeg


def shown(index: Index, photo_id: int) -> NDArray[np.int16]:
    jpeg = index.thumbnail(photo_id)
    assert jpeg is not None
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image).astype(np.int16)


def check_shown(index: Index) -> None:
    """Check that each photo is shown by its own picture: two drawn ones differ by 85 levels on average."""
    for photo in index.photos():
        place = int(Path(photo.photo).stem)
        assert np.abs(shown(index, photo.id) - picture(place)).mean() < 20
        assert np.abs(shown(index, photo.id) - picture(place + 100)).mean() > 40


@pytest.fixture
def pictured(street: Path, network: Model, tmp_path: Path) -> Index:
    return build_index(street, tmp_path / "pictured.lf", model=network, thumbnail_px=64).index


def test_every_way_into_an_index_keeps_its_thumbnails_up(pictured: Index, street: Path) -> None:
    check_shown(pictured)
    path = pictured.path
    check_shown(add_photos(path, more(street.parent / "later", 6)).index)
    write_jpeg(street / "walk" / "1.jpg", picture(9), location=LatLon(52.0 + STEP_DEG, 0.5))
    (street / "walk" / "2.jpg").rename(street / "walk" / "02.jpg")
    more(street / "walk", 7)
    index = update_index(path, street).index
    known = names(index)
    assert np.abs(shown(index, known["walk/1.jpg"]) - picture(9)).mean() < 20
    assert np.abs(shown(index, known["walk/02.jpg"]) - picture(2)).mean() < 20
    assert np.abs(shown(index, known["walk/7.jpg"]) - picture(7)).mean() < 20
    gone = known["walk/3.jpg"]
    assert remove_photos(path, ids=[gone]).index.thumbnail(gone) is None
    index = compact_index(path).index
    assert isinstance(index, FolderIndex)
    told = index.manifest.thumbnails
    assert told is not None
    assert told.pictures == len(index) == PLACES + 1
    assert verify_index(path) == []


def test_thumbnails_come_to_an_index_and_leave_it(index: Index, street: Path) -> None:
    assert not index.has_thumbnails
    (street / "walk" / "4.jpg").unlink()
    report = add_thumbnails(index.path, longest_side_px=64)
    assert (report.changed, report.unchanged, len(report.failed)) == (PLACES - 1, 0, 1)
    assert report.failed[0].photo == "walk/4.jpg"
    assert "no such file" in report.failed[0].reason
    more(street / "walk", 4)  # not the same bytes: it has no height
    again = add_thumbnails(index.path)
    assert (again.changed, again.unchanged) == (0, PLACES - 1)
    assert "not those that were indexed" in again.failed[0].reason
    # Another size is made anew; what can't be keeps what it had.
    (street / "walk" / "0.jpg").unlink()
    smaller = add_thumbnails(index.path, longest_side_px=32).index
    assert [shown(smaller, i).shape[0] for i in (1, 2)] == [64, 32]
    assert isinstance(smaller, FolderIndex)
    told = smaller.manifest.thumbnails
    assert told is not None
    assert (told.longest_side_px, len(told.segments), told.pictures) == (32, 1, PLACES - 1)
    assert verify_index(index.path) == []
    bare = remove_thumbnails(index.path).index
    assert (bare.has_thumbnails, bare.thumbnail(1)) == (False, None)
    assert not list(index.path.glob("thumbnails*"))


def test_a_merge_brings_thumbnails_along_where_both_have_them(
    pictured: Index, street: Path, network: Model, tmp_path: Path
) -> None:
    later = more(tmp_path / "later", 6, 7)
    bare = build_index(later, tmp_path / "bare.lf", model=network).index
    other = Path(shutil.copytree(bare.path, tmp_path / "other.lf"))
    add_thumbnails(other, longest_side_px=32)
    into = Path(shutil.copytree(pictured.path, tmp_path / "into.lf"))
    said: list[str] = []
    merged = merge_indexes(into, [other], say=said.append).index
    known = names(merged)
    assert shown(merged, known["walk/0.jpg"]).shape[0] == 64
    assert shown(merged, known["6.jpg"]).shape[0] == 32
    assert "come along as they are: 32 pixels, not 64" in said[0]
    said.clear()
    into = Path(shutil.copytree(pictured.path, tmp_path / "into-2.lf"))
    merged = merge_indexes(into, [bare.path], say=said.append).index
    assert merged.thumbnail(names(merged)["6.jpg"]) is None
    assert "bare.lf has no thumbnails, so its photos come without" in said[0]
    said.clear()
    merged = merge_indexes(bare.path, [pictured.path], say=said.append).index
    assert not merged.has_thumbnails
    assert "are left out" in said[0]
    # A copy is a copy.
    check_shown(merge_indexes(tmp_path / "copy.lf", [pictured.path]).index)


def test_a_build_killed_among_its_thumbnails_goes_on(
    street: Path, network: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from landfall.localization import thumbnails

    monkeypatch.setattr(thumbnails, "_TOGETHER", 2)
    told: list[str] = []
    stop = stop_after(2)

    def killed(progress: object) -> None:
        if any("thumbnails" in text for text in told):
            stop(progress)  # type: ignore[arg-type]

    out = tmp_path / "i.lf"
    with pytest.raises(KilledError):
        build_index(street, out, model=network, thumbnail_px=64, say=told.append, progress=killed)
    drawn: list[object] = []
    draw = thumbnails._draw

    def counted(*given: object) -> object:
        drawn.append(given)
        return draw(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(thumbnails, "_draw", counted)
    report = build_index(street, out, model=network, thumbnail_px=64)
    assert report.resumed
    assert len(drawn) == PLACES - 2
    check_shown(report.index)


def test_a_thumbnail_tells_nothing_but_the_picture(street: Path, network: Model, tmp_path: Path) -> None:
    photo = street / "walk" / "0.jpg"
    with Image.open(photo) as image:
        exif = image.getexif()
        exif[0x0112] = 6  # the camera was turned
        image.save(photo, exif=exif, comment=b"taken by me", xmp=b"<x:xmpmeta>here</x:xmpmeta>")
    index = build_index(street, tmp_path / "i.lf", model=network, thumbnail_px=480).index
    jpeg = index.thumbnail(names(index)["walk/0.jpg"])
    assert jpeg is not None
    assert not any(word in jpeg for word in (b"Exif", b"taken by me", b"xmpmeta", b"ICC_PROFILE"))
    # Orientation 6: the stored left edge is the upright top edge (CIPA DC-008, 4.6.4 A).
    upright = np.rot90(picture(0), k=-1)
    assert np.abs(shown(index, names(index)["walk/0.jpg"]) - upright).mean() < 20
    # A photo that is small already keeps its size.
    assert shown(index, names(index)["walk/1.jpg"]).shape == (64, 64, 3)
