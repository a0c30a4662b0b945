from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landfall.datasets import load_dataset, load_photos
from landfall.datasets.table_cells import parse_cells
from landfall.datasets.table_columns import read_head
from landfall.errors import DatasetError


class Draw(Protocol):
    def __call__(self, path: Path, *, at: tuple[float, float] | None = None) -> Path: ...


@pytest.fixture
def folder(tmp_path: Path, draw: Draw) -> Path:
    for name in ("a.jpg", "b.jpg", "c.jpg", "sub/d.jpg"):
        draw(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "path,lat,lon\na.jpg,52.5,13.25\n",
        "Image Path;Latitude (deg);LONG\r\na.jpg;52,5;13,25\r\n",
        "lng\tfilename\tGPS_Latitude\n13.25\ta.jpg\t52.5\n",
        '\ufeff"path","lat","lon"\n"a.jpg","52.5","13.25"\n\n',
        'note,path,lat,lon\n"two\nlines, quoted",a.jpg, 52.5 ,13.25',
    ],
)
def test_tables_as_people_write_them(folder: Path, text: str) -> None:
    (folder / "t.csv").write_text(text, encoding="utf-8", newline="")
    listing = load_photos(folder / "t.csv")
    assert not listing.failed
    assert listing.photos.names == ("a.jpg",)
    assert listing.photos.positions.lat.tolist() == [52.5]
    assert listing.photos.positions.lon.tolist() == [13.25]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, draw: Draw, encoding: str) -> None:
    draw(tmp_path / "straße.jpg")
    (tmp_path / "t.csv").write_text("path,lat,lon\nstraße.jpg,1,2\n", encoding=encoding)
    assert load_photos(tmp_path / "t.csv").photos.names == ("straße.jpg",)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("path,easting,northing,zone,letter", "500000,0,31,N"),
        ("path,UTM_East,UTM_North,UTM Zone", "500000.0,0.0,31N"),
        ("path,east,north,zone,hemisphere", "500000,10000000,31.0,south"),
        ("path,lat,lon,east,north,zone", "45,45,500000,0,31"),
        ("path,lat,lon,east,north,zone", "0.0,3,500000,0,"),
    ],
)
def test_metres_rule_where_they_have_a_zone(folder: Path, header: str, cells: str) -> None:
    # By definition of UTM: the equator on the central meridian of zone 31, which is 3 degrees east.
    (folder / "t.csv").write_text(f"{header}\na.jpg,{cells}\n")
    positions = load_photos(folder / "t.csv").photos.positions
    np.testing.assert_allclose([positions.lat[0], positions.lon[0]], [0, 3], atol=1e-9)


def test_metres_without_a_zone(folder: Path) -> None:
    (folder / "t.csv").write_text("path,east,north,role\na.jpg,0,10,db\nb.jpg,0,20,q\n")
    loaded = load_dataset(folder / "t.csv")
    assert loaded.positives(10).counts.tolist() == [1]
    assert not loaded.problems
    listing = load_photos(folder / "t.csv")
    assert not listing.photos.positions.known.any()
    assert "metres with no UTM zone" in listing.without_position[0].reason


