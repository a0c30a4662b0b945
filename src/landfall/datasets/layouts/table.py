"""A CSV file that lists photos: path, position, and what each is for.

Columns by these or the usual other names, in any order and case: ``path``; ``lat`` and ``lon``, or ``east``,
``north``, ``zone`` and ``letter``; and, where wanted, ``heading``, ``time``, ``split``, ``role`` (database or
query). Parted by comma, semicolon or tab. Paths are relative to the file's folder.
"""

from __future__ import annotations

from pathlib import Path

from landfall.datasets.layouts.layout import Loaded
from landfall.datasets.table_columns import TABLE_SUFFIXES, read_head
from landfall.datasets.table_rows import read_rows, splits_of
from landfall.errors import DatasetError


class TableLayout:
    """One CSV file."""

    name = "table"
    looks_for = "a CSV file with the columns path and lat, lon or path and east, north, zone"

    def missing(self, root: Path) -> str | None:
        """Return why ``root`` is no such table, None if it is one."""
        if root.is_dir():
            tables = sorted(entry.name for entry in root.iterdir() if entry.suffix.lower() in TABLE_SUFFIXES)
            beside = f"; to use {' or '.join(tables[:3])} in it, give that file" if tables else ""
            return f"it is a folder{beside}"
        if root.suffix.lower() not in TABLE_SUFFIXES:
            return f"its name does not end in {' or '.join(TABLE_SUFFIXES)}"
        try:
            read_head(root)
        except DatasetError as error:
            return str(error)
        return None

    def splits(self, root: Path) -> tuple[str, ...]:
        """Return the splits that the rows name, sorted; none without such a column."""
        return splits_of(read_head(root))

    def load(self, root: Path, split: str | None) -> Loaded:
        """Read the rows of one split; without a column for the role all are database."""
        head = read_head(root)
        parts = [read_rows(head, split=split, role=role, planar=True) for role in ("database", "queries")]
        if not len(parts[0].photos) and not len(parts[1].photos):
            if not any(part.failed for part in parts):
                raise DatasetError(f"{root} lists no photos: it has a header and no rows.")
            told = " ".join(f"{problem.photo}: {problem.reason}." for problem in parts[0].failed[:3])
            raise DatasetError(f"No row of {root} can be used. {told}".rstrip())
        problems = [problem for part in parts for problem in (*part.without_position, *part.remarks)]
        # Rows whose role or split is unknown fail for either role; they are told once.
        left_out = dict.fromkeys(problem for part in parts for problem in part.failed)
        return Loaded(parts[0].photos, parts[1].photos, tuple(problems), tuple(left_out))
