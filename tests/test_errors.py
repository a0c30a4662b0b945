from __future__ import annotations

import inspect
import pickle

import pytest

from landfall import errors
from landfall.errors import LandfallError, PhotoError, PhotoTooLargeError, UnknownNameError, UsageError


def error_classes() -> list[type[LandfallError]]:
    return [
        thing
        for _, thing in inspect.getmembers(errors, inspect.isclass)
        if issubclass(thing, LandfallError) and thing.__module__ == errors.__name__
    ]


def test_the_tree_drawn_in_the_docstring_is_the_tree() -> None:
    drawn = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.lstrip(" │├└─").split(" ")[0]
        if name.endswith("Error"):
            # Four columns a level, below an indentation of four.
            depth = (len(line) - len(line.lstrip(" │├└─"))) // 4 - 1
            drawn.append((depth, name))

    real = [
        (len([c for c in cls.__mro__ if issubclass(c, LandfallError)]) - 1, cls.__name__)
        for cls in error_classes()
    ]

    assert sorted(drawn) == sorted(real)


def test_every_error_is_either_for_the_whole_run_or_for_one_photo() -> None:
    for cls in error_classes():
        assert cls is LandfallError or issubclass(cls, UsageError) != issubclass(cls, PhotoError)


def test_an_unknown_name_reads_as_a_sentence_though_it_is_a_key_error() -> None:
    error = UnknownNameError("head", "crn3", ["crn", "crn2"])

    assert isinstance(error, KeyError)
    assert str(error) == "No head is called 'crn3'. Did you mean crn or crn2?"


def test_a_photo_error_names_the_photo_and_the_reason() -> None:
    error = PhotoTooLargeError("a/b.png", "400 megapixels; at most 200 are read")

    assert str(error) == "a/b.png: 400 megapixels; at most 200 are read"
    assert (error.photo, error.reason) == ("a/b.png", "400 megapixels; at most 200 are read")


@pytest.mark.parametrize(
    "error",
    [
        UnknownNameError("head", "crn3", ["crn", "crn2"]),
        PhotoTooLargeError("a.png", "too large"),
        errors.PositionError("off the map"),
    ],
)
def test_errors_cross_process_borders(error: LandfallError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301

    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
