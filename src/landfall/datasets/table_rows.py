"""The rows of a CSV of photos: which are asked for, and where each photo was taken."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landfall.datasets.locating import drop_planar, locate
from landfall.datasets.photo_set import PhotoSet
from landfall.datasets.table_cells import parse_cells
from landfall.datasets.table_columns import TableHead
from landfall.geo import Positions
from landfall.photos import PhotoProblem

_ROLES = {
    "database": ("database", "db", "reference", "references", "ref", "gallery", "map"),
    "queries": ("queries", "query", "q"),
}
_ROLE_OF = {word: role for role, words in _ROLES.items() for word in words}
_ROLE_WORDS = "; ".join(f"{words[0]} ({', '.join(words[1:])})" for words in _ROLES.values())


@dataclass(frozen=True, eq=False)
class TablePhotos:
    """The usable rows of a CSV.

    Attributes:
        photos: N photos, names relative to the CSV's folder.
        without_position: photos of these with no position in the table, their name or their EXIF.
        failed: rows left out, each with its line: bad cells, and files that are not there or can't be read.
        remarks: cells that make no sense and were taken as empty, rows that give no position where the photo
            itself does, and rows that name a photo again.
    """

    photos: PhotoSet
    without_position: tuple[PhotoProblem, ...]
    failed: tuple[PhotoProblem, ...]
    remarks: tuple[PhotoProblem, ...]


@dataclass(frozen=True)
class _Chosen:
    """The rows asked for, N of each of the first three; those of no use; those that name a photo again."""

    lines: list[int]
    names: list[str]
    rows: list[dict[str, str]]
    failed: list[PhotoProblem]
    repeated: list[PhotoProblem]


def splits_of(head: TableHead) -> tuple[str, ...]:
    """Return the splits that the rows name, sorted; none without such a column."""
    if "split" not in head.columns:
        return ()
    return tuple(sorted({row.cells["split"] for row in head.rows() if row.problem is None} - {""}))


def read_rows(
    head: TableHead,
    *,
    split: str | None = None,
    role: str | None = None,
    planar: bool,
    workers: int | None = None,
) -> TablePhotos:
    """Read the rows of one split and role.

    The table rules; a photo whose row gives no position is looked at for one in its ``@`` name or EXIF.

    Args:
        head: the opened CSV.
        split: take rows of this split only; all if None.
        role: take rows of this role, "database" or "queries"; all if None.
        planar: whether metres with no zone count as positions, if no row has a place on earth.
        workers: threads that read headers of photos.
    """
    chosen = _choose(head, split, role)
    lines, names = chosen.lines, chosen.names
    cells = {what: [row[what] for row in chosen.rows] for what in head.columns}
    columns = parse_cells(cells, len(lines), decimal_comma=head.delimiter != ",")
    positions, no_zone = drop_planar(columns.positions, planar=planar)
    dropped = np.flatnonzero(no_zone).tolist()
    reasons = {**columns.empty, **dict.fromkeys(dropped, "the table gives metres with no UTM zone")}

    def tell(reasons_of: Mapping[int, str]) -> list[PhotoProblem]:
        return [_problem(names[row], lines[row], head.path, why) for row, why in sorted(reasons_of.items())]

    lost = np.array(sorted(reasons), dtype=np.int64)
    located = locate(
        head.path.parent,
        [names[row] for row in lost.tolist()],
        planar=planar and not positions.known.any(),
        workers=workers,
    )
    unreadable = {int(lost[at]): reason for at, reason in located.failed.items()}
    fallbacks = {
        row: f"{reasons[row]}; {'its EXIF' if at in located.by_exif else 'its name'} gives the position"
        for at, row in enumerate(lost.tolist())
        if at not in located.failed and at not in located.without_position
    }
    without = {
        row: f"{reasons[row]}; {why}"
        for row, why in ((int(lost[at]), why) for at, why in located.without_position.items())
    }
    order = np.arange(len(names))
    order[lost] = len(names) + np.arange(len(lost))
    heading, taken_at = columns.heading_deg.copy(), columns.taken_at.copy()
    heading[lost] = np.where(np.isnan(heading[lost]), located.photos.heading_deg, heading[lost])
    taken_at[lost] = np.where(np.isnat(taken_at[lost]), located.photos.taken_at, taken_at[lost])
    photos = PhotoSet(
        head.path.parent,
        tuple(names),
        Positions.concatenate([positions, located.photos.positions]).take(order),
        heading,
        taken_at,
    )
    left_out = {**columns.bad, **unreadable}
    keep = np.array([row not in left_out for row in range(len(names))], dtype=np.bool_)
    return TablePhotos(
        photos=photos.take(keep),
        without_position=tuple(tell(without)),
        failed=tuple(chosen.failed + tell(left_out)),
        remarks=tuple(chosen.repeated + tell(fallbacks) + tell(columns.remarks)),
    )


def _choose(head: TableHead, split: str | None, role: str | None) -> _Chosen:
    """Take the rows asked for whose photo is there."""
    chosen = _Chosen([], [], [], [], [])
    folder = str(head.path.parent)
    first_line: dict[str, int] = {}
    for line, row, shift in head.rows():
        if shift is not None:
            # Not even its split and role are sure, so it fails for each.
            chosen.failed.append(_problem(row["path"], line, head.path, shift))
            continue
        row_split, row_role = row.get("split", ""), row.get("role", "database")
        if split is not None and row_split not in ("", split):
            continue
        known_role = _ROLE_OF.get(row_role.lower())
        if role is not None and known_role is not None and known_role != role:
            continue
        name = _photo_name(row["path"], folder)
        if split is not None and not row_split:
            reason = "its split is empty"
        elif known_role is None:
            reason = f"role {row_role!r} is neither database nor query; expected {_ROLE_WORDS}"
        elif not row["path"].strip():
            reason = "its path is empty"
        elif name is None:
            reason = f"no such file: looked for {head.path.parent / row['path'].strip()}"
        else:
            first = first_line.setdefault(name, line)
            if first == line:
                chosen.lines.append(line)
                chosen.names.append(name)
                chosen.rows.append(row)
            else:
                reason = f"the same photo as in line {first}, which counts"
                chosen.repeated.append(_problem(name, line, head.path, reason))
            continue
        chosen.failed.append(_problem(row["path"], line, head.path, reason))
    return chosen


def _photo_name(text: str, folder: str) -> str | None:
    """Return a photo's name relative to ``folder``, or an absolute one; None if there is no such file."""
    # A file's name may begin with a space; tables made on Windows part folders by backslashes.
    stripped = text.strip()
    for written in dict.fromkeys((text, stripped, stripped.replace("\\", "/"))):
        if written and os.path.isfile(os.path.join(folder, written)):  # noqa: PTH113, PTH118  (a row each)
            path = Path(written)
            if path.is_absolute() and path.is_relative_to(folder):
                path = path.relative_to(folder)
            return path.as_posix()
    return None


def _problem(name: str, line: int, table: Path, reason: str) -> PhotoProblem:
    return PhotoProblem(name or f"{table.name} line {line}", f"line {line} of {table.name}: {reason}")
