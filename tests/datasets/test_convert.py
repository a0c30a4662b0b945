from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from landfall.datasets import Dataset, PhotoSet, convert_dataset, load_dataset
from landfall.datasets.convert import position_names
from landfall.datasets.names import parse_name
from landfall.errors import DatasetError
from landfall.geo import Positions


class Draw(Protocol):
    def __call__(self, path: Path, *, at: tuple[float, float] | None = None) -> Path: ...


PLACES = {"sydney": (-33.8568, 151.2153), "bergen": (60.3913, 5.3221), "quito": (0.00001, -78.4678)}


@pytest.fixture
def source(tmp_path: Path, draw: Draw) -> Dataset:
    """Photos of both hemispheres and Norway's odd zone, by EXIF; a PNG with a name; one with neither."""
    root = tmp_path / "source @ home"
    for spot, at in PLACES.items():
        draw(root / "database" / f"{spot}.jpg", at=at)
        draw(root / "queries" / "deep" / f"{spot} again.JPG", at=at)
    draw(root / "database" / "@0500000.12@0000007.34@31@N@@@old@07@090@@@@20150312_143005@@.png")
    draw(root / "queries" / "lost.jpg")
    return load_dataset(root)


def contents(photos: PhotoSet) -> dict[bytes, tuple[float, float, int, bool]]:
    positions = photos.positions
    return {
        path.read_bytes(): (
            round(positions.east_m[row], 2),
            round(positions.north_m[row], 2),
            int(positions.zone[row]),
            bool(positions.south[row]),
        )
        for row, path in enumerate(photos.paths)
        if positions.known[row]
    }


@pytest.mark.parametrize("link", [False, True])
def test_to_the_standard_layout_and_back(source: Dataset, tmp_path: Path, link: bool) -> None:
    done = convert_dataset(source, tmp_path / "new" / "out", split="val", link=link)
    assert (done.written, [problem.photo for problem in done.skipped]) == (7, ["lost.jpg"])
    loaded = load_dataset(done.out, "val")
    assert loaded.layout == "standard"
    assert not loaded.problems
    assert contents(loaded.database) == contents(source.database)
    assert contents(loaded.queries) == contents(source.queries)
    assert {path.suffix for path in loaded.database.paths} == {".jpg", ".png"}
    kept = next(name for name in loaded.database.names if name.endswith(".png"))
    assert kept == "@0500000.12@0000007.34@31@N@@@old@07@090@@@@20150312_143005@@.png"
    assert loaded.database.paths[0].stat().st_nlink == (2 if link else 1)
    assert not list(tmp_path.glob("new/*.tmp"))
    bergen = next(name for name in loaded.queries.names if "bergen" in name)
    fields = parse_name(bergen)
    assert (fields.zone, fields.letter, fields.pano_id) == (32, "V", "bergen again")
    assert (fields.lat, fields.lon) == (60.3913, 5.3221)


def test_to_a_table_and_back(source: Dataset, tmp_path: Path) -> None:
    done = convert_dataset(source, tmp_path / "lists" / "all.csv", to="csv")
    assert (done.written, done.skipped) == (8, ())
    loaded = load_dataset(done.out)
    assert loaded.layout == "table"
    for part, back in ((source.database, loaded.database), (source.queries, loaded.queries)):
        assert [path.resolve() for path in back.paths] == part.paths
        np.testing.assert_array_equal(back.positions.east_m, part.positions.east_m)
        np.testing.assert_array_equal(back.positions.north_m, part.positions.north_m)
        np.testing.assert_array_equal(back.positions.zone, part.positions.zone)
        np.testing.assert_array_equal(back.positions.south, part.positions.south)
        np.testing.assert_array_equal(back.heading_deg, part.heading_deg)
        np.testing.assert_array_equal(back.taken_at, part.taken_at)


def test_planar_metres_survive_both_ways(tmp_path: Path, draw: Draw) -> None:
    for half in ("database", "queries"):
        draw(tmp_path / "a" / half / "@0000000.00@0000010.00@@@@@frame0001@@@@@@@@.jpg")
    source = load_dataset(tmp_path / "a")
    table = convert_dataset(source, tmp_path / "t.csv", to="csv").out
    standard = convert_dataset(load_dataset(table), tmp_path / "b").out
    back = load_dataset(standard)
    assert back.database.names == source.database.names
    assert back.positives(1).counts.tolist() == [1]
    assert back.database.positions.north_m.tolist() == [10.0]
    assert not back.database.positions.is_geographic


