"""The card: what it accepts, and that it survives its own JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from landfall.models.card import ModelCard
from landfall.photos import InputSpec


def card(**changes: Any) -> ModelCard:
    known = {"name": "n", "family": "network", "descriptor_dim": 8, "licence": "MIT", "source": "a test"}
    return ModelCard(**(known | changes))


@given(
    name=st.text(min_size=1),
    side=st.none() | st.integers(1, 5000),
    options=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()),
    seed=st.none() | st.integers(),
)
def test_json_round_trip(name: str, side: int | None, options: dict[str, Any], seed: int | None) -> None:
    made = card(name=name, height=side, width=side, head_options=options, seed=seed)
    assert ModelCard.model_validate_json(made.model_dump_json()) == made


def test_option_values_keep_their_types() -> None:
    options = {"clusters": 64, "learn_p": True, "p": 3.0, "out_dim": None, "mask_activation": "relu"}
    read = ModelCard.model_validate_json(card(head_options=options).model_dump_json()).head_options
    assert {k: (type(v), v) for k, v in read.items()} == {k: (type(v), v) for k, v in options.items()}


def test_input_spec_is_how_photos_are_read() -> None:
    made = card(height=320, width=240, interpolation="bicubic")
    assert made.input_spec == InputSpec(height=320, width=240, interpolation="bicubic")
    assert card(height=None, width=None).input_spec == InputSpec(height=None, width=None)


def test_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        card().name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    "wrong",
    [
        {"height": 480, "width": None},
        {"height": 0, "width": 640},
        {"std": (0.2, 0.0, 0.2)},
        {"mean": (0.2, float("nan"), 0.2)},
        {"descriptor_dim": 0},
        {"interpolation": "nearest"},
        {"sha256": "abc"},
        {"colour": "blue"},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        card(**wrong)
