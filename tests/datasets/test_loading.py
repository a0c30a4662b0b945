from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import pytest

from landfall.datasets import check_dataset, load_dataset, load_photos
from landfall.errors import DatasetError, UnknownNameError


class Draw(Protocol):
    def __call__(self, path: Path, *, at: tuple[float, float] | None = None) -> Path: ...


NAME = "@500000.00@0000000.00@31@N@.jpg"


def pair(root: Path, draw: Draw) -> Path:
    draw(root / "database" / NAME)
    draw(root / "queries" / NAME)
    return root


def test_a_name_is_looked_up_in_the_datasets_folder(
    tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair(tmp_path / "all" / "town" / "images" / "test", draw)
    monkeypatch.setenv("DATASETS_FOLDER", str(tmp_path / "all"))
    monkeypatch.chdir(tmp_path)
    loaded = load_dataset("town")
    assert (loaded.label, loaded.layout, len(loaded.database)) == ("town/test", "standard", 1)
    with pytest.raises(DatasetError, match=r"'twon'.*DATASETS_FOLDER holds town"):
        load_dataset("twon")
    with pytest.raises(DatasetError, match="DATASETS_FOLDER holds town"):
        load_dataset("nothing like it")
    pair(tmp_path / "town", draw)
    assert load_dataset("town").split is None, "a path that exists goes before a name"


def test_a_name_without_a_datasets_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATASETS_FOLDER", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="DATASETS_FOLDER is not set"):
        load_dataset("town")
    monkeypatch.setenv("DATASETS_FOLDER", str(tmp_path / "nowhere"))
    with pytest.raises(DatasetError, match="can't be read"):
        load_dataset("town")


def test_what_the_system_refuses_is_told_with_the_file() -> None:
    # A name longer than any file system takes: refused for everybody, unlike a folder without rights.
    with pytest.raises(DatasetError, match="xxx can't be read: File name too long"):
        load_dataset("x" * 5000)
    with pytest.raises(DatasetError, match="xxx can't be read: File name too long"):
        load_photos("x" * 5000)


def test_a_dot_has_a_name(tmp_path: Path, draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pair(tmp_path / "town", draw))
    assert load_dataset(".").name == "town"


def test_one_half_of_a_pair_is_told_not_taken_for_a_pile_of_photos(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "images" / "test" / "database" / NAME)
    draw(tmp_path / "images" / "test" / "qeuries" / NAME)
    with pytest.raises(DatasetError) as caught:
        load_dataset(tmp_path)
    assert "images/test has no folder queries" in str(caught.value)


def test_a_folder_of_datasets_is_told(tmp_path: Path, draw: Draw) -> None:
    pair(tmp_path / "town" / "images" / "test", draw)
    with pytest.raises(DatasetError, match=r"datasets in it \(town\)"):
        load_dataset(tmp_path)


def test_a_folder_without_photos_is_named(tmp_path: Path, draw: Draw) -> None:
    pair(tmp_path, draw)
    (tmp_path / "queries" / NAME).rename(tmp_path / "queries" / "notes.txt")
    with pytest.raises(DatasetError) as caught:
        load_dataset(tmp_path)
    assert str(tmp_path / "queries") in str(caught.value)
    assert ".jpg" in str(caught.value)
    assert "1 other files" in str(caught.value)


def test_a_layout_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="standard"):
        load_dataset(tmp_path, layout="standart")


def test_a_layout_can_be_demanded(tmp_path: Path, draw: Draw) -> None:
    pair(tmp_path, draw)
    assert load_dataset(tmp_path).layout == "standard"
    assert load_dataset(tmp_path, layout="folders").layout == "folders"


def test_a_bad_name_is_a_problem_not_a_crash(tmp_path: Path, draw: Draw) -> None:
    pair(tmp_path, draw)
    draw(tmp_path / "queries" / "@50x@0@31@N@.jpg")
    draw(tmp_path / "queries" / "@.jpg")
    loaded = load_dataset(tmp_path)
    assert len(loaded.queries) == 3
    assert {problem.photo: problem.reason for problem in loaded.problems} == {
        "queries/@.jpg": "no EXIF",
        "queries/@50x@0@31@N@.jpg": "east '50x' in its name is not a number; no EXIF",
    }


def test_metres_without_a_zone_count_only_among_their_like(tmp_path: Path, draw: Draw) -> None:
    for half in ("database", "queries"):
        draw(tmp_path / half / "@0000000.00@0000010.00@@@@@frame1@@@@@@@@.jpg")
    loaded = load_dataset(tmp_path)
    assert not loaded.problems
    assert loaded.positives(1).counts.tolist() == [1]
    draw(tmp_path / "database" / NAME)
    [problem] = load_dataset(tmp_path).problems
    assert problem.photo.endswith("frame1@@@@@@@@.jpg")
    assert "no UTM zone" in problem.reason


def test_a_broken_file_stays_and_is_named(tmp_path: Path, draw: Draw) -> None:
    pair(tmp_path, draw)
    (tmp_path / "database" / "broken.jpg").write_bytes(b"no photo")
    loaded = load_dataset(tmp_path)
    assert len(loaded.database) == 2
    assert [problem.photo for problem in loaded.problems] == ["database/broken.jpg"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_that_loop_are_told(tmp_path: Path, draw: Draw) -> None:
    pair(tmp_path, draw)
    (tmp_path / "database" / "again").symlink_to(tmp_path / "database", target_is_directory=True)
    loaded = load_dataset(tmp_path)
    assert len(loaded.database) == 1
    assert [problem.photo for problem in loaded.left_out] == ["database/again"]
    [finding] = check_dataset(loaded).findings
    assert (finding.kind, finding.photos) == ("unreadable", ("database/again",))
