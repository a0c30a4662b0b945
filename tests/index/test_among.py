from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from tests.index.changes import CARD, descriptors_of, record

from landfall.errors import UsageError
from landfall.geo import LatLon
from landfall.index import Among, Index, begin
from landfall.index.among import heading_mask, near_mask

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


@pytest.fixture
def index(tmp_path: Path) -> Index:
    """Six photos at lat 50.001 to 50.006 (some 111 m apart), with these headings and times."""
    headings = [None, 350.0, 10.0, 90.0, 180.0, 359.9]
    times = [
        None,
        NOON,
        NOON + timedelta(hours=1),
        datetime(2024, 5, 6, 14),  # a clock of no known zone
        datetime(2024, 5, 6, 17, tzinfo=timezone(timedelta(hours=2))),  # 15 o'clock UTC
        NOON + timedelta(hours=4, microseconds=500_000),
    ]
    ids = [1, 2, 3, 4, 5, 6]
    records = [
        replace(record(photo_id, row), heading_deg=headings[row], taken_at=times[row])
        for row, photo_id in enumerate(ids)
    ]
    with begin(tmp_path / "i.lf", {}) as building:
        (building.folder / "model").write_bytes(b"a model")
        return building.commit(records, descriptors_of(ids), building.folder / "model", card=CARD)


def ids_among(index: Index, among: Among) -> list[int]:
    found: list[int] = index.ids[index.rows_among(among)].tolist()
    return found


def test_each_condition_leaves_those_that_meet_it(index: Index) -> None:
    third = LatLon(50.003, 8.0)
    assert ids_among(index, Among()) == [1, 2, 3, 4, 5, 6]
    assert ids_among(index, Among(near=third, within_m=150)) == [2, 3, 4]
    assert ids_among(index, Among(near=third, within_m=0)) == [3]
    assert ids_among(index, Among(heading_deg=0, heading_within_deg=10)) == [2, 3, 6]
    assert ids_among(index, Among(heading_deg=720, heading_within_deg=0.2)) == [6]
    assert ids_among(index, Among(heading_deg=90, heading_within_deg=180)) == [2, 3, 4, 5, 6]
    assert ids_among(index, Among(taken_from=NOON + timedelta(hours=1))) == [3, 4, 5, 6]
    assert ids_among(index, Among(taken_to=NOON + timedelta(hours=3))) == [2, 3, 4, 5]
    assert ids_among(index, Among(taken_from=NOON, taken_to=NOON)) == [2]
    assert ids_among(
        index, Among(taken_from=datetime(2024, 5, 6, 14), taken_to=datetime(2024, 5, 6, 15))
    ) == [4, 5]
    both = Among(near=third, within_m=150, heading_deg=0, heading_within_deg=10)
    assert ids_among(index, both) == [2, 3]


def test_a_search_finds_only_those_that_meet_it(index: Index) -> None:
    among = Among(heading_deg=0, heading_within_deg=10)
    (found,) = index.search(descriptors_of([4]).astype(np.float32), 10, among=among)
    everything = index.search(descriptors_of([4]).astype(np.float32), 10)[0]
    expected = [match for match in everything if match.id in (2, 3, 6)]
    assert [match.id for match in found] == [match.id for match in expected]
    assert [match.distance for match in found] == [match.distance for match in expected]
    assert [match.rank for match in found] == [1, 2, 3]


def test_where_none_is_left_each_condition_says_how_many_it_leaves(index: Index) -> None:
    among = Among(near=LatLon(50.001, 8.0), within_m=10, heading_deg=90, heading_within_deg=5)
    with pytest.raises(UsageError, match=r"None of the 6 photos.*within 10 m of .*: 1; heading 90 .*: 1"):
        index.search(descriptors_of([1]).astype(np.float32), 1, among=among)


@given(
    st.floats(-89, 89),
    st.floats(-180, 180),
    st.floats(0, 360),
    st.floats(1, 2e6),
    st.sampled_from([0.999, 1.001]),
)
def test_nearness_is_that_of_the_ellipsoid_everywhere(
    lat: float, lon: float, azimuth_deg: float, distance_m: float, share: float
) -> None:
    # The other end of a geodesic of known length, from a published library; across the date line and poles.
    far_lon, far_lat, _ = Geod(ellps="WGS84").fwd(lon, lat, azimuth_deg, distance_m)
    mask = near_mask(
        np.array([far_lat, np.nan]), np.array([far_lon, 0.0]), LatLon(lat, lon), distance_m * share
    )
    assert mask.tolist() == [share > 1, False]


@given(st.floats(0, 360, exclude_max=True), st.floats(-720, 720), st.floats(0, 180))
def test_headings_go_round(heading: float, wanted: float, within: float) -> None:
    # By the chord between the two directions, which knows of no 360.
    chord = abs(np.exp(1j * np.radians(heading)) - np.exp(1j * np.radians(wanted)))
    apart = float(np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1))))
    if abs(apart - within) > 1e-5:
        assert heading_mask(np.array([heading, np.nan]), wanted, within).tolist() == [apart < within, False]


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ({"near": LatLon(0, 0)}, "go together"),
        ({"within_m": 5.0}, "go together"),
        ({"heading_deg": 5.0}, "go together"),
        ({"near": LatLon(0, 0), "within_m": float("nan")}, "within nan m"),
        ({"near": LatLon(0, 0), "within_m": -1.0}, "within -1.0 m"),
        ({"heading_deg": 5.0, "heading_within_deg": 181.0}, "0 to 180"),
        ({"heading_deg": float("inf"), "heading_within_deg": 1.0}, "no heading"),
        ({"taken_from": NOON, "taken_to": datetime(2024, 5, 6, 11)}, "Swap"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(conditions: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Among(**conditions)  # type: ignore[arg-type]
