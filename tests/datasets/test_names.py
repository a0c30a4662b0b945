from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from landfall.datasets.name_columns import parse_names
from landfall.datasets.names import NameFields, format_name, is_position_name, parse_name, timestamp
from landfall.errors import DatasetError, PhotoError

# @E@N@zone@letter@lat@lon@pano@tile@heading@pitch@roll@height@time@note@.jpg, the convention, by hand.
FULL = "@0303215.20@5787861.31@31@U@052.20601@0000.11999@pano7@03@090@-05@001@2.5@20150312_143005@dusk@.jpg"

texts = st.text(
    st.characters(exclude_characters="@/\\", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12
).filter(lambda text: text != "None")
cents = st.integers(-5_000_000, 1_000_000_000).map(lambda each: each / 100)
hundredths = st.integers(-99_999, 99_999).map(lambda each: each / 100)
fields = st.builds(
    NameFields,
    east_m=cents,
    north_m=cents,
    zone=st.none() | st.integers(1, 60),
    letter=st.none() | st.sampled_from("CDEFGHJKLMNPQRSTUVWX"),
    lat=st.none() | st.integers(-9_000_000, 9_000_000).map(lambda each: each / 1e5),
    lon=st.none() | st.integers(-18_000_000, 18_000_000).map(lambda each: each / 1e5),
    pano_id=st.none() | texts,
    tile=st.none() | texts,
    heading_deg=st.none() | hundredths,
    pitch_deg=st.none() | hundredths,
    roll_deg=st.none() | hundredths,
    height_m=st.none() | hundredths,
    taken_at=st.none() | st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
    note=st.none() | texts,
)


def test_every_field_is_read() -> None:
    assert parse_name(FULL) == NameFields(
        east_m=303215.20,
        north_m=5787861.31,
        zone=31,
        letter="U",
        lat=52.20601,
        lon=0.11999,
        pano_id="pano7",
        tile="03",
        heading_deg=90.0,
        pitch_deg=-5.0,
        roll_deg=1.0,
        height_m=2.5,
        taken_at=datetime(2015, 3, 12, 14, 30, 5),
        note="dusk",
    )


def test_east_and_north_suffice() -> None:
    bare = NameFields(east_m=1.5, north_m=-2.0)
    for name in ("@1.5@-2@@@@@@@@@@@@@.jpg", "@1.5@-2@.JPG", "@1.5@-2.jpg", "@1.5@-2.0", "@1.5@-2@"):
        assert parse_name(name) == bare, name


def test_numbers_are_padded_as_the_field_writes_them() -> None:
    # The name of a real street view, letter by letter.
    name = "@0303215.20@5787861.31@31@U@052.20601@0000.11999@0120@00@000@@@@@@.jpg"
    assert format_name(parse_name(name)) == name


def test_folders_are_no_part_of_the_name() -> None:
    assert parse_name("a@b@c/@x@/" + FULL) == parse_name(FULL)
    assert not is_position_name("@1@2@/plain.jpg")


def test_a_missing_pano_id_written_as_none() -> None:
    assert parse_name("@1@2@@@@@None@.jpg").pano_id is None


def test_a_note_keeps_its_own_at_signs() -> None:
    assert parse_name("@1@2@@@@@@@@@@@@a@b@.jpg").note == "a@b"


@given(fields)
@example(NameFields(east_m=0.0, north_m=-0.01, heading_deg=-0.0, note="~2"))
def test_what_is_written_is_read_back(wanted: NameFields) -> None:
    assert parse_name("some@folder/" + format_name(wanted, ".PNG")) == wanted


@given(st.lists(fields, max_size=5))
def test_columns_say_what_single_names_say(wanted: list[NameFields]) -> None:
    names = [format_name(each) for each in wanted]
    columns = parse_names(names)
    assert not columns.remarks
    for row, each in enumerate(wanted):
        heading = np.nan if each.heading_deg is None else each.heading_deg % 360
        np.testing.assert_equal(columns.heading_deg[row], heading)
        np.testing.assert_equal(columns.named_lat[row], np.nan if each.lat is None else each.lat)
        moment = columns.taken_at[row].astype(object)
        assert moment == each.taken_at
        if row in columns.reasons:
            # Centimetres of any size are written, but not all are of a zone.
            assert each.zone is not None
            assert "far outside any UTM zone" in columns.reasons[row]
            assert not columns.positions.known[row]
        else:
            assert columns.positions.east_m[row] == each.east_m
            assert columns.positions.north_m[row] == each.north_m
            assert columns.positions.zone[row] == (each.zone or 0)
            south = each.letter < "N" if each.letter else (each.lat or 0) < 0
            assert columns.positions.south[row] == (bool(each.zone) and south)


@given(st.text(max_size=60) | st.text("@0123456789.-+eEN_", max_size=60).map(lambda text: "@" + text))
@example("@@@@.jpg")
@example("@1@.jpg")
@example("@nan@inf@.jpg")
@example("@1_000@2@.jpg")
@example("@" + "9" * 400 + "@1@.jpg")
@example("@٣@٤@.jpg")
def test_any_text_is_read_or_cleanly_refused(name: str) -> None:
    columns = parse_names([name, FULL])
    assert columns.positions.known[1]
    assert columns.positions.known[0] == (0 not in columns.reasons)
    if columns.remarks or any("far outside" not in reason for reason in columns.reasons.values()):
        with pytest.raises(PhotoError) as caught:
            parse_name(name)
        assert caught.value.photo == name
        assert caught.value.reason
    else:
        parsed = parse_name(name)
        assert math.isfinite(parsed.east_m)
        assert math.isfinite(parsed.north_m)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("photo.jpg", "no @ fields"),
        ("@me@beach.jpg", "east 'me'"),
        ("@@@31@U@.jpg", "no east and north"),
        ("@1@x@.jpg", "north 'x'"),
        ("@500000@0@61@N@.jpg", "zone '61'"),
        ("@500000@0@0@N@.jpg", "zone '0'"),
        ("@500000@0@31@I@.jpg", "zone letter 'I'"),
        ("@99000000@0@31@N@.jpg", "far outside any UTM zone"),
    ],
)
def test_a_name_without_a_position_says_why(name: str, reason: str) -> None:
    columns = parse_names([name])
    assert reason in columns.reasons[0]
    assert not columns.positions.known[0]


