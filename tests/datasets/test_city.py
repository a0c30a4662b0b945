"""Drawing a city: files, bytes, what stands in them, and going on after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from landfall.datasets import check_dataset, load_dataset
from landfall.datasets.city import CitySize, draw_city
from landfall.datasets.city.passes import PASSES
from landfall.datasets.city.renderer import Renderer
from landfall.datasets.city.route import shots
from landfall.datasets.city.town import furnish
from landfall.datasets.names import parse_name
from landfall.errors import UsageError
from landfall.geo import latlon_to_utm, neighbours_within
from landfall.photos import read_metadata

PROBE = CitySize("probe", train=(2, 1), val=(2, 1), test=(4, 2))


def draw(
    out: Path, seed: int = 1, workers: int | None = None, progress: Callable[[int], None] | None = None
) -> Path:
    return draw_city(
        out, size=PROBE, seed=seed, image_height=48, image_width=64, workers=workers, progress=progress
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("drawn") / "city")


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.jpg"))}


def test_the_same_seed_gives_the_same_bytes(city: Path, tmp_path: Path) -> None:
    again = draw(tmp_path / "again", workers=1)
    assert contents(again) == contents(city)
    assert len(contents(city)) == PROBE.photos


def test_another_seed_gives_another_city(city: Path, tmp_path: Path) -> None:
    other = draw(tmp_path / "other", seed=2)
    assert not set(contents(other).values()) & set(contents(city).values())


def test_the_city_loads_as_a_dataset(city: Path) -> None:
    for split in ("train", "val", "test"):
        dataset = load_dataset(city, split)
        assert (len(dataset.database), len(dataset.queries)) == PROBE.of(split)
        assert dataset.problems == ()
        near = neighbours_within(dataset.database.positions, dataset.queries.positions, 25.0)
        assert (near.counts > 0).all()
        assert {finding.kind for finding in check_dataset(dataset).findings} <= {"tiny"}


def test_names_and_exif_tell_one_place_time_and_heading(city: Path) -> None:
    for path in sorted(city.rglob("*.jpg")):
        name, exif = parse_name(path.name), read_metadata(path)
        assert exif.location is not None
        east, north, zone, south = latlon_to_utm(exif.location.lat, exif.location.lon)
        assert (int(zone), bool(south), name.zone, name.letter) == (31, False, 31, "U")
        assert np.hypot(east - name.east_m, north - name.north_m) < 0.02
        assert name.height_m is not None
        assert name.heading_deg is not None
        assert exif.altitude_m == pytest.approx(name.height_m, abs=0.011)
        assert exif.heading_deg == pytest.approx(name.heading_deg, abs=0.011)
        assert exif.taken_at == name.taken_at
        assert (exif.width, exif.height) == (64, 48)


def test_the_card_says_how_the_city_was_drawn(city: Path) -> None:
    card = json.loads((city / "city.json").read_text())
    assert card["synthetic"] is True
    assert (card["seed"], card["image_height"], card["image_width"]) == (1, 48, 64)
    assert card["photos"]["test"] == {"database": 4, "queries": 2}
    assert len(card["passes"]) == len(PASSES)
    assert datetime.fromisoformat(card["passes"][0]["start"]) == PASSES[0].start
    assert "synthetic" in (city / "README.txt").read_text()


def test_drawing_goes_on_where_it_stopped(city: Path, tmp_path: Path) -> None:
    root = draw(tmp_path / "city")
    photos = sorted(root.rglob("*.jpg"))
    photos[3].unlink()
    photos[5].unlink()
    # what a killed run leaves beside a photo must not count as one
    photos[5].with_name(photos[5].name + ".tmp").write_bytes(b"half")
    kept = {path: path.stat().st_mtime_ns for path in photos if path.exists()}
    told: list[int] = []
    draw(root, progress=told.append)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert contents(root) == contents(city)
    assert told == [PROBE.photos - 2, PROBE.photos - 1, PROBE.photos]


def test_a_folder_of_something_else_is_refused(city: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="seed differ"):
        draw(city, seed=9)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty"):
        draw(tmp_path)
    for damaged in ("{", "[1, 2]"):
        (tmp_path / "city.json").write_text(damaged)
        with pytest.raises(UsageError, match=r"city\.json"):
            draw(tmp_path)
    for device in ("cuda:99", "cpufoo", "meta"):
        with pytest.raises(UsageError, match="Use 'cpu'"):
            draw_city(tmp_path / "new", size=PROBE, device=device)
    with pytest.raises(UsageError, match="32 to 4096"):
        draw_city(tmp_path / "new", size=PROBE, image_height=5, image_width=64)


def test_a_claim_that_was_killed_is_gone_on_with(city: Path, tmp_path: Path) -> None:
    # What stands there between the first file of a claim and its last.
    for name in ("README.txt", "README.txt.tmp", "city.json.tmp"):
        (tmp_path / name).write_text("half")
    assert contents(draw(tmp_path)) == contents(city)
    assert "synthetic" in (tmp_path / "README.txt").read_text()


def test_a_place_that_can_t_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "city"):
        with pytest.raises(UsageError, match="can't be drawn into"):
            draw(out)


def test_a_photo_that_can_t_be_written_ends_the_drawing_and_the_next_goes_on(
    city: Path, tmp_path: Path
) -> None:
    photo = next(city.rglob("test/queries/*.jpg")).relative_to(city)
    in_the_way = tmp_path / "city" / photo.with_name(photo.name + ".tmp")
    told: list[int] = []

    def block(done: int) -> None:
        told.append(done)
        in_the_way.mkdir(parents=True, exist_ok=True)

    with pytest.raises(UsageError, match="kept"):
        draw(tmp_path / "city", workers=1, progress=block)
    assert 0 < told[-1] < PROBE.photos
    in_the_way.rmdir()
    assert contents(draw(tmp_path / "city")) == contents(city)


def test_a_photo_does_not_depend_on_its_batch() -> None:
    plan, taken = shots(1, PROBE)
    renderer = Renderer(furnish(plan), height=48, width=64)
    views = [shot.view for shot in taken]
    together = renderer.draw(views).astype(int)
    alone = np.concatenate([renderer.draw([view]) for view in views]).astype(int)
    # rounding: vectorised functions differ in their last bit at the ends of arrays
    differing = np.abs(together - alone)
    assert differing.max() <= 3
    assert (differing > 0).mean() < 0.002


def test_passes_show_one_place_differently() -> None:
    plan, taken = shots(1, PROBE)
    renderer = Renderer(furnish(plan), height=48, width=64)
    place = next(shot.view for shot in taken if shot.role == "database")
    photos = renderer.draw([replace(place, visit=visit) for visit in range(len(PASSES))]).astype(float)
    for one in range(len(PASSES)):
        for other in range(one):
            assert np.abs(photos[one] - photos[other]).mean() > 8.0
    # and each is a picture: lit, with contrast
    assert (photos.std(axis=(1, 2, 3)) > 25.0).all()


def tiny_grey(path: Path) -> NDArray[np.float64]:
    with Image.open(path) as photo:
        values = np.asarray(photo.convert("L").resize((32, 24), Image.Resampling.BOX), float).ravel()
    values -= values.mean()
    return np.asarray(values / np.linalg.norm(values))


def test_raw_pixels_do_not_find_the_place(tmp_path: Path) -> None:
    size = CitySize("probe", train=(2, 1), val=(2, 1), test=(100, 40))
    dataset = load_dataset(draw_city(tmp_path / "city", size=size, image_height=48, image_width=64), "test")
    database = np.stack([tiny_grey(path) for path in dataset.database.paths])
    queries = np.stack([tiny_grey(path) for path in dataset.queries.paths])
    ranked = np.argsort(-queries @ database.T, axis=1)[:, :1]
    near = neighbours_within(dataset.database.positions, dataset.queries.positions, 25.0)
    assert near.contains(ranked).mean() < 0.4
