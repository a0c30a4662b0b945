from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Protocol

import pytest

from landfall.datasets import DatasetReport, check_dataset, load_dataset, load_photos
from landfall.errors import PositionError
from landfall.photos import InputSpec, LoadedPhoto, load_photo


class Draw(Protocol):
    def __call__(
        self, path: Path, *, at: tuple[float, float] | None = None, size: tuple[int, int] = (80, 64)
    ) -> Path: ...


def name(north_m: float, extra: str = "@@@@@@@@@@") -> str:
    return f"@0500000.00@{north_m:010.2f}@31@N{extra}@.jpg"


def photos_of(report: DatasetReport, kind: str) -> list[tuple[str, ...]]:
    return [finding.photos for finding in report.of_kind(kind)]


@pytest.fixture
def root(tmp_path: Path, draw: Draw) -> Path:
    for north_m in range(0, 100, 10):
        draw(tmp_path / "database" / name(north_m))
    draw(tmp_path / "queries" / name(5))
    return tmp_path


def test_nothing_is_wrong(root: Path) -> None:
    report = check_dataset(load_dataset(root))
    assert report.findings == ()
    assert set(report.counts.values()) == {0}
    assert "Nothing looks wrong" in report.to_text()


def test_each_trouble_is_found_and_named(root: Path, draw: Draw) -> None:
    database, queries = root / "database", root / "queries"
    (database / "broken.jpg").write_bytes((database / name(0)).read_bytes()[:300])
    (database / "empty.png").write_bytes(b"")
    shutil.copy(database / name(0), database / name(1))
    shutil.copy(database / name(10), queries / name(11))
    shutil.copy(queries / name(5), queries / name(6))
    draw(database / name(2), size=(63, 200))
    draw(database / "lost.jpg")
    draw(queries / name(126))
    draw(database / name(20, "@40@3@@@@@@@@"))
    draw(database / "@0500000.00@5000000.00@31@N@.jpg")
    draw(database / "@0700000.00@0000000.00@30@N@.jpg")
    draw(database / name(30, "@@@@@up@@@@@"))
    report = check_dataset(load_dataset(root))
    assert photos_of(report, "unreadable") == [("database/broken.jpg",), ("database/empty.png",)]
    assert photos_of(report, "duplicate") == [
        (f"database/{name(0)}", f"database/{name(1)}"),
        (f"queries/{name(5)}", f"queries/{name(6)}"),
    ]
    assert photos_of(report, "leakage") == [(f"database/{name(10)}", f"queries/{name(11)}")]
    assert photos_of(report, "tiny") == [(f"database/{name(2)}",)]
    assert report.of_kind("tiny")[0].detail == "63 x 200 pixels"
    assert photos_of(report, "no position") == [("database/lost.jpg",)]
    assert report.of_kind("no position")[0].detail == "no EXIF"
    assert photos_of(report, "no positive") == [(f"queries/{name(126)}",)]
    assert photos_of(report, "name disagrees") == [(f"database/{name(20, '@40@3@@@@@@@@')}",)]
    assert photos_of(report, "far outlier") == [
        ("database/@0500000.00@5000000.00@31@N@.jpg",),
        ("database/@0700000.00@0000000.00@30@N@.jpg",),
    ]
    assert photos_of(report, "mixed zones") == [("database/@0700000.00@0000000.00@30@N@.jpg",)]
    assert photos_of(report, "other") == [(f"database/{name(30, '@@@@@up@@@@@')}",)]
    assert not report.of_kind("swapped")
    again = json.loads(json.dumps(report.to_dict()))
    assert again["counts"] == report.counts
    assert again["counts"]["duplicate"] == 4
    assert len(again["findings"]) == len(report.findings)
    text = report.to_text()
    for finding in report.findings:
        assert f"  {', '.join(finding.photos)}: {finding.detail}" in text


def test_long_lists_are_cut_in_text_alone(root: Path, draw: Draw) -> None:
    for row in range(7):
        draw(root / "database" / f"{row}.jpg")
    report = check_dataset(load_dataset(root))
    text = report.to_text(limit=3)
    assert "7 without a position" in text
    assert "and 4 more" in text
    assert "database/2.jpg" in text
    assert "database/3.jpg" not in text
    assert len(report.to_dict()["findings"]) == 7


def test_a_radius_can_be_chosen(root: Path) -> None:
    report = check_dataset(load_dataset(root), radius_m=4)
    assert photos_of(report, "no positive") == [(f"queries/{name(5)}",)]
    with pytest.raises(PositionError, match="-1"):
        check_dataset(load_dataset(root), radius_m=-1)


def test_a_query_without_a_position_is_told_once(root: Path, draw: Draw) -> None:
    draw(root / "queries" / "lost.jpg")
    [finding] = check_dataset(load_dataset(root)).findings
    assert (finding.kind, finding.photos) == ("no position", ("queries/lost.jpg",))


def test_planar_and_geographic_together_are_told(root: Path, draw: Draw) -> None:
    shutil.rmtree(root / "queries")
    draw(root / "queries" / "@0@10@.jpg")
    report = check_dataset(load_dataset(root))
    assert photos_of(report, "mixed frames") == [("queries/@0@10@.jpg",)]


