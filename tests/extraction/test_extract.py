from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.extraction.conftest import GridModel, write_photo

from landfall.errors import UsageError
from landfall.extraction import Descriptors, Progress, describe, extract, merge_descriptors
from landfall.photos import InputSpec


class StopHereError(Exception):
    """Raised by a progress callback to stop a run."""


def names_of(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def run(paths: list[Path], out: Path, model: GridModel | None = None, **options: Any) -> Descriptors:
    options = {"batch_size": 4, **options}
    return extract(paths, names_of(paths), model or GridModel(), out, **options)


def stop_after(paths: list[Path], out: Path, photos: int) -> None:
    def progress(progress: Progress) -> None:
        if progress.done >= photos:
            raise StopHereError

    with pytest.raises(StopHereError):
        run(paths, out, progress=progress)


def test_the_file_is_a_plain_array_of_what_describe_gives(paths: list[Path], tmp_path: Path) -> None:
    described = run(paths, tmp_path / "d.npy")
    array = np.load(tmp_path / "d.npy", mmap_mode="r")
    np.testing.assert_array_equal(array, describe(paths, GridModel()))
    assert described.names == tuple(names_of(paths))
    assert described.rows.tolist() == list(range(22))
    assert described.model == GridModel().card
    assert described.spec == InputSpec(32, 32)
    assert described.array.shape == (len(described), described.dim) == (22, 48)
    assert described.array.dtype == np.dtype(np.float32)
    assert described.seconds["total"] == pytest.approx(
        described.seconds["reading"] + described.seconds["network"] + described.seconds["writing"], abs=1e-5
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.npy", "d.npy.json", "photos"]


def test_broken_photos_have_no_row_and_are_listed(broken_paths: list[Path], tmp_path: Path) -> None:
    described = run(broken_paths, tmp_path / "d.npy")
    assert [failure.photo for failure in described.failures] == ["05.png", "06.png", "21.png"]
    kept = [path for path in broken_paths if path.name not in ("05.png", "06.png", "21.png")]
    assert described.names == tuple(names_of(kept))
    assert described.rows.tolist() == [i for i in range(22) if i not in (5, 6, 21)]
    np.testing.assert_array_equal(described.array, describe(kept, GridModel()))


def test_when_every_photo_is_broken_the_array_is_empty(tmp_path: Path) -> None:
    described = run([tmp_path / "a.jpg", tmp_path / "b.jpg"], tmp_path / "d.npy")
    assert described.array.shape == (0, 48)
    assert len(described.failures) == 2


def test_half_precision_is_the_rounded_array(paths: list[Path], tmp_path: Path) -> None:
    half = run(paths, tmp_path / "d.npy", dtype="float16")
    np.testing.assert_array_equal(half.array, describe(paths, GridModel()).astype(np.float16))


def test_progress_counts_photos_and_failures_and_never_goes_back(
    broken_paths: list[Path], tmp_path: Path
) -> None:
    seen: list[Progress] = []
    run(broken_paths, tmp_path / "d.npy", progress=seen.append)
    assert [progress.done for progress in seen] == [0, 4, 8, 12, 16, 20, 22]
    assert [progress.failed for progress in seen] == [0, 0, 2, 2, 2, 2, 3]
    assert {progress.total for progress in seen} == {22}
    assert (seen[0].eta_s, seen[0].photos_per_s) == (None, 0.0)
    assert seen[-1].eta_s == 0.0
    assert all(progress.photos_per_s > 0 for progress in seen[1:])


def test_a_stopped_run_goes_on_where_it_was(paths: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "d.npy"
    stop_after(paths, out, 12)
    model = GridModel()
    run(paths, out, model)
    assert len(model.shapes) == 1 + 3  # the probe and the batches 12-15, 16-19, 20-21
    run(paths, tmp_path / "whole.npy")
    assert out.read_bytes() == (tmp_path / "whole.npy").read_bytes()


@pytest.mark.parametrize("cut", [1, 7, 40, 150, 1000])
def test_a_torn_journal_is_cut_back_to_its_last_whole_line(
    paths: list[Path], tmp_path: Path, cut: int
) -> None:
    out = tmp_path / "d.npy"
    stop_after(paths, out, 12)
    journal = out.with_name("d.npy.partial") / "journal.jsonl"
    os.truncate(journal, max(0, journal.stat().st_size - cut))
    run(paths, out)
    run(paths, tmp_path / "whole.npy")
    assert out.read_bytes() == (tmp_path / "whole.npy").read_bytes()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"batch_size": 5}, "the batch size"),
        ({"dtype": "float16"}, "the type of number stored"),
        ({"spec": InputSpec(16, 16)}, "the size that photos are brought to"),
        ({"model": GridModel(gain=1.001)}, "the model"),
        ({"shard": (1, 2)}, "the shard"),
    ],
)
def test_unfinished_work_of_another_extraction_is_refused(
    paths: list[Path], tmp_path: Path, change: dict[str, Any], word: str
) -> None:
    out = tmp_path / "d.npy"
    stop_after(paths, out, 4)
    with pytest.raises(UsageError, match=f"these changed: {word}\\. "):
        run(paths, out, **change)
    run(paths, out)  # nothing was lost by the refusal


