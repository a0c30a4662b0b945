from __future__ import annotations

import pytest

from landfall.errors import UnknownNameError
from landfall.registry import Registry


def registry() -> Registry[type]:
    heads: Registry[type] = Registry("head")

    @heads.register("netvlad")
    class NetVLAD: ...

    @heads.register("gem")
    class GeM: ...

    assert NetVLAD.__name__ == "NetVLAD"
    assert GeM.__name__ == "GeM"
    return heads


def test_register_returns_its_target_and_names_are_sorted() -> None:
    heads = registry()

    assert heads.names() == ["gem", "netvlad"]
    assert heads["gem"].__name__ == "GeM"
    assert len(heads) == 2
    assert list(heads) == ["netvlad", "gem"]
    assert "gem" in heads
    assert "crn" not in heads


def test_a_name_is_taken_once() -> None:
    heads = registry()
    with pytest.raises(ValueError, match="head called 'gem' is already registered"):
        heads.register("gem")(int)
    assert heads["gem"].__name__ == "GeM"


def test_an_unknown_name_suggests_close_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"No head is called 'netvald'\. Did you mean netvlad\?"):
        registry()["netvald"]


def test_an_unknown_name_far_from_all_lists_them() -> None:
    with pytest.raises(UnknownNameError, match=r"Known: gem, netvlad\."):
        registry()["zzz"]
    with pytest.raises(UnknownNameError, match=r"Known: none\."):
        Registry[int]("layout")["csv"]


def test_get_gives_the_default_as_any_mapping() -> None:
    assert registry().get("crn") is None
