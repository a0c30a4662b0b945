"""What every registered layout owes: a new one is added to ``BUILDERS`` and must pass all of this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from landfall.datasets import LAYOUTS, PhotoSet, dataset_splits, load_dataset
from landfall.datasets.layouts import Layout
from landfall.errors import DatasetError
from landfall.geo import LatLon
from landfall.photos import write_jpeg

# On the central meridian of zone 31, 3 degrees east, east is 500 km by definition of UTM, and north is 0.9996
# times the distance from the equator, of which a degree has 110 574.3 m there (WGS84).
NORTH_M = {"near": 0.0, "far": 100.0, "query": 11.0}
LAT = {spot: north_m / 0.9996 / 110_574.3 for spot, north_m in NORTH_M.items()}
LON = 3.0
SUFFIX = {"near": ".JPG", "far": ".png", "query": ".jpg"}


@dataclass(frozen=True)
class Built:
    """Where a fixture lies, which splits it has, and which file was taken where."""

    root: Path
    splits: tuple[str, ...]
    has_queries: bool = True


def draw(path: Path, spot: str, *, exif: bool = False) -> str:
    """Draw a photo and return its name; only JPEGs and (Pillow's) PNGs can carry EXIF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((16, 16, 3), 40 * len(spot), dtype=np.uint8)
    if not exif:
        Image.fromarray(pixels).save(path)
    elif path.suffix == ".png":
        tags = Image.Exif()
        degrees = (0.0, 0.0, LAT[spot] * 3600)
        tags[0x8825] = {1: "N", 2: degrees, 3: "E", 4: (LON, 0.0, 0.0)}
        Image.fromarray(pixels).save(path, exif=tags)
    else:
        write_jpeg(path, pixels, location=LatLon(LAT[spot], LON))
    return path.name


def at_name(spot: str) -> str:
    return f"@{500_000:010.2f}@{NORTH_M[spot]:010.2f}@31@N@@@{spot}@@@@@@@@{SUFFIX[spot]}"


def standard(root: Path) -> Built:
    for split in ("train", "test"):
        for spot, part in (("near", "database"), ("far", "database/nested"), ("query", "queries")):
            draw(root / "images" / split / part / at_name(spot), spot)
    return Built(root, ("test", "train"))


def folders(root: Path) -> Built:
    for spot, part in (("near", "database"), ("far", "database/nested"), ("query", "queries")):
        draw(root / part / (spot + SUFFIX[spot]), spot, exif=True)
    return Built(root, ())


def table(root: Path) -> Built:
    lines = ["Path;LATITUDE;Lon;Split;Role"]
    for split in ("train", "test"):
        for spot, role in (("near", "database"), ("far", "database"), ("query", "query")):
            draw(root / split / (spot + SUFFIX[spot]), spot)
            lines.append(f"{split}/{spot}{SUFFIX[spot]};{LAT[spot]:.9f};{LON};{split};{role}")
    (root / "photos.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    return Built(root / "photos.csv", ("test", "train"))


def exif(root: Path) -> Built:
    for spot, part in (("near", "a"), ("far", "a/b"), ("query", ".")):
        draw(root / part / (spot + SUFFIX[spot]), spot, exif=True)
    return Built(root, (), has_queries=False)


BUILDERS: dict[str, Callable[[Path], Built]] = {
    "standard": standard,
    "folders": folders,
    "table": table,
    "exif": exif,
}

PLAIN, AWKWARD = "plain", "Weg am @Fluß@1@2@, größer"


def test_every_layout_has_a_fixture() -> None:
    assert set(BUILDERS) == set(LAYOUTS)


@pytest.fixture(params=sorted(LAYOUTS))
def layout(request: pytest.FixtureRequest) -> Layout:
    return LAYOUTS[request.param]


@pytest.fixture(params=[PLAIN, AWKWARD])
def built(request: pytest.FixtureRequest, layout: Layout, tmp_path: Path) -> Built:
    root = tmp_path / request.param
    root.mkdir()
    return BUILDERS[layout.name](root)


def spot_of(name: str) -> str:
    return next(spot for spot in NORTH_M if spot in name)


def assert_positions(photos: PhotoSet) -> None:
    lat = [LAT[spot_of(name)] for name in photos.names]
    np.testing.assert_allclose(photos.positions.lat, lat, atol=1e-8)  # a millimetre
    np.testing.assert_allclose(photos.positions.lon, LON, atol=1e-8)
    np.testing.assert_allclose(
        photos.positions.north_m, [NORTH_M[spot_of(name)] for name in photos.names], atol=0.01
    )


def test_it_is_a_layout(layout: Layout) -> None:
    assert isinstance(layout, Layout)
    assert layout.name in LAYOUTS
    assert layout.looks_for


def test_it_recognises_its_own(layout: Layout, built: Built) -> None:
    assert layout.missing(built.root) is None
    assert layout.splits(built.root) == built.splits
    assert dataset_splits(built.root) == built.splits
    assert load_dataset(built.root, *built.splits[:1]).layout == layout.name


def test_it_rejects_an_empty_folder_and_says_what_it_looked_for(layout: Layout, tmp_path: Path) -> None:
    empty = tmp_path / "empty folder"
    empty.mkdir()
    with pytest.raises(DatasetError) as caught:
        load_dataset(empty, layout=layout.name)
    assert str(empty) in str(caught.value)
    assert layout.looks_for in str(caught.value)
    with pytest.raises(DatasetError) as caught:
        load_dataset(empty)
    assert layout.looks_for in str(caught.value)


def test_photos_are_where_they_were_taken(built: Built) -> None:
    loaded = load_dataset(built.root, *built.splits[:1])
    assert not loaded.problems
    assert sorted(map(spot_of, loaded.database.names + loaded.queries.names)) == ["far", "near", "query"]
    assert [spot_of(name) for name in loaded.queries.names] == (["query"] if built.has_queries else [])
    assert_positions(loaded.database)
    assert_positions(loaded.queries)
    for path in loaded.database.paths + loaded.queries.paths:
        assert path.is_file()
    if built.has_queries:
        # 11 m from "near", 89 m from "far".
        assert [spot_of(loaded.database.names[row]) for row in loaded.positives(25)[0]] == ["near"]
        assert loaded.positives(10).counts.tolist() == [0]


def test_every_suffix_in_every_case_is_seen(built: Built) -> None:
    loaded = load_dataset(built.root, *built.splits[:1])
    assert {path.suffix for path in loaded.database.paths} >= {".JPG", ".png"}


def test_splits_share_no_photo(built: Built) -> None:
    paths = [
        path
        for split in built.splits
        for photos in (load_dataset(built.root, split).database, load_dataset(built.root, split).queries)
        for path in photos.paths
    ]
    assert len(set(paths)) == len(paths) == 3 * len(built.splits)


def test_a_split_that_is_not_there_is_named_with_those_that_are(built: Built) -> None:
    with pytest.raises(DatasetError) as caught:
        load_dataset(built.root, "tset")
    assert "'tset'" in str(caught.value)
    for split in built.splits:
        assert split in str(caught.value)
    if len(built.splits) > 1:
        with pytest.raises(DatasetError, match="test, train; say which one"):
            load_dataset(built.root)


def test_a_position_less_photo_stays_and_is_named(layout: Layout, tmp_path: Path) -> None:
    built = BUILDERS[layout.name](tmp_path)
    split = built.splits[0] if built.splits else None
    folder = load_dataset(built.root, split).database.paths[0].parent
    draw(folder / "lost.jpg", "query")
    if layout.name == "table":
        with built.root.open("a", encoding="utf-8") as stream:
            stream.write(f"\n{folder.name}/lost.jpg;;;{split};database\n")
    loaded = load_dataset(built.root, split)
    lost = [name.endswith("lost.jpg") for name in loaded.database.names]
    assert (~loaded.database.positions.known).tolist() == lost
    [problem] = loaded.problems
    assert problem.photo.endswith("lost.jpg")
    assert "no EXIF" in problem.reason
