from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from landfall.errors import IndexStoreError
from landfall.index.kinds import build_structure, load_structure
from landfall.index.kinds.exact import ExactStructure
from landfall.index.kinds.header import HEADER

ROOT = Path(__file__).parents[3]
ROWS = np.random.default_rng(0).normal(size=(50, 16)).astype(np.float16)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_save_that_was_killed_left_a_whole_structure_or_none(tmp_path: Path, moment: str) -> None:
    folder = tmp_path / "s"
    script = Path(__file__).with_name("killed_save.py")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, script, folder, moment], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    if moment == "after":
        load_structure(folder).check(ROWS)
        return
    with pytest.raises(IndexStoreError, match="no search structure"):
        load_structure(folder)
    assert list(tmp_path.iterdir()) != []
    build_structure("binary", ROWS).save(folder)
    load_structure(folder).check(ROWS)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_newer_format_a_strange_option_and_another_kind_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    build_structure("binary", ROWS).save(folder)
    with pytest.raises(IndexStoreError, match="holds a binary structure"):
        ExactStructure.load(folder)
    header = folder / HEADER
    whole = header.read_text()
    header.write_text(whole.replace('"format": 1', '"format": 2'))
    with pytest.raises(IndexStoreError, match="newer Landfall"):
        load_structure(folder)
    header.write_text(whole.replace('"bits"', '"bytes"'))
    with pytest.raises(IndexStoreError, match="options that are not known"):
        load_structure(folder)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexStoreError, match="can't be written"):
        build_structure("binary", ROWS).save(tmp_path / "file" / "s")
