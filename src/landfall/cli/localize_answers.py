"""Where the answers of ``landfall localize`` go: files of several formats, and the photos themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from landfall.cli.console import check_one_stdout, say, write_json, write_text
from landfall.errors import UsageError

if TYPE_CHECKING:
    from landfall.index import Index
    from landfall.localization import Fix, Queries, Track

# Metres a second of each unit of speed that people write.
_UNITS_M_S = {"m/s": 1.0, "km/h": 1.0 / 3.6, "mph": 0.44704}
# Photos named on the terminal for one kind of trouble.
_NAMED = 20


@dataclass(frozen=True)
class AnswerFiles:
    """The files asked for, None where a format is not wanted; ``-`` is stdout."""

    json: str | None
    geojson: Path | None
    kml: Path | None
    gpx: Path | None
    csv: Path | None
    html: Path | None

    def on_stdout(self) -> bool:
        """Tell whether one of them is stdout.

        Raises:
            UsageError: more than one is.
        """
        return check_one_stdout(self.json, self.geojson, self.kml, self.gpx, self.csv, self.html)

    def write(
        self,
        fixes: Sequence[Fix],
        track: Track | None,
        index: Index,
        paths: Mapping[str, Path],
        *,
        quiet: bool,
    ) -> None:
        """Write every file asked for.

        Raises:
            UsageError: one can't be written.
        """
        from landfall.localization import fixes_page, to_csv, to_geojson, to_gpx, to_kml

        write_json(self.json, [fix.to_dict() for fix in fixes])
        for target, as_text in (
            (self.geojson, to_geojson),
            (self.kml, to_kml),
            (self.gpx, to_gpx),
            (self.csv, to_csv),
        ):
            if target is not None:
                write_text(target, as_text(fixes, track))
                say(f"Wrote {target}", quiet=quiet)
        if self.html is not None:
            write_text(self.html, fixes_page(fixes, index, paths, track=track).render())
            say(f"Wrote {self.html}", quiet=quiet)


@dataclass(frozen=True)
class ExifTarget:
    """Whether and where positions are written into photos."""

    folder: Path | None
    in_place: bool
    overwrite: bool

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            UsageError: both places, or overwriting with nothing to write.
        """
        if self.folder is not None and self.in_place:
            raise UsageError(
                "--write-exif FOLDER writes copies and --in-place the photos; give one of the two."
            )
        if self.overwrite and not self.wanted:
            raise UsageError("--overwrite-position needs --write-exif FOLDER or --in-place.")

    @property
    def wanted(self) -> bool:
        """Whether anything is to be written."""
        return self.folder is not None or self.in_place

    def write(self, fixes: Sequence[Fix], paths: Mapping[str, Path], *, quiet: bool) -> bool:
        """Write what is asked for, say what became of it, and tell whether all of it went well."""
        if not self.wanted:
            return True
        from landfall.localization import write_positions

        report = write_positions(fixes, paths, self.folder, overwrite=self.overwrite)
        for problem in report.failed[:_NAMED]:
            say(f"EXIF failed: {problem.photo}: {problem.reason}")
        if len(report.failed) > _NAMED:
            say(f"EXIF failed: and {len(report.failed) - _NAMED} more")
        say(str(report), quiet=quiet)
        return not report.failed


def join(
    fixes: Sequence[Fix],
    queries: Queries,
    speed_limit_m_s: float | None,
    workers: int | None,
    *,
    quiet: bool,
) -> tuple[list[Fix], Track]:
    """Join the photos into one way, as ``--sequence`` asks, and say what changed."""
    from landfall.localization import SequenceOptions, apply_sequence, read_times

    options = SequenceOptions()
    if speed_limit_m_s is not None:
        options = replace(options, speed_limit_m_s=speed_limit_m_s)
    times = read_times(queries.paths, queries.names, step_s=options.step_s, workers=workers)
    if times.remark is not None:
        say(times.remark, quiet=quiet)
    answer = apply_sequence(fixes, times.seconds, options, taken_at=times.taken_at)
    say(
        f"Sequence of {len(answer.track.rows)} photos: {answer.count('moved')} moved to another match, "
        f"{answer.count('interpolated')} placed between their neighbours",
        quiet=quiet,
    )
    return answer.fixes, answer.track


def speed_of(text: str) -> float:
    """Return metres a second of a speed such as ``30m/s``, ``50 km/h`` or ``30mph``.

    Raises:
        UsageError: no such speed.
    """
    match = re.fullmatch(r"\s*([0-9]+\.?[0-9]*|\.[0-9]+)\s*(m/s|km/h|mph)\s*", text)
    if match is None or float(match[1]) <= 0:
        raise UsageError(
            f"{text!r} is not a speed; expected a number above 0 and its unit: 30m/s, 50km/h, 30mph."
        )
    return float(match[1]) * _UNITS_M_S[match[2]]
