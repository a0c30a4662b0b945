"""Small indexes whose photos tell by their names and numbers what their descriptors must be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from landfall.index import Change, FolderIndex, PhotoRecord, ThumbnailsWriting, begin
from landfall.index.change import FolderChange
from landfall.models import ModelCard
from landfall.models.checkpoint import write_checkpoint

DIM = 6
CARD = ModelCard(name="fake", family="fake", descriptor_dim=DIM, licence="MIT", source="tests")


def descriptor_of(photo_id: int) -> NDArray[np.float16]:
    """Return the unit descriptor (D,) that the photo of a number has."""
    drawn = np.random.default_rng(photo_id).normal(size=DIM)
    return np.asarray(drawn / np.linalg.norm(drawn)).astype(np.float16)


def descriptors_of(ids: Sequence[int]) -> NDArray[np.float16]:
    return np.stack([descriptor_of(each) for each in ids]) if ids else np.empty((0, DIM), np.float16)


def record(photo_id: int, row: int) -> PhotoRecord:
    return PhotoRecord(
        id=photo_id,
        photo=f"{photo_id}.jpg",
        content_hash=f"hash{photo_id}",
        lat=50 + photo_id / 1000,
        lon=8.0,
        altitude_m=None,
        heading_deg=None,
        taken_at=None,
        bytes=100,
        width=64,
        height=48,
        row=row,
        mtime_ns=photo_id,
    )


def thumbnail_of(photo_id: int) -> bytes:
    """Return what stands for the thumbnail of a photo, between a JPEG's first and last two bytes."""
    return b"\xff\xd8" + np.random.default_rng(photo_id).bytes(100 + photo_id % 7 * 1000) + b"\xff\xd9"


def put_thumbnails(file: ThumbnailsWriting, ids: Sequence[int]) -> None:
    file.put((f"hash{photo_id}", thumbnail_of(photo_id)) for photo_id in ids)


def any_changes(*, most_added: int, most: int) -> st.SearchStrategy[list[tuple[str, int]]]:
    """Changes in a row: photos added, those removed that ``removed`` picks by a number, or compacted."""
    step = st.one_of(
        st.tuples(st.just("add"), st.integers(1, most_added)),
        st.tuples(st.just("remove"), st.integers(0, 2**16)),
        st.tuples(st.just("compact"), st.just(0)),
    )
    return st.lists(step, max_size=most)


def removed(present: Sequence[int], number: int) -> list[int]:
    """Return the photos whose place among those present is a bit of the number."""
    return [photo_id for at, photo_id in enumerate(present) if number >> at & 1]


def built(out: Path, ids: Sequence[int], *, thumbnails: bool = False) -> FolderIndex:
    """Build an index of the photos of these numbers, with a model file that can be read."""
    with begin(out, {"photos": list(ids)}) as building:
        model = building.folder / "fitted.safetensors"
        write_checkpoint(model, {"weight": np.zeros(1, np.float32)}, CARD)
        records = [record(photo_id, row) for row, photo_id in enumerate(ids)]
        pictures = building.folder / "pictures.sqlite"
        with ThumbnailsWriting(pictures) as file:
            put_thumbnails(file, ids)
        return building.commit(
            records,
            descriptors_of(ids),
            model,
            root="/photos",
            source="/photos",
            thumbnails=(480, pictures) if thumbnails else None,
        )


def enter(change: Change, ids: Sequence[int]) -> None:
    """Add the photos of these numbers."""
    first = change.append(descriptors_of(ids))
    change.records.insert(record(photo_id, first + at) for at, photo_id in enumerate(ids))
    if isinstance(change, FolderChange) and change.thumbnail_px is not None:
        with change.writing_thumbnails() as file:
            put_thumbnails(file, ids)


def check(index: FolderIndex, ids: Sequence[int]) -> None:
    """Check that an index has these photos in this order, each with its descriptor and found by it."""
    assert len(index) == len(ids)
    assert index.records() == [record(photo_id, row) for row, photo_id in enumerate(ids)]
    assert [photo.id for photo in index.photos()] == list(ids)
    np.testing.assert_array_equal(np.asarray(index.descriptors), descriptors_of(ids))
    np.testing.assert_array_equal(index.positions.lat, [50 + photo_id / 1000 for photo_id in ids])
    for photo_id in ids:
        assert index.thumbnail(photo_id) == (thumbnail_of(photo_id) if index.has_thumbnails else None)
