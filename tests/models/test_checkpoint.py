"""The checkpoint file: what comes back is what went in, and nothing else is let in."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save_file

from landfall.errors import ModelError, WeightsError
from landfall.models.card import ModelCard
from landfall.models.checkpoint import hash_tensors, read_card, read_checkpoint, write_checkpoint

CARD = ModelCard(name="n", family="network", descriptor_dim=8, licence="MIT", source="a test")
TENSORS: dict[str, npt.NDArray[Any]] = {
    "b.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a.count": np.array(7, dtype=np.int64),
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    write_checkpoint(path, TENSORS, CARD)
    return path


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8),
        hnp.arrays(
            st.sampled_from([np.float32, np.float16, np.int64, np.uint8]),
            hnp.array_shapes(min_dims=0, max_dims=3, max_side=4),
            elements=st.integers(0, 100),
        ),
        max_size=4,
    )
)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, npt.NDArray[Any]]) -> None:
    path = tmp_path_factory.mktemp("checkpoint") / "m"
    written = write_checkpoint(path, tensors, CARD)
    card, read = read_checkpoint(path)
    assert card == written == read_card(path)
    assert card.model_copy(update={"sha256": None}) == CARD
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype
        assert read[name].shape == tensor.shape
        assert (read[name] == tensor).all()


def test_memory_order_is_not_saved(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "m", {"a": TENSORS["b.weight"].T}, CARD)
    assert (read_checkpoint(tmp_path / "m")[1]["a"] == TENSORS["b.weight"].T).all()


def test_hash_is_the_documented_one() -> None:
    # Names, dtypes, shapes, bytes, sorted by name; written out here by hand.
    by_hand = hashlib.sha256(
        b"a.count\0<i8\0()\0"
        + struct.pack("<q", 7)
        + b"b.weight\0<f4\0(2, 3)\0"
        + struct.pack("<6f", *range(6))
    )
    assert hash_tensors(TENSORS) == by_hand.hexdigest()


@pytest.mark.parametrize(
    "changed",
    [
        {"b.weight": TENSORS["b.weight"] + 1, "a.count": TENSORS["a.count"]},
        {"b.weight": TENSORS["b.weight"].reshape(3, 2), "a.count": TENSORS["a.count"]},
        {"b.weight": TENSORS["b.weight"].view(np.int32), "a.count": TENSORS["a.count"]},
        {"c.weight": TENSORS["b.weight"], "a.count": TENSORS["a.count"]},
        {"b.weight": TENSORS["b.weight"]},
    ],
)
def test_hash_sees_every_change(changed: dict[str, npt.NDArray[Any]]) -> None:
    assert hash_tensors(changed) != hash_tensors(TENSORS)


def test_flipped_bit_is_found(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(content)
    read_card(saved)
    with pytest.raises(WeightsError, match=r"model\.safetensors: damaged"):
        read_checkpoint(saved)


@pytest.mark.parametrize("length", [0, 4, 100])
def test_cut_file_is_named(saved: Path, length: int) -> None:
    saved.write_bytes(saved.read_bytes()[:length])
    with pytest.raises(WeightsError, match=r"model\.safetensors: not a readable safetensors file"):
        read_card(saved)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing: no such file"):
        read_checkpoint(tmp_path / "nothing")
    with pytest.raises(ModelError, match="is a folder"):
        read_checkpoint(tmp_path)


def test_bare_weights_are_not_a_model(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "weights.safetensors")
    with pytest.raises(ModelError, match=r"weights\.safetensors: has no model card.*landfall models create"):
        read_card(tmp_path / "weights.safetensors")


@pytest.mark.parametrize("text", ["no JSON", "[]", "null"])
def test_metadata_that_tells_nothing_is_no_card(tmp_path: Path, text: str) -> None:
    save_file(TENSORS, tmp_path / "m", metadata={"landfall": text})
    with pytest.raises(ModelError, match="m: has no model card"):
        read_card(tmp_path / "m")


@pytest.mark.parametrize("number", [2, 0, "x"])
def test_other_formats_are_refused(tmp_path: Path, number: object) -> None:
    told = {"format": number, "card": CARD.model_dump(mode="json")}
    save_file(TENSORS, tmp_path / "m", metadata={"landfall": json.dumps(told)})
    with pytest.raises(ModelError, match=f"m: has checkpoint format {number!r}.*reads up to 1"):
        read_card(tmp_path / "m")


def test_unreadable_card_says_which_field(tmp_path: Path) -> None:
    content = json.loads(CARD.model_dump_json()) | {"descriptor_dim": -1, "colour": "blue"}
    told = {"format": 1, "card": content}
    save_file(TENSORS, tmp_path / "m", metadata={"landfall": json.dumps(told)})
    with pytest.raises(ModelError, match=r"m: its model card.*descriptor_dim: .*colour: "):
        read_card(tmp_path / "m")


def test_writing_replaces_the_whole_file_or_nothing(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(ModelError, match="can't be written"):
        write_checkpoint(saved.parent / "no such folder" / "m", TENSORS, CARD)
    for _ in range(5):
        write_checkpoint(saved, TENSORS, CARD)
        assert saved.read_bytes() == before
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]
