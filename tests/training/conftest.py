"""A street of drawn places in two splits, and a recipe that goes through it in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.street import draw_street, small_recipe

from landfall.training import Recipe


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve training and six validation places 100 m apart, two database photos and one query of each.

    Query 0 of each split stands alone: no database photo is near it.
    """
    return draw_street(tmp_path_factory.mktemp("street"))


@pytest.fixture
def recipe() -> Recipe:
    return small_recipe()