def test_positions_far_from_the_photos_own_exif_are_told(tmp_path: Path, draw: Draw) -> None:
    for row in range(6):
        draw(tmp_path / f"{row}.jpg", at=(55.69, 13.19))
    draw(tmp_path / "silent.jpg")
    rows = [
        *("0.jpg,55.69,13.19", "1.jpg,13.0,55.0", "2.jpg,55.69,113.19", "3.jpg,55.6917,13.19"),
        *("4.jpg,55.6919,13.19", "5.jpg,,", "silent.jpg,1,1"),
    ]
    (tmp_path / "survey.csv").write_text("path,lat,lon\n" + "\n".join(rows))
    for loaded in (load_photos(tmp_path / "survey.csv"), load_dataset(tmp_path / "survey.csv")):
        report = check_dataset(loaded)
        told = {finding.photos[0]: finding.detail for finding in report.of_kind("exif disagrees")}
        # A degree of latitude is 111.3 km there: 0.0017 degrees are 189 m, 0.0019 are 212 m. By the haversine
        # on a sphere of 6371 km 1.jpg is 5946 km off; the ellipsoid changes that by half a percent at most.
        assert list(told) == ["1.jpg", "2.jpg", "4.jpg"]
        assert told["1.jpg"].startswith(
            "the table says 13.00000, 55.00000; its EXIF says 55.69000, 13.19000: "
        )
        km, rest = told["1.jpg"].rpartition(": ")[2].split(" km ")
        assert float(km.replace(" ", "")) == pytest.approx(5946, rel=0.005)
        assert rest == "apart; latitude and longitude swapped?"
        assert told["2.jpg"].endswith(" km apart")
        assert told["4.jpg"].endswith(": 212 m apart")
        assert report.to_dict()["counts"]["exif disagrees"] == 3
        assert "3 whose EXIF gives another place" in report.to_text()


def test_a_name_far_from_the_exif_is_told_and_planar_metres_are_not(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "named" / name(0), at=(0.0, 3.1))
    [finding] = check_dataset(load_photos(tmp_path / "named")).of_kind("exif disagrees")
    # A tenth of a degree on the equator.
    assert finding.detail.startswith(
        "its name says 0.00000, 3.00000; its EXIF says 0.00000, 3.10000: 11.1 km"
    )
    draw(tmp_path / "planar" / "@0@10@.jpg", at=(0.0, 3.1))
    report = check_dataset(load_dataset(tmp_path / "planar"))
    assert not report.findings


def test_remarks_do_not_hide_why_a_position_is_unknown(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "a.jpg")
    draw(tmp_path / "b.jpg", at=(1.0, 1.0))
    (tmp_path / "t.csv").write_text("path,lat,lon\na.jpg,0,0\nb.jpg,,\na.jpg,1,1\n")
    told = [(each.kind, each.detail) for each in check_dataset(load_photos(tmp_path / "t.csv")).findings]
    assert told == [
        ("no position", "line 2 of t.csv: its latitude and longitude are both 0; no EXIF"),
        ("other", "line 4 of t.csv: the same photo as in line 2, which counts"),
        ("other", "line 3 of t.csv: no position in the table; its EXIF gives the position"),
    ]


def test_a_photo_that_lacks_a_position_in_both_roles_is_told_for_each(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "a.jpg")
    (tmp_path / "t.csv").write_text("path,lat,lon,role\na.jpg,,,db\na.jpg,,,q\n")
    report = check_dataset(load_dataset(tmp_path / "t.csv"))
    assert [each.detail.partition(":")[0] for each in report.of_kind("no position")] == [
        "line 2 of t.csv",
        "line 3 of t.csv",
    ]
    assert not report.of_kind("other")


def test_a_row_of_no_known_role_is_told_by_its_line(tmp_path: Path, draw: Draw) -> None:
    for each in "abc":
        draw(tmp_path / f"{each}.jpg")
    rows = "a.jpg,1,1,db\nb.jpg,1,1,Datenbank\nc.jpg,1,1,q\n"
    (tmp_path / "t.csv").write_text("path,lat,lon,role\n" + rows)
    report = check_dataset(load_dataset(tmp_path / "t.csv"))
    [finding] = report.of_kind("unreadable")
    assert finding.photos == ("b.jpg",)
    assert "line 3 of t.csv: role 'Datenbank'" in finding.detail
    assert "expected database" in finding.detail


def test_a_mere_folder(root: Path, draw: Draw) -> None:
    draw(root / "lost.jpg")
    (root / "broken.jpg").write_bytes(b"x")
    report = check_dataset(load_photos(root))
    assert (report.database, report.queries, report.split, report.layout) == (12, 0, None, None)
    assert photos_of(report, "unreadable") == [("broken.jpg",)]
    assert photos_of(report, "no position") == [("lost.jpg",)]


def test_progress_counts_every_photo(root: Path) -> None:
    seen: list[int] = []
    check_dataset(load_dataset(root), progress=seen.append, workers=3)
    assert seen == list(range(1, 12))


def test_giving_up_reads_no_more(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []

    def slow(path: Path, spec: InputSpec) -> LoadedPhoto:
        read.append(path)
        time.sleep(0.05)
        return load_photo(path, spec)

    def stop(count: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("landfall.datasets.check_files.load_photo", slow)
    with pytest.raises(KeyboardInterrupt):
        check_dataset(load_dataset(root), progress=stop, workers=1)
    assert len(read) < 11
