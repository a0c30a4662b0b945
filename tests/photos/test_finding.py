from __future__ import annotations

import os
from pathlib import Path

import pytest

from landfall.errors import UsageError
from landfall.photos import PHOTO_SUFFIXES, PhotoProblem, find_photos


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def test_finds_nested_photos_sorted_whatever_the_case_of_their_ending(tmp_path: Path) -> None:
    names = ["b.JPG", "a/z.jpeg", "a/Übersicht mit Leerzeichen.PnG", "a/b/c/d.heic", "B.webp", "a.tiff"]
    touch(tmp_path, *names, "notes.txt", "a/table.csv", "jpg", "a.jpg.tmp")
    found = find_photos(tmp_path)
    assert found.names == sorted(names)
    assert (found.problems, found.other_files, found.root) == ([], 4, tmp_path)


def test_every_promised_ending_is_found(tmp_path: Path) -> None:
    touch(tmp_path, *(f"x{suffix.upper()}" for suffix in PHOTO_SUFFIXES))
    assert len(find_photos(tmp_path).names) == len(PHOTO_SUFFIXES) == 11


def test_hidden_files_and_folders_are_skipped_uncounted(tmp_path: Path) -> None:
    touch(tmp_path, ".thumb.jpg", ".cache/a.jpg", "a.jpg")
    found = find_photos(tmp_path)
    assert (found.names, found.problems, found.other_files) == (["a.jpg"], [], 0)


def test_links_are_followed_and_loops_named(tmp_path: Path) -> None:
    touch(tmp_path, "photos/in/a.jpg", "elsewhere/b.jpg")
    root = tmp_path / "photos"
    (root / "in/up").symlink_to(root)
    (root / "in/here").symlink_to(root / "in")
    (root / "link.jpg").symlink_to(root / "in/a.jpg")
    (root / "out").symlink_to(tmp_path / "elsewhere")
    (root / "self").symlink_to(root / "self")
    (root / "gone.jpg").symlink_to(root / "nothing.jpg")
    (root / "gone").symlink_to(root / "nothing")
    found = find_photos(root)
    assert found.names == ["in/a.jpg", "link.jpg", "out/b.jpg"]
    assert found.problems == [
        PhotoProblem("gone.jpg", "a symbolic link to a file that is not there"),
        PhotoProblem("in/here", "a symbolic link that leads back to a folder above it"),
        PhotoProblem("in/up", "a symbolic link that leads back to a folder above it"),
        PhotoProblem("self", "a symbolic link that leads back to itself"),
    ]
    assert found.other_files == 1


def test_a_loop_through_two_folders_ends(tmp_path: Path) -> None:
    touch(tmp_path, "root/a/a.jpg", "b/b.jpg")
    (tmp_path / "root/a/to_b").symlink_to(tmp_path / "b")
    (tmp_path / "b/to_a").symlink_to(tmp_path / "root/a")
    found = find_photos(tmp_path / "root")
    assert found.names == ["a/a.jpg", "a/to_b/b.jpg"]
    assert [problem.photo for problem in found.problems] == ["a/to_b/to_a"]


def test_an_unreadable_folder_is_a_problem_and_the_rest_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "open/a.jpg", "shut/b.jpg")
    listing = os.scandir

    def refuse(folder: Path) -> object:
        if Path(folder).name == "shut":
            raise PermissionError(13, "Permission denied")
        return listing(folder)

    # Injected, for root may list every folder.
    monkeypatch.setattr(os, "scandir", refuse)
    found = find_photos(tmp_path)
    assert found.names == ["open/a.jpg"]
    assert found.problems == [PhotoProblem("shut", "the folder can't be listed: Permission denied")]


def test_pipes_and_names_that_are_no_text_are_problems(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.jpg", "wb"):  # noqa: PTH123 - Path has no bytes
        pass
    assert find_photos(tmp_path).problems == [
        PhotoProblem("caf\\udce9.jpg", "its name is not valid UTF-8"),
        PhotoProblem("pipe.jpg", "not a regular file"),
    ]


def test_a_single_photo_is_accepted(tmp_path: Path) -> None:
    touch(tmp_path, "a.JPG")
    found = find_photos(tmp_path / "a.JPG")
    assert (found.root, found.names) == (tmp_path, ["a.JPG"])


@pytest.mark.parametrize(
    ("name", "words"), [("nowhere", "nothing is there"), ("a.txt", "not a photo by its ending")]
)
def test_unusable_paths_are_named(tmp_path: Path, name: str, words: str) -> None:
    touch(tmp_path, "a.txt")
    with pytest.raises(UsageError, match=words) as caught:
        find_photos(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
