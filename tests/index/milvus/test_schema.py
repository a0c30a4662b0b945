"""Photos as entities: there and back, and the numbers they are known by."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.index.milvus.photos import records_of

from landfall.errors import IndexStoreError
from landfall.index.milvus.schema import (
    SCALARS,
    VECTOR,
    check_dimensions,
    entity_of,
    key_of,
    photo_id,
    record_of,
    root_of,
)
from landfall.index.records import PhotoRecord

VECTOR_2 = np.zeros(2, np.float32)
TIMES = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))]))


@given(
    st.builds(
        PhotoRecord,
        id=st.integers(0, 2**53 - 1),
        photo=st.text(max_size=30),
        content_hash=st.text("0123456789abcdef", min_size=32, max_size=32),
        lat=st.floats(-90, 90),
        lon=st.floats(-180, 180),
        altitude_m=st.none() | st.floats(-500, 9000),
        heading_deg=st.none() | st.floats(-720, 720),
        taken_at=st.none() | TIMES | st.datetimes(),
        bytes=st.integers(0, 2**40),
        width=st.integers(1, 2**20),
        height=st.integers(1, 2**20),
        row=st.just(3),
        folder=st.just(2),
        mtime_ns=st.none() | st.integers(-(2**60), 2**62),
    ),
    st.none() | st.text(min_size=1, max_size=30),
)
def test_there_and_back(record: PhotoRecord, root: str | None) -> None:
    entity = entity_of(record, root, VECTOR_2)
    assert record_of(entity, 2, 3) == record
    assert root_of(entity) == root
    assert set(entity) == {*SCALARS, VECTOR}
    assert not any(isinstance(value, float) and math.isnan(value) for value in entity.values())


@pytest.mark.parametrize(
    ("taken_at", "seconds"),
    [
        # As SQLite's strftime('%s') has it, which a folder index asks.
        (datetime(1970, 1, 1, 0, 0, 1, 900_000), 1.0),
        (datetime(1969, 12, 31, 23, 59, 58, 900_000, tzinfo=UTC), -2.0),
        (datetime(2024, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=2))), 1714972089.0),
    ],
)
def test_whole_seconds_as_in_a_folder_index(taken_at: datetime, seconds: float) -> None:
    record = replace(records_of(1)[0], taken_at=taken_at)
    assert entity_of(record, None, VECTOR_2)["taken_s"] == seconds


def test_a_number_is_of_folder_and_name_and_fits_a_double() -> None:
    given_to = {
        (root, name): photo_id(root, name) for root in (None, "", "a", "a/b") for name in ("b/c", "c", "")
    }
    assert len(set(given_to.values())) == len(given_to)
    assert all(0 <= number < 2**53 and float(number) == number for number in given_to.values())
    # It is what stored entities are known by, so that it must never change.
    assert photo_id("/photos", "a.jpg") == 2949717799507193
    assert key_of(None) != key_of("")


def test_too_long_a_name_is_told() -> None:
    record: Any = replace(records_of(1)[0], photo="ß" * 2049)
    with pytest.raises(IndexStoreError, match="more than 4096 bytes"):
        entity_of(record, None, VECTOR_2)


@pytest.mark.parametrize("dim", [1, 32_769])
def test_descriptors_that_milvus_does_not_take_are_refused(dim: int) -> None:
    check_dimensions(2)
    check_dimensions(32_768)
    with pytest.raises(IndexStoreError, match="Milvus takes 2 to 32768"):
        check_dimensions(dim)