def test_rows_without_a_position_fall_back_on_the_photo(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "exif.jpg", at=(50.0, 10.0))
    draw(tmp_path / "zero.jpg", at=(51.0, 11.0))
    draw(tmp_path / "none.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"")
    rows = "exif.jpg,,\nzero.jpg,0,0\nnone.jpg,nan,NaN\nbroken.jpg,,\n"
    (tmp_path / "t.csv").write_text("path,lat,lon\n" + rows)
    listing = load_photos(tmp_path / "t.csv")
    assert listing.photos.names == ("exif.jpg", "zero.jpg", "none.jpg")
    np.testing.assert_allclose(listing.photos.positions.lat, [50, 51, np.nan], atol=1e-7)
    assert [problem.photo for problem in listing.without_position] == ["none.jpg"]
    assert [problem.photo for problem in listing.failed] == ["broken.jpg"]


def test_a_name_without_a_zone_does_not_fill_a_gap_among_places_on_earth(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "a.jpg")
    draw(tmp_path / "@0@10@.jpg")
    (tmp_path / "t.csv").write_text("path,lat,lon\na.jpg,1,1\n@0@10@.jpg,,\n")
    loaded = load_dataset(tmp_path / "t.csv")
    assert loaded.database.positions.known.tolist() == [True, False]
    assert "no UTM zone" in loaded.problems[0].reason
    (tmp_path / "t.csv").write_text("path,lat,lon\n@0@10@.jpg,,\n")
    assert load_dataset(tmp_path / "t.csv").database.positions.north_m.tolist() == [10.0]


def test_each_bad_row_is_named_by_line_and_reason(folder: Path) -> None:
    rows = {
        "a.jpg,abc,1,database": "lat 'abc' is not a number",
        "a.jpg,91,1,database": "latitude 91.0 is outside",
        "a.jpg,1,181,database": "longitude 181.0 is outside",
        "a.jpg,1,,database": "only one is given",
        "a.jpg,1,1,neither": "role 'neither' is neither database nor query",
        "gone.jpg,1,1,database": "no such file",
        ",1,1,database": "its path is empty",
        "a.jpg": "role '' is neither database nor query",
    }
    # Of several rows for one photo the first counts, so each bad row gets a table of its own.
    for line, row in enumerate(rows, start=4):
        kept = ["path,lat,lon,role", "b.jpg,1,1,database", "c.jpg,1,1,query", *[""] * (line - 4), row]
        (folder / "t.csv").write_text("\n".join(kept))
        loaded = load_dataset(folder / "t.csv")
        assert (loaded.database.names, loaded.queries.names) == (("b.jpg",), ("c.jpg",))
        assert not loaded.problems
        [problem] = loaded.left_out
        assert f"line {line} of t.csv: " in problem.reason
        assert rows[row] in problem.reason
        assert problem.photo in (row.split(",")[0], f"t.csv line {line}")


def test_headings_and_times(folder: Path) -> None:
    times = ["2015-03-12T14:30:05Z", "2015:03:12 14:30:05", "20150312_143005", "1426170605000"]
    rows = [
        f"{name},1,1,{i * 200 - 100},{time}"
        for i, (name, time) in enumerate(zip(("a.jpg", "b.jpg", "c.jpg", "sub\\d.jpg"), times, strict=True))
    ]
    (folder / "t.csv").write_text("path,lat,lon,Bearing,Captured At\n" + "\n".join(rows) + "\n")
    photos = load_photos(folder / "t.csv").photos
    assert photos.names[3] == "sub/d.jpg"
    assert photos.heading_deg.tolist() == [260, 100, 300, 140]
    assert {str(time) for time in photos.taken_at} == {"2015-03-12T14:30:05"}


def test_a_heading_or_time_that_makes_no_sense_is_remarked(folder: Path) -> None:
    (folder / "t.csv").write_text("path,lat,lon,heading,time\na.jpg,1,1,north,\nb.jpg,1,1,,yesterday\n")
    listing = load_photos(folder / "t.csv")
    assert listing.photos.positions.known.all()
    assert [problem.reason for problem in listing.remarks] == [
        "line 2 of t.csv: heading 'north' is not a number",
        "line 3 of t.csv: time 'yesterday' is not a date and time",
    ]


def test_photos_outside_the_folder_and_splits_without_a_name(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "photos" / "a.jpg")
    far = draw(tmp_path / "b.jpg")
    (tmp_path / "lists").mkdir()
    table = tmp_path / "lists" / "t.csv"
    table.write_text(f"path,lat,lon,split\n../photos/a.jpg,1,1,test\n{far},1,1,test\n../b.jpg,1,1,\n")
    loaded = load_dataset(table)
    assert loaded.label == "t/test"
    assert loaded.database.paths == [table.parent / "../photos/a.jpg", far]
    assert "its split is empty" in loaded.left_out[0].reason
    assert len(loaded.left_out) == 1


def test_one_photo_may_have_two_roles(folder: Path) -> None:
    (folder / "t.csv").write_text("path,lat,lon,role\na.jpg,1,1,db\n./a.jpg,1,1,q\nb.jpg,1,1,q\n")
    loaded = load_dataset(folder / "t.csv")
    assert (loaded.database.names, loaded.queries.names) == (("a.jpg",), ("a.jpg", "b.jpg"))
    assert load_photos(folder / "t.csv").photos.names == ("a.jpg", "b.jpg")


def test_names_with_spaces_around(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / " a.jpg")
    draw(tmp_path / "b.jpg")
    (tmp_path / "t.csv").write_text("lat,lon,path\n1,1, a.jpg\n1,1, b.jpg\n")
    assert load_photos(tmp_path / "t.csv").photos.names == (" a.jpg", "b.jpg")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty first line"),
        ("file,easting\na.jpg,1\n", "lacks columns: lat and lon, or east and north"),
        ("lat,lon\n1,1\n", "lacks columns: path"),
        ("key,latitude,longitude\n", "'key', 'latitude'"),
    ],
)
def test_a_table_without_the_columns_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DatasetError, match=reason):
        read_head(tmp_path / "t.csv")
    with pytest.raises(DatasetError, match=reason):
        load_dataset(tmp_path / "t.csv")


