"""Options that several verbs share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from landfall.cli.options import input_spec
from landfall.photos import InputSpec


def test_resize_changes_the_size_and_nothing_else() -> None:
    model: Any = SimpleNamespace(card=SimpleNamespace(input_spec=InputSpec(480, 640, "bicubic")))
    assert input_spec((96, 128), model) == InputSpec(96, 128, "bicubic")
    assert input_spec(None, model) is None
    own_size: Any = SimpleNamespace(card=SimpleNamespace(input_spec=InputSpec(None, None)))
    assert input_spec((96, 128), own_size) == InputSpec(96, 128, "bilinear")
