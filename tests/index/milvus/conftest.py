"""Embedded stores for the tests that need one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.index.milvus.photos import build_folder, build_milvus

from landfall.index import FolderIndex
from landfall.index.milvus.reader import MilvusIndex


@pytest.fixture(scope="session")
def both(milvus: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[FolderIndex, MilvusIndex]:
    """The same photos in a folder and in Milvus; nothing here changes them."""
    folder = tmp_path_factory.mktemp("both")
    return build_folder(folder / "folder.lf"), build_milvus(folder / "milvus.lf")


@pytest.fixture
def stored(milvus: None, tmp_path: Path) -> MilvusIndex:
    """A small index in Milvus of its own."""
    return build_milvus(tmp_path / "own.lf", 40)