def test_a_quotation_mark_never_closed_is_told_by_its_line(folder: Path) -> None:
    # The reader takes all that follows for one cell, and gives up when it is too long.
    rows = "a.jpg,52.0,13.0\n" * 20_000
    (folder / "t.csv").write_text(f'path,lat,lon\nb.jpg,52.5,13.25\n"c.jpg,52.5,13.25\n{rows}')
    with pytest.raises(DatasetError, match=r"t\.csv can't be read as CSV from line 3 on.*never closed"):
        load_photos(folder / "t.csv")
    (folder / "t.csv").write_text("x" * 200_000)
    with pytest.raises(DatasetError, match=r"t\.csv does not begin with the names of its columns"):
        load_photos(folder / "t.csv")


def test_a_row_of_more_fields_than_the_header_is_not_indexed_at_a_false_place(folder: Path) -> None:
    (folder / "t.csv").write_text("path,lat,lon\na.jpg,55.69,13.2\nb.jpg,55,69,13,2\nc.jpg,55,13,,\n")
    listing = load_photos(folder / "t.csv")
    # Empty fields at a row's end shift nothing.
    assert listing.photos.names == ("a.jpg", "c.jpg")
    assert [(problem.photo, problem.reason) for problem in listing.failed] == [
        (
            "b.jpg",
            "line 3 of t.csv: it has 5 fields, the header has 3; "
            "decimal commas need quotes or a ; between columns",
        )
    ]
    (folder / "t.csv").write_text('path,lat,lon\nb.jpg,"55,69","13,2"\n')
    positions = load_photos(folder / "t.csv").photos.positions
    assert (positions.lat.tolist(), positions.lon.tolist()) == ([55.69], [13.2])


@pytest.mark.parametrize(("delimiter", "called"), [(";", ";"), ("\t", "a tab")])
def test_too_many_fields_between_other_delimiters(folder: Path, delimiter: str, called: str) -> None:
    rows = ("path,lat,lon", "b.jpg,55.5,13.5,more")
    (folder / "t.csv").write_text("\n".join(rows).replace(",", delimiter))
    [problem] = load_photos(folder / "t.csv").failed
    assert problem.reason.endswith(
        f"it has 4 fields, the header has 3; a cell that holds {called} needs quotes"
    )