def test_splits_go_together(source: Dataset, tmp_path: Path) -> None:
    convert_dataset(source, tmp_path / "one", split="train")
    convert_dataset(source, tmp_path / "two", split="val")
    both = [load_dataset(tmp_path / "one"), load_dataset(tmp_path / "two")]
    for target, to in (("both", "standard"), ("both.csv", "csv")):
        done = convert_dataset(both, tmp_path / target, to=to)  # type: ignore[arg-type]
        assert done.written == 14
        for dataset in both:
            again = load_dataset(done.out, dataset.split)
            assert contents(again.queries) == contents(dataset.queries)
    with pytest.raises(DatasetError, match="one split"):
        convert_dataset([source, source], tmp_path / "no")


def test_names_never_collide(tmp_path: Path) -> None:
    named = "@0000001.00@0000002.00@.jpg"
    names = ("a/x.jpg", "b/X.jpg", "c/x.jpg", f"d/{named}", f"e/{named}")
    photos = PhotoSet.of(tmp_path, names, Positions.planar(np.ones(5), np.full(5, 2.0)))
    made, skipped = position_names(photos)
    assert not skipped
    assert len({name.lower() for name in made.values()}) == 5
    assert made[3] == named
    for name in made.values():
        fields = parse_name(name)
        assert (fields.east_m, fields.north_m) == (1, 2)


def test_a_name_that_says_less_than_is_known_is_not_kept(tmp_path: Path) -> None:
    # A table may give the zone that the names of its photos lack.
    photos = PhotoSet.of(
        tmp_path, ("@0500000.00@0000007.00@.jpg",), Positions.from_utm([500_000.0], [7.0], 31, False)
    )
    made, _ = position_names(photos)
    assert (parse_name(made[0]).zone, parse_name(made[0]).letter) == (31, "N")


def test_odd_and_long_names_fit(tmp_path: Path) -> None:
    names = ("a@b\x07c.jpg", "ü" * 120 + ".jpg")
    made, _ = position_names(PhotoSet.of(tmp_path, names, Positions.planar([1.0, 2.0], [0.0, 0.0])))
    assert parse_name(made[0]).pano_id == "a_b_c"
    assert len(made[1].encode()) <= 255


def test_no_name_near_a_pole(tmp_path: Path) -> None:
    made, skipped = position_names(PhotoSet.of(tmp_path, ("pole.jpg",), Positions.from_latlon([89.0], [0.0])))
    assert not made
    assert "pole" in skipped[0].reason


def test_nothing_is_overwritten(source: Dataset, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(DatasetError, match="exists already"):
        convert_dataset(source, tmp_path / "there")
    (tmp_path / "new.tmp").mkdir()
    with pytest.raises(DatasetError, match="interrupted"):
        convert_dataset(source, tmp_path / "new")
    assert (tmp_path / "new.tmp").is_dir()


def test_a_failure_leaves_nothing(source: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source.database.paths[-1].unlink()
    with pytest.raises(DatasetError, match=r"quito|sydney"):
        convert_dataset(source, tmp_path / "out")
    assert not list(tmp_path.glob("out*"))

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.link", full)
    with pytest.raises(DatasetError, match="No space left"):
        convert_dataset(source, tmp_path / "out", link=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["source @ home"]


def test_a_dataset_without_queries_is_no_standard_one(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "pile" / "a.jpg", at=(50.0, 10.0))
    with pytest.raises(DatasetError, match="no queries photo with a position"):
        convert_dataset(load_dataset(tmp_path / "pile"), tmp_path / "out")
    assert convert_dataset(load_dataset(tmp_path / "pile"), tmp_path / "out.csv", to="csv").written == 1


def test_an_unknown_target_is_refused(source: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="standard, csv"):
        convert_dataset(source, tmp_path / "out", to="zip")  # type: ignore[arg-type]