def test_photos_that_changed_meanwhile_are_refused(paths: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "d.npy"
    stop_after(paths, out, 4)
    with pytest.raises(UsageError, match="the list of photos"):
        run(paths[:-1], out)
    write_photo(paths[0], seed=99, size=(44, 44))
    with pytest.raises(UsageError, match="the photos' files"):
        run(paths, out)


def test_work_without_a_finished_batch_is_begun_anew(paths: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "d.npy"
    stop_after(paths, out, 0)
    assert len(run(paths, out, batch_size=5)) == 22


def test_a_model_whose_weights_got_their_hash_meanwhile_goes_on(paths: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "d.npy"
    stop_after(paths, out, 4)
    assert run(paths, out, GridModel(sha256="a" * 64)).model.sha256 == "a" * 64
    with pytest.raises(UsageError, match="the model"):
        run(paths, out, GridModel(sha256="b" * 64), existing="reuse")


def test_a_finished_file_is_refused_or_given_back(paths: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "d.npy"
    run(paths, out)
    with pytest.raises(UsageError, match="finished"):
        run(paths, out)
    model = GridModel()
    assert len(run(paths, out, model, existing="reuse")) == 22
    assert len(model.shapes) == 1, "the probe alone"
    with pytest.raises(UsageError, match="the batch size"):
        run(paths, out, existing="reuse", batch_size=5)


def test_a_file_of_someone_else_is_not_overwritten(paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "d.npy").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="not made by Landfall"):
        run(paths, tmp_path / "d.npy")
    assert (tmp_path / "d.npy").read_text(encoding="utf-8") == "mine"


def test_a_full_disk_is_told_before_the_work_starts(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    model = GridModel()
    with pytest.raises(UsageError, match=r"has 0.00 GB free, and the descriptors need 0.02 GB"):
        run(paths, tmp_path / "d.npy", model)
    assert len(model.shapes) == 1, "the probe alone"


def test_a_disk_that_fills_up_meanwhile_loses_nothing(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "d.npy"
    sync = os.fsync
    calls = 0

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr("landfall.extraction.partial.SYNC_EVERY_S", 0.0)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"No space left on device\. What is done so far is kept"):
        run(paths, out)
    monkeypatch.setattr(os, "fsync", sync)
    model = GridModel()
    run(paths, out, model)
    run(paths, tmp_path / "whole.npy")
    assert len(model.shapes) < 1 + 6
    assert out.read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_a_place_that_cannot_be_written_is_told(paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="can't be written"):
        run(paths, tmp_path / "file" / "d.npy")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"shard": (0, 3)}, "no shard 0/3"),
        ({"shard": (4, 3)}, "no shard 4/3"),
        ({"dtype": "int8"}, "float32 or float16"),
        ({"workers": 0}, "workers"),
        ({"batch_size": 0}, "batch size"),
    ],
)
def test_impossible_options_are_refused(
    paths: list[Path], tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        run(paths, tmp_path / "d.npy", **options)


def test_names_and_photos_must_go_together(paths: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="22 photos came with 1 names"):
        extract(paths, ["a"], GridModel(), tmp_path / "d.npy")
    with pytest.raises(UsageError, match="no photos"):
        run([], tmp_path / "d.npy")


@pytest.mark.parametrize("parts", [1, 3, 8])
def test_merged_shards_are_the_whole(broken_paths: list[Path], tmp_path: Path, parts: int) -> None:
    whole = run(broken_paths, tmp_path / "whole.npy")
    shards = [tmp_path / f"{i}.npy" for i in range(1, parts + 1)]
    for i, shard in enumerate(shards, start=1):
        run(broken_paths, shard, shard=(i, parts))  # of 8 parts, two hold no batch
    merged = merge_descriptors(shards[::-1], tmp_path / "merged.npy")
    assert (tmp_path / "merged.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
    assert merged.names == whole.names
    assert merged.content_hashes == whole.content_hashes
    assert merged.failures == whole.failures
    np.testing.assert_array_equal(merged.rows, whole.rows)


def test_merged_shards_of_photos_at_their_own_size_are_the_whole(tmp_path: Path) -> None:
    sizes = [(40, 32), (64, 48), (32, 40)]
    paths = [write_photo(tmp_path / f"{i}.png", i, sizes[i % 3]) for i in range(14)]
    model = GridModel(height=None, width=None)
    run(paths, tmp_path / "whole.npy", model)
    for i in (1, 2):
        run(paths, tmp_path / f"s{i}.npy", model, shard=(i, 2))
    merge_descriptors([tmp_path / "s1.npy", tmp_path / "s2.npy"], tmp_path / "merged.npy")
    assert (tmp_path / "merged.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_shards_that_do_not_make_a_whole_are_refused(paths: list[Path], tmp_path: Path) -> None:
    one, two, whole, other = (tmp_path / f"{name}.npy" for name in ("one", "two", "whole", "other"))
    run(paths, one, shard=(1, 3))
    run(paths, two, shard=(2, 3))
    run(paths, whole)
    run(paths, other, shard=(3, 3), dtype="float16")
    out = tmp_path / "merged.npy"
    with pytest.raises(UsageError, match="missing: 3/3"):
        merge_descriptors([one, two], out)
    with pytest.raises(UsageError, match="same shard, number 1"):
        merge_descriptors([one, two, one], out)
    with pytest.raises(UsageError, match="is no shard"):
        merge_descriptors([one, whole], out)
    with pytest.raises(UsageError, match="differ in: the type of number stored"):
        merge_descriptors([one, two, other], out)
    with pytest.raises(UsageError, match="exists"):
        merge_descriptors([one], whole)
    assert not out.exists()


def test_opening_tells_what_is_wrong(paths: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no descriptors file"):
        Descriptors.open(tmp_path / "none.npy")
    out = tmp_path / "d.npy"
    run(paths, out)
    beside = tmp_path / "d.npy.json"
    told = json.loads(beside.read_text(encoding="utf-8"))
    beside.write_text(json.dumps({**told, "format": 99}), encoding="utf-8")
    with pytest.raises(UsageError, match="format 99"):
        Descriptors.open(out)
    beside.write_text(json.dumps({**told, "names": told["names"][1:]}), encoding="utf-8")
    with pytest.raises(UsageError, match="another run"):
        Descriptors.open(out)
    beside.write_text("[]", encoding="utf-8")
    with pytest.raises(UsageError, match="not the JSON"):
        Descriptors.open(out)
    beside.write_text(json.dumps(told), encoding="utf-8")
    out.write_bytes(out.read_bytes()[:1000])
    with pytest.raises(UsageError, match="can't be read as an array"):
        Descriptors.open(out)