def test_too_many_fields_are_told_once_and_name_no_split(folder: Path) -> None:
    rows = "a.jpg,1,1,db,test\nb.jpg,1,1,q,test\nc.jpg,1,5,1,5,db\n"
    (folder / "t.csv").write_text("path,lat,lon,role,split\n" + rows)
    loaded = load_dataset(folder / "t.csv")
    assert loaded.split == "test"
    assert [problem.photo for problem in loaded.left_out] == ["c.jpg"]


def test_a_role_that_is_none_is_told_with_the_roles_there_are(folder: Path) -> None:
    rows = "a.jpg,1,1,db\nb.jpg,1,1,Datenbank\nc.jpg,1,1,q\n"
    (folder / "t.csv").write_text("path,lat,lon,role\n" + rows)
    [problem] = load_dataset(folder / "t.csv").left_out
    assert problem.photo == "b.jpg"
    assert problem.reason == (
        "line 3 of t.csv: role 'Datenbank' is neither database nor query; expected database "
        "(db, reference, references, ref, gallery, map); queries (query, q)"
    )


def test_a_position_that_the_photo_gives_in_place_of_the_table_is_remarked(
    tmp_path: Path, draw: Draw
) -> None:
    for name in ("blank.jpg", "zero.jpg", "metres.jpg", "good.jpg"):
        draw(tmp_path / name, at=(50.0, 10.0))
    draw(tmp_path / "@500000@0@31@N@.jpg")
    draw(tmp_path / "none.jpg")
    rows = (
        "blank.jpg,,\nzero.jpg,0,0.0\n@500000@0@31@N@.jpg,,\ngood.jpg,50,10\nnone.jpg,0,0\nblank.jpg,50,10\n"
    )
    (tmp_path / "t.csv").write_text("path,lat,lon\n" + rows)
    listing = load_photos(tmp_path / "t.csv")
    assert listing.photos.positions.known.tolist() == [True] * 4 + [False]
    assert sorted((problem.photo, problem.reason) for problem in listing.remarks) == [
        ("@500000@0@31@N@.jpg", "line 4 of t.csv: no position in the table; its name gives the position"),
        ("blank.jpg", "line 2 of t.csv: no position in the table; its EXIF gives the position"),
        ("blank.jpg", "line 7 of t.csv: the same photo as in line 2, which counts"),
        ("zero.jpg", "line 3 of t.csv: its latitude and longitude are both 0; its EXIF gives the position"),
    ]
    (tmp_path / "t.csv").write_text("path,east,north\nmetres.jpg,1,2\n")
    assert [problem.reason for problem in load_photos(tmp_path / "t.csv").remarks] == [
        "line 2 of t.csv: the table gives metres with no UTM zone; its EXIF gives the position"
    ]


def test_a_table_of_no_rows_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,lat,lon\n\n")
    with pytest.raises(DatasetError, match=r"t\.csv lists no photos: it has a header and no rows"):
        load_dataset(tmp_path / "t.csv")
    listing = load_photos(tmp_path / "t.csv")
    assert listing.is_table
    assert not listing.failed
    assert len(listing.photos) == 0


def test_a_table_of_no_usable_row_says_why(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,lat,lon\ngone.jpg,1,1\n")
    with pytest.raises(DatasetError, match=r"line 2 of t\.csv: no such file"):
        load_dataset(tmp_path / "t.csv")


@given(
    st.lists(
        st.lists(
            st.text(max_size=8) | st.sampled_from(["1", "31", "N", "500000", "-5"]), min_size=8, max_size=8
        )
    )
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_cells_are_read_or_named(rows: list[list[str]]) -> None:
    what = ("lat", "lon", "east", "north", "zone", "letter", "heading", "time")
    cells = {key: [row[at] for row in rows] for at, key in enumerate(what)}
    columns = parse_cells(cells, len(rows), decimal_comma=False)
    for row in range(len(rows)):
        assert columns.positions.known[row] == (row not in columns.bad and row not in columns.empty)
