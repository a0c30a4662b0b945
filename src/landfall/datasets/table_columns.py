"""The head of a CSV of photos: its encoding, its delimiter, and which column holds what."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from landfall.errors import DatasetError

TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
_TAB = "\t"
_DELIMITERS = ",;" + _TAB
_EMPTY = frozenset({"", "nan", "none", "null", "na", "n/a", "-"})

# What a column holds -> the names it goes by, the surest first; compared as _plain() leaves them.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "path": (
        "path",
        "photo",
        "file",
        "filename",
        "filepath",
        "image",
        "imagepath",
        "imagename",
        "img",
        "name",
    ),
    "lat": ("lat", "latitude", "gpslat", "gpslatitude"),
    "lon": ("lon", "lng", "long", "longitude", "gpslon", "gpslng", "gpslongitude"),
    "east": ("east", "easting", "utmeast", "utmeasting", "utme", "eastm"),
    "north": ("north", "northing", "utmnorth", "utmnorthing", "utmn", "northm"),
    "zone": ("zone", "utmzone", "zonenumber", "utmzonenumber"),
    "letter": ("letter", "zoneletter", "utmletter", "utmzoneletter", "band", "hemisphere"),
    "heading": ("heading", "headingdeg", "bearing", "compass", "azimuth", "yaw"),
    "time": ("time", "takenat", "timestamp", "datetime", "date", "capturedat"),
    "split": ("split", "subset", "fold"),
    "role": ("role", "set", "part", "kind", "type"),
}


class TableRow(NamedTuple):
    """One row of a CSV.

    Attributes:
        line: its number, that of its last line where it has several.
        cells: texts by what they hold (a key of ``SYNONYMS``).
        problem: why its cells can't be told apart; None if they can.
    """

    line: int
    cells: dict[str, str]
    problem: str | None


@dataclass(frozen=True)
class TableHead:
    """How to read one CSV.

    Attributes:
        text: the whole file, decoded.
        delimiter: one of comma, semicolon, tab.
        columns: what a column holds (a key of ``SYNONYMS``) -> its place in a row.
    """

    path: Path
    text: str
    delimiter: str
    columns: Mapping[str, int]

    def rows(self) -> Iterator[TableRow]:
        """Yield each row that is not blank.

        Raises:
            DatasetError: a line that is no CSV.
        """
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter)
        width = len(next(reader))
        start = reader.line_num + 1
        try:
            for row in reader:
                start = reader.line_num + 1
                if any(map(str.strip, row)):
                    padded = row + [""] * (width - len(row))
                    cells = {what: _value(padded[at]) for what, at in self.columns.items()}
                    # A file's name may begin or end with a space, or be "none".
                    cells["path"] = padded[self.columns["path"]]
                    # Delimiters at the end of a row are harmless, and spreadsheets write them.
                    shifted = len(row) > width and any(map(str.strip, row[width:]))
                    yield TableRow(reader.line_num, cells, self._shift(len(row), width) if shifted else None)
        except csv.Error as error:
            raise DatasetError(
                f"{self.path} can't be read as CSV from line {start} on: {error}. "
                "Is there a quotation mark that is never closed?"
            ) from error

    def _shift(self, fields: int, width: int) -> str:
        hint = (
            "decimal commas need quotes or a ; between columns"
            if self.delimiter == ","
            else f"a cell that holds {'a tab' if self.delimiter == _TAB else self.delimiter} needs quotes"
        )
        return f"it has {fields} fields, the header has {width}; {hint}"


def read_head(path: Path) -> TableHead:
    """Open a CSV and find its columns.

    Raises:
        DatasetError: it can't be read, is empty, or lacks a column for the path or the position.
    """
    text = _decode(path)
    head = text.partition("\n")[0]
    if not head.strip():
        raise DatasetError(f"{path} has an empty first line; expected the names of its columns there")
    try:
        headers = {delimiter: next(csv.reader([head], delimiter=delimiter)) for delimiter in _DELIMITERS}
    except csv.Error as error:
        raise DatasetError(f"{path} does not begin with the names of its columns: {error}") from error
    delimiter = max(headers, key=lambda each: len(headers[each]))
    plain = [_plain(cell) for cell in headers[delimiter]]
    columns = {
        what: plain.index(next(name for name in names if name in plain))
        for what, names in SYNONYMS.items()
        if any(name in plain for name in names)
    }
    lacks = [] if "path" in columns else ["path"]
    if not ({"lat", "lon"} <= columns.keys() or {"east", "north"} <= columns.keys()):
        lacks.append("lat and lon, or east and north with zone")
    if lacks:
        raise DatasetError(
            f"{path} lacks columns: {'; '.join(lacks)}. Its first line names "
            f"{', '.join(repr(cell.strip()) for cell in headers[delimiter])}. Known: "
            + "; ".join(f"{what} ({', '.join(names[1:4])})" for what, names in SYNONYMS.items())
        )
    return TableHead(path, text, delimiter, columns)


def _decode(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} can't be read: {error.strerror}. Expected a CSV file") from error
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        # Spreadsheets on Windows still write the system's code page; cp1252 is the common one.
        return data.decode("cp1252", errors="replace")


def _plain(header: str) -> str:
    """Return a header in lower case without units in brackets, spaces, dashes and underscores."""
    bare = header.strip().lower().partition("(")[0].partition("[")[0]
    return "".join(letter for letter in bare if letter.isalnum())


def _value(cell: str) -> str:
    text = cell.strip()
    # Numbers, the many, need no look at the words.
    return "" if not text[:1].isdigit() and text.lower() in _EMPTY else text