def test_a_bad_heading_or_time_costs_no_position() -> None:
    columns = parse_names(["@500000@0@31@N@@@@@north@@@@20151399@@.jpg"])
    assert columns.positions.known[0]
    assert columns.remarks == {0: "timestamp '20151399' in its name is not YYYYMMDD_hhmmss"}
    assert np.isnan(columns.heading_deg[0])


def test_the_letter_tells_the_hemisphere() -> None:
    # By definition of UTM the equator on a zone's central meridian is east 500 km, and north 0 there or
    # 10 000 km seen from the south; zone 31's meridian is 3 degrees east.
    names = ["@500000@0@31@N@.jpg", "@500000@10000000@31@M@.jpg", "@500000@9000000@31@@-9@3@.jpg"]
    columns = parse_names(names)
    np.testing.assert_allclose(columns.positions.lat[:2], 0, atol=1e-9)
    np.testing.assert_allclose(columns.positions.lon, 3, atol=1e-9)
    assert columns.positions.south.tolist() == [False, True, True]


def test_degrees_in_a_name_never_move_it() -> None:
    with_degrees, without = parse_names(["@500000@0@31@N@45@45@.jpg"]), parse_names(["@500000@0@31@N@.jpg"])
    assert with_degrees.positions.lat == without.positions.lat


def test_metres_without_a_zone_are_planar() -> None:
    positions = parse_names(["@0000000.00@0000010.00@@@@@frame0001@@@@@@@@.jpg"]).positions
    assert positions.known.all()
    assert not positions.is_geographic
    assert (positions.east_m[0], positions.north_m[0]) == (0.0, 10.0)


@pytest.mark.parametrize("length", [4, 6, 8, 9, 11, 13, 15])
def test_a_timestamp_may_be_cut_short(length: int) -> None:
    moment = timestamp("20150312_143005"[:length])
    assert moment is not None
    assert moment.strftime("%Y%m%d_%H%M%S")[:length] == "20150312_143005"[:length]


@pytest.mark.parametrize("text", ["", "201", "20151", "2015-03", "20150230", "abcd", "20150312_25", "0000"])
def test_a_timestamp_that_is_none(text: str) -> None:
    assert timestamp(text) is None


def test_text_that_would_break_a_name_is_refused() -> None:
    with pytest.raises(DatasetError, match="pano id 'a@b'"):
        format_name(NameFields(east_m=0, north_m=0, pano_id="a@b"))
