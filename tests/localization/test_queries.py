"""Which photos files and folders stand for, and what each is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from landfall.errors import UsageError
from landfall.localization import find_queries


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders ``a`` (``1.jpg``, ``deep/2.PNG``, a text) and ``b`` (``1.jpg``), and we stand beside them."""
    for name in ("a/1.jpg", "a/deep/2.PNG", "a/notes.txt", "b/1.jpg", "plain"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_photos_of_one_folder_are_named_relative_to_it() -> None:
    found = find_queries([Path("a")])
    assert found.names == ("1.jpg", "deep/2.PNG")
    assert found.paths == (Path("a/1.jpg"), Path("a/deep/2.PNG"))


@pytest.mark.usefixtures("here")
def test_photos_of_several_folders_keep_the_folder_in_front() -> None:
    found = find_queries([Path("b"), Path("a")])
    assert found.names == ("b/1.jpg", "a/1.jpg", "a/deep/2.PNG")
    assert found.paths == tuple(Path(name) for name in found.names)


def test_files_are_named_as_given_whatever_their_ending_or_absence(here: Path) -> None:
    given = [here / "a" / "1.jpg", Path("plain"), Path("missing.jpg")]
    found = find_queries(given)
    assert found.names == ((here / "a" / "1.jpg").as_posix(), "plain", "missing.jpg")
    assert found.paths == tuple(given)
    assert found.problems == ()


def test_what_can_t_be_looked_into_is_a_fix_with_its_reason(here: Path) -> None:
    (here / "a" / "loop").symlink_to(here / "a", target_is_directory=True)
    for given, name in (([Path("a")], "loop"), ([Path("a"), Path("b")], "a/loop")):
        (fix,) = find_queries(given).failed_fixes()
        assert fix.photo == name
        assert fix.error is not None
        assert "leads back" in fix.error


def test_a_folder_that_can_t_be_listed_stops_the_others_only_where_it_is_alone(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Injected, because root may list any folder.
    real = os.scandir

    def refuse(folder: Path | str) -> object:
        if Path(folder).name == "b":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_queries([Path("b"), Path("a")])
    assert found.names == ("a/1.jpg", "a/deep/2.PNG")
    (problem,) = found.problems
    assert problem.photo == "b"
    assert problem.reason.startswith("Permission denied")
    with pytest.raises(UsageError, match="b: Permission denied"):
        find_queries([Path("b")])


@pytest.mark.usefixtures("here")
def test_a_name_too_long_for_the_system_stops_no_others() -> None:
    long = "x" * 300
    assert find_queries([Path("a"), Path(long)]).names == ("a/1.jpg", "a/deep/2.PNG", long)


def test_a_lone_path_that_is_not_there_is_wrong_usage(here: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        find_queries([here / "missing"])
