"""Times of photos: EXIF first, then names, then order; never a mixture that could be hours apart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from landfall.localization.sequence import PhotoTimes, read_times
from landfall.photos import write_jpeg

PIXELS = np.zeros((16, 16, 3), np.uint8)


def times_of(folder: Path, photos: dict[str, datetime | None]) -> PhotoTimes:
    for name, taken_at in photos.items():
        write_jpeg(folder / name, PIXELS, taken_at=taken_at)
    return read_times([folder / name for name in photos], list(photos), step_s=2.0)


def test_exif_comes_before_names(tmp_path: Path) -> None:
    named = "@1@2@31@U@@@@@@@@@20240506_070811@@.jpg"
    times = times_of(tmp_path, {"a.jpg": datetime(2024, 5, 6, 7, 8, 9), named: None})
    assert times.seconds[1] - times.seconds[0] == 2.0
    assert times.taken_at == (datetime(2024, 5, 6, 7, 8, 9), datetime(2024, 5, 6, 7, 8, 11))
    assert times.remark is None


def test_a_photo_without_a_time_puts_all_in_the_order_of_names(tmp_path: Path) -> None:
    times = times_of(tmp_path, {"10.jpg": None, "9.jpg": datetime(2024, 5, 6), "1.jpg": None})
    assert times.seconds.tolist() == [4.0, 2.0, 0.0]  # 9 before 10
    assert times.taken_at == (None, None, None)
    assert "2 of 3 photos don't say when" in (times.remark or "")


def test_clocks_with_and_without_a_zone_are_not_mixed(tmp_path: Path) -> None:
    mixed: dict[str, datetime | None] = {
        "a.jpg": datetime(2024, 5, 6, 8),
        "b.jpg": datetime(2024, 5, 6, 7, tzinfo=UTC),
    }
    times = times_of(tmp_path, mixed)
    assert times.seconds.tolist() == [0.0, 2.0]
    assert "zone" in (times.remark or "")


def test_a_clock_that_was_never_set_is_no_order(tmp_path: Path) -> None:
    times = times_of(tmp_path, {"b.jpg": datetime(2000, 1, 1), "a.jpg": datetime(2000, 1, 1)})
    assert times.seconds.tolist() == [2.0, 0.0]
    assert "the same time" in (times.remark or "")


def test_a_broken_photo_costs_nobody_else_the_time(tmp_path: Path) -> None:
    for second in range(2):
        write_jpeg(tmp_path / f"{second}.jpg", PIXELS, taken_at=datetime(2024, 5, 6, 7, 8, 9 * second))
    paths = [tmp_path / "0.jpg", tmp_path / "missing.jpg", tmp_path / "1.jpg"]
    times = read_times(paths, ["0", "missing", "1"], step_s=1.0)
    assert times.remark is None
    assert (times.seconds[2] - times.seconds[0], times.taken_at[1]) == (9.0, None)
