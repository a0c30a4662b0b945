from __future__ import annotations

import pytest

from landfall.errors import UnknownNameError, UsageError
from landfall.index.kinds import KINDS, choose_kind
from landfall.index.kinds.choice import LONGEST_EXACT_MS, exact_ms

GIB = 2**30


@pytest.mark.parametrize("photos", [1, 1000, 100_000, 900_000])
def test_exact_up_to_about_a_million(photos: int) -> None:
    kind, reason = choose_kind(photos, 512, 8 * GIB)
    assert kind == "exact"
    assert str(photos) in reason


def test_beyond_it_goes_by_memory() -> None:
    photos, dim = 2_000_000, 512
    assert exact_ms(photos, dim) > LONGEST_EXACT_MS
    sizes = {kind: KINDS[kind].estimated_bytes(photos, dim) for kind in ("binary", "ivfpq")}
    assert sizes["ivfpq"] < sizes["binary"]
    assert choose_kind(photos, dim, 8 * GIB).kind == "binary"
    assert choose_kind(photos, dim, sizes["binary"] - 1).kind == "ivfpq"
    assert choose_kind(photos, dim, sizes["ivfpq"] - 1).kind == "exact"


def test_descriptors_that_do_not_fit_into_memory_are_reason_enough() -> None:
    kind, reason = choose_kind(400_000, 512, GIB // 4)
    assert kind == "binary"
    assert "256 MiB" in reason


def test_what_is_wanted_is_chosen_or_refused() -> None:
    assert choose_kind(5000, 512, GIB, "hnsw").kind == "hnsw"
    with pytest.raises(UsageError, match=r"at least 1024 photos.*has 50"):
        choose_kind(50, 512, GIB, "ivfpq")
    with pytest.raises(UnknownNameError, match="ivfpq"):
        choose_kind(50, 512, GIB, "ivfqp")


def test_too_few_photos_for_training_are_never_chosen_for_it() -> None:
    # 500 photos of 16 384 numbers that don't fit into the memory given.
    assert choose_kind(500, 16_384, 2**20).kind != "ivfpq"
