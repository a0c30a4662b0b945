"""The command line as a whole: what it loads, its exit codes, its answers to wrong usage."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

import landfall as package

Run = Callable[..., "subprocess.CompletedProcess[str]"]

VERBS = ["demo", "extract", "train", "evaluate", "explain", "localize", "dataset", "models", "index"]


@pytest.mark.parametrize("statement", ["import landfall", "import landfall.cli.main"])
def test_importing_loads_nothing_heavy(statement: str) -> None:
    heavy = ["torch", "cv2", "faiss", "matplotlib", "scipy", "sklearn"]
    loaded = f"print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {statement}; {loaded}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_help_names_every_verb(landfall: Run) -> None:
    done = landfall("--help")
    assert done.returncode == 0
    for verb in VERBS:
        assert verb in done.stdout


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(landfall: Run, verb: str) -> None:
    done = landfall(verb, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_version(landfall: Run) -> None:
    assert landfall("--version").stdout.strip() == f"landfall {package.__version__}"


def test_an_unknown_verb_is_wrong_usage(landfall: Run) -> None:
    assert landfall("lokalize").returncode == 2


def test_an_unknown_model_is_wrong_usage_and_close_names_are_told(landfall: Run) -> None:
    done = landfall("models", "show", "densvlad")
    assert done.returncode == 2
    assert "densevlad" in done.stderr
    assert "Traceback" not in done.stderr


def test_public_names_are_there_and_sorted() -> None:
    assert package.__all__ == sorted(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert {"base", "crn", "crn2", "gem", "netvlad"} <= set(package.heads())
    assert "resnet18" in package.backbones()


def test_models_lists_names_before_and_after_the_package_of_that_name_is_imported() -> None:
    code = (
        "import landfall; before = landfall.models(); import landfall.models; "
        "print(before == landfall.models() and landfall.models.load_model is not None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
    assert "densevlad" in package.models()  # type: ignore[operator]  # a callable package
