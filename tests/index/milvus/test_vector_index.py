"""Which vector index a collection gets, and what a search asks of it."""

from __future__ import annotations

import pytest

from landfall.index.milvus.collection import MOST_RESULTS
from landfall.index.milvus.vector_index import choose_vector_index, search_options


@pytest.mark.parametrize(
    ("photos", "dim", "embedded", "kind"),
    [
        (100_000, 512, False, "flat"),
        (100_001, 512, False, "hnsw"),
        (2**25, 512, False, "hnsw"),  # 64 GiB of float32
        (2**25 + 1, 512, False, "ivf_flat"),
        (10**7, 512, True, "flat"),
    ],
)
def test_it_is_chosen_by_size(photos: int, dim: int, embedded: bool, kind: str) -> None:
    choice = choose_vector_index("auto", photos, dim, embedded=embedded)
    assert choice.kind == kind
    assert kind.upper() in choice.reason
    assert choose_vector_index("flat", photos, dim, embedded=embedded).kind == "flat"


def test_lists_grow_with_the_root_of_the_photos() -> None:
    lists = [
        choose_vector_index("ivf_flat", count, 8, embedded=False).build["nlist"]
        for count in (1, 10_000, 10**9)
    ]
    assert lists == [16, 400, 65_536]
    assert search_options("ivf_flat", {"nlist": 400}, 20) == {"nprobe": 25}


def test_a_graph_is_searched_wider_than_its_answer_and_no_wider_than_a_server_takes() -> None:
    assert search_options("hnsw", {}, 20) == {"ef": 512}
    assert search_options("hnsw", {}, 20, filtered=True) == {"ef": 2048}
    assert search_options("hnsw", {}, 1000) == {"ef": 4000}
    assert MOST_RESULTS <= search_options("hnsw", {}, MOST_RESULTS)["ef"] <= 32_768
    assert search_options("flat", {}, 20) == {}
