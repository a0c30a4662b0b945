"""Building an index: what it keeps, what it leaves out and says so, and how an interrupted build ends."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from landfall.errors import DatasetError, IndexStoreError
from landfall.extraction import Progress
from landfall.localization import build_index
from landfall.models import Model
from landfall.models.card import ModelCard
from landfall.photos import InputSpec, write_jpeg

PLACES, STEP_DEG = 5, 0.001


class KilledError(Exception):
    """Stands for the kill of a build."""


def stop_after(photos: int) -> object:
    def progress(told: Progress) -> None:
        if told.done >= photos:
            raise KilledError

    return progress


def contents(index: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(index.iterdir())}


def test_the_index_keeps_what_the_photos_say(street: Path, network: Model, tmp_path: Path) -> None:
    report = build_index(street, tmp_path / "i.lf", model=network)
    assert (report.indexed, report.without_position, report.failed, report.resumed) == (PLACES, (), (), False)
    assert report.index.manifest.root == str(street)
    for place, record in enumerate(report.index.records()):
        path = street / record.photo
        assert (record.id, record.row, record.photo) == (place + 1, place, f"walk/{place}.jpg")
        assert (record.lat, record.lon) == pytest.approx((52.0 + STEP_DEG * place, 0.5), abs=1e-6)
        assert (record.altitude_m, record.heading_deg) == pytest.approx((10.0 + place, 90.0), abs=0.01)
        assert record.taken_at == datetime(2021, 6, 14, 12, place)
        assert (record.width, record.height, record.bytes) == (64, 64, path.stat().st_size)


def test_photos_of_no_use_are_left_out_with_their_reasons(
    street: Path, network: Model, tmp_path: Path
) -> None:
    shutil.copy(street / "walk" / "0.jpg", street / "@0303215.20@5787861.31@31@U@@@@@@@@@@@.jpg")
    (street / "@0303216.20@5787861.31@31@U@@@@@@@@@@@.jpg").write_text("no photo")  # found when it is read
    (street / "empty.jpg").touch()  # found when its position is looked for
    write_jpeg(street / "nowhere.jpg", np.zeros((64, 64, 3), np.uint8))
    report = build_index(street, tmp_path / "i.lf", model=network)
    assert report.indexed == PLACES + 1
    assert [problem.photo for problem in report.without_position] == ["nowhere.jpg"]
    failed = {problem.photo: problem.reason for problem in report.failed}
    assert set(failed) == {"empty.jpg", "@0303216.20@5787861.31@31@U@@@@@@@@@@@.jpg"}
    assert "empty" in failed["empty.jpg"]
    told = report.to_dict()
    assert told["indexed"] == PLACES + 1
    assert told["failed"] == 2
    assert {skip["photo"] for skip in told["skipped"]} == {"nowhere.jpg", *failed}


def test_where_every_photo_is_broken_the_reasons_are_told(network: Model, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for east in range(3):
        (photos / f"@030321{east}.20@5787861.31@31@U@@@@@@@@@@@.jpg").write_text("no photo")
    with pytest.raises(DatasetError, match=r"none of its 3 photos with a position could be read.*text"):
        build_index(photos, tmp_path / "i.lf", model=network)


def test_a_folder_without_photos_or_positions_says_so(network: Model, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "notes.txt").touch()
    with pytest.raises(DatasetError, match=r"has no photos \(and 1 other files\)"):
        build_index(photos, tmp_path / "i.lf", model=network)
    write_jpeg(photos / "nowhere.jpg", np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(DatasetError, match=r"none of its 1 photos.*nowhere\.jpg: no EXIF"):
        build_index(photos, tmp_path / "i.lf", model=network)
    assert not (tmp_path / "i.lf").exists()


def test_a_table_without_a_usable_row_says_why(network: Model, tmp_path: Path) -> None:
    table = tmp_path / "survey.csv"
    table.write_text("path,lat,lon\n")
    with pytest.raises(DatasetError, match=r"survey\.csv lists no photos: it has a header and no rows"):
        build_index(table, tmp_path / "i.lf", model=network)
    table.write_text("path,lat,lon\ngone.jpg,55.7,13.2\n")
    with pytest.raises(DatasetError, match=r"none of its 1 photos could be used: gone\.jpg: .*no such file"):
        build_index(table, tmp_path / "i.lf", model=network)
    write_jpeg(tmp_path / "nowhere.jpg", np.zeros((64, 64, 3), np.uint8))
    table.write_text("path,lat,lon\ngone.jpg,55.7,13.2\nnowhere.jpg,,\n")
    with pytest.raises(DatasetError, match=r"because 1 have no position, 1 can't be used\..*no such file"):
        build_index(table, tmp_path / "i.lf", model=network)


def test_a_stopped_build_goes_on_and_ends_as_an_undisturbed_one(
    street: Path, network: Model, tmp_path: Path
) -> None:
    undisturbed, stopped = tmp_path / "undisturbed.lf", tmp_path / "stopped.lf"
    build_index(street, undisturbed, model=network, batch_size=1)
    for done in (2, 4):
        with pytest.raises(KilledError):
            build_index(street, stopped, model=network, batch_size=1, progress=stop_after(done))  # type: ignore[arg-type]
    first: list[int] = []
    report = build_index(
        street, stopped, model=network, batch_size=1, progress=lambda told: first.append(told.done)
    )
    assert report.resumed
    assert first[0] == 4  # nothing is described again
    assert contents(stopped) == contents(undisturbed)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seed": 1}, ("seed (0 then, 1 now)",)),
        ({"spec": InputSpec(48, 80)}, ("input height (64 then, 48 now)",)),
        ({}, ("photos with a position (5 then, 6 now)",)),
    ],
)
def test_a_stopped_build_of_another_plan_is_refused(
    street: Path, network: Model, tmp_path: Path, changed: dict[str, object], told: tuple[str, ...]
) -> None:
    out = tmp_path / "i.lf"
    with pytest.raises(KilledError):
        build_index(street, out, model=network, batch_size=1, progress=stop_after(2))  # type: ignore[arg-type]
    before = contents(out / "building" / "descriptors.npy.partial")
    if not changed:
        shutil.copy(street / "walk" / "0.jpg", street / "one more.jpg")
    with pytest.raises(IndexStoreError) as refused:
        build_index(street, out, model=network, batch_size=1, **changed)  # type: ignore[arg-type]
    for words in told:
        assert words in str(refused.value)
    assert contents(out / "building" / "descriptors.npy.partial") == before


def test_a_photo_that_goes_away_meanwhile_is_named_and_may_come_back(
    street: Path, network: Model, tmp_path: Path
) -> None:
    gone, kept = street / "walk" / "3.jpg", tmp_path / "kept.jpg"

    def lose(told: Progress) -> None:
        if told.done == told.total:
            gone.replace(kept)

    with pytest.raises(IndexStoreError, match=r"3\.jpg: no such file.*Put it back"):
        build_index(street, tmp_path / "i.lf", model=network, progress=lose)
    kept.replace(gone)
    report = build_index(street, tmp_path / "i.lf", model=network)
    assert report.resumed
    assert report.indexed == PLACES


def test_a_path_that_is_not_utf_8_is_refused(street: Path, network: Model, tmp_path: Path) -> None:
    photos = tmp_path / os.fsdecode(b"stra\xdfe")
    try:
        street.rename(photos)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    with pytest.raises(DatasetError, match="not valid UTF-8"):
        build_index(photos, tmp_path / "i.lf", model=network)
    assert not (tmp_path / "i.lf").exists()


class Apprentice:
    """Has to be fitted; what it then gives is a real network, so that it can be kept and loaded."""

    def __init__(self, network: Model) -> None:
        self.network = network
        self.card: ModelCard = network.card
        self.fitted = False
        self.fit_sample = None
        self.fits: list[int] = []

    def fit(self, photos: Sequence[Path], *, seed: int = 0, spec: InputSpec | None = None) -> Model:
        assert spec == self.card.input_spec
        self.fits.append(len(photos))
        return self.network

    def describe(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise AssertionError("it was not fitted")

    def save(self, path: str | Path) -> None:
        raise AssertionError("there is nothing to save yet")


def test_a_model_is_fitted_once_however_often_the_build_is_stopped(
    street: Path, network: Model, tmp_path: Path
) -> None:
    model = Apprentice(network)
    for _ in range(2):
        with pytest.raises(KilledError):
            build_index(street, tmp_path / "i.lf", model=model, progress=stop_after(PLACES))  # type: ignore[arg-type]
    report = build_index(street, tmp_path / "i.lf", model=model)
    assert model.fits == [PLACES]
    assert report.indexed == PLACES
