from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.index.conftest import CARD, PLAN, build, descriptors, records

from landfall.errors import IndexStoreError
from landfall.index import Index, begin

SCRIPT = Path(__file__).with_name("killed_build.py")
ROOT = Path(__file__).parents[2]


def start(out: Path, *how: str) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPT), str(out), *how]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_builds_of_the_same_give_the_same_bytes(tmp_path: Path) -> None:
    assert contents(build(tmp_path / "a").path) == contents(build(tmp_path / "b").path)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    "name",
    ["plan.json", "photos-000001.sqlite", "descriptors-000001.npy", "model.safetensors", "manifest.json"],
)
def test_a_killed_build_goes_on_and_equals_an_undisturbed_one(tmp_path: Path, moment: str, name: str) -> None:
    out = tmp_path / "city.lf"
    process = start(out, moment, name)
    _, told = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, told.decode()
    if (moment, name) == ("after", "manifest.json"):
        # It is committed; that its folder was not tidied up does no harm.
        assert len(Index.open(out)) == 6
        with pytest.raises(IndexStoreError, match="finished index"):
            begin(out, PLAN)
        assert not (out / "building").exists()
    else:
        with pytest.raises(IndexStoreError, match="not finished"):
            Index.open(out)
        build(out)
    assert contents(out) == contents(build(tmp_path / "undisturbed").path)


def test_a_second_builder_is_kept_out_until_the_first_dies(tmp_path: Path) -> None:
    out = tmp_path / "city.lf"
    process = start(out, "hold")
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"holding\n"
        with pytest.raises(IndexStoreError, match="another process"):
            begin(out, PLAN)
    finally:
        process.kill()
        process.communicate()
    with begin(out, PLAN) as building:
        assert building.resumed


def test_unfinished_work_stays_for_the_next_builder_of_the_same_plan(tmp_path: Path) -> None:
    with begin(tmp_path / "i", PLAN) as building:
        assert not building.resumed
        (building.folder / "work").write_text("half", encoding="utf-8")
    with begin(tmp_path / "i", dict(reversed(PLAN.items()))) as building:
        assert building.resumed
        assert (building.folder / "work").read_text(encoding="utf-8") == "half"


def test_another_plan_is_refused_with_both_told(tmp_path: Path) -> None:
    begin(tmp_path / "i", PLAN).close()
    with pytest.raises(IndexStoreError, match=r"photos \(a folder of 6 then, a folder of 7 now\)"):
        begin(tmp_path / "i", {**PLAN, "photos": "a folder of 7"})
    begin(tmp_path / "i", PLAN).close()


def test_places_of_other_things_are_refused_and_left_alone(tmp_path: Path, index: Index) -> None:
    with pytest.raises(IndexStoreError, match="finished index"):
        begin(index.path, PLAN)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.jpg").write_text("", encoding="utf-8")
    with pytest.raises(IndexStoreError, match=r"other things \(photo.jpg\)"):
        begin(tmp_path / "mine", PLAN)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["photo.jpg"]
    with pytest.raises(IndexStoreError, match="is a file"):
        begin(tmp_path / "mine" / "photo.jpg", PLAN)
    with pytest.raises(IndexStoreError, match="can't be written"):
        begin(tmp_path / "mine" / "photo.jpg" / "below", PLAN)
    (tmp_path / "empty").mkdir()
    begin(tmp_path / "empty", PLAN).close()


def test_an_array_in_memory_and_someone_elses_model_file_are_copied(tmp_path: Path) -> None:
    model = tmp_path / "mine.safetensors"
    model.write_bytes(b"a model")
    with begin(tmp_path / "i", PLAN) as building:
        index = building.commit(records(), descriptors().astype(np.float16), model, card=CARD)
    assert index.manifest.descriptor_dtype == "float16"
    model.write_bytes(b"changed")
    assert (index.path / "model.safetensors").read_bytes() == b"a model"
    assert index.search(descriptors()[1:2], 1)[0][0].id == 101


def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"a model")
    with begin(tmp_path / "i", PLAN) as building:

        def commit(photos: int = 6, rows: int = 6, dim: int = 8, dtype: str = "float32") -> None:
            array = np.zeros((rows, dim), dtype)
            building.commit(records(photos), array, tmp_path / "m", card=CARD)

        with pytest.raises(IndexStoreError, match="5 photos came with 6 descriptors"):
            commit(photos=5)
        with pytest.raises(IndexStoreError, match="have 7 numbers; fake makes 8"):
            commit(dim=7)
        with pytest.raises(IndexStoreError, match="float64"):
            commit(dtype="float64")
        twice = [replace(record, photo="same.jpg") for record in records()]
        with pytest.raises(IndexStoreError, match="a row, and a name"):
            building.commit(twice, descriptors(), tmp_path / "m", card=CARD)
        commit()
    assert len(Index.open(tmp_path / "i")) == 6
