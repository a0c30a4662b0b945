"""What a check found, for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS: Mapping[str, str] = {
    "unreadable": "can't be read or used",
    "leakage": "both in the database and among the queries (the same file)",
    "duplicate": "of the same content as another",
    "tiny": "tiny",
    "no position": "without a position",
    "no positive": "queries with no database photo near enough",
    "zero position": "at latitude 0, longitude 0",
    "swapped": "that seem to have latitude and longitude swapped",
    "far outlier": "far from all others",
    "exif disagrees": "whose EXIF gives another place",
    "name disagrees": "whose name holds two different positions",
    "mixed zones": "in other UTM zones than most",
    "mixed frames": "on earth, while others are in a plane with no zone",
    "other": "with something in their name or row that makes no sense or was left out",
}
"""Kind of finding -> how a count of photos reads, in the order of the report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that looks wrong.

    Attributes:
        kind: a key of ``KINDS``.
        photos: whom it concerns, relative to the dataset's root.
        detail: what exactly, in words.
    """

    kind: str
    photos: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class DatasetReport:
    """What a check found.

    Attributes:
        dataset, split, layout: what was checked; split and layout are None for a mere list of photos.
        database, queries: how many photos were checked; a mere list of photos counts as database.
        radius_m: how near a positive must be.
        findings: by kind in the order of ``KINDS``, then by photo.
    """

    dataset: str
    split: str | None
    layout: str | None
    database: int
    queries: int
    radius_m: float
    findings: tuple[Finding, ...]

    def of_kind(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    @property
    def counts(self) -> dict[str, int]:
        """How many photos each kind concerns, every kind named."""
        counted: Counter[str] = Counter()
        for finding in self.findings:
            counted[finding.kind] += len(finding.photos)
        return {kind: counted[kind] for kind in KINDS}

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, texts and numbers for JSON."""
        return {
            "dataset": self.dataset,
            "split": self.split,
            "layout": self.layout,
            "database": self.database,
            "queries": self.queries,
            "radius_m": self.radius_m,
            "counts": self.counts,
            "findings": [
                {"kind": each.kind, "photos": list(each.photos), "detail": each.detail}
                for each in self.findings
            ],
        }

    def to_text(self, *, limit: int = 10) -> str:
        """Return a text for people, with at most ``limit`` findings of a kind spelled out."""
        name = self.dataset if self.split is None else f"{self.dataset}/{self.split}"
        lines = [f"{name}: {self.database} database photos, {self.queries} queries"]
        for kind, count in self.counts.items():
            if not count:
                continue
            findings = self.of_kind(kind)
            lines.append(f"\n{count} {KINDS[kind]}")
            for finding in findings[:limit]:
                shown = ", ".join(finding.photos[:3]) + (", ..." if len(finding.photos) > 3 else "")
                lines.append(f"  {shown}: {finding.detail}")
            if len(findings) > limit:
                lines.append(f"  and {len(findings) - limit} more")
        if not self.findings:
            lines.append("Nothing looks wrong.")
        return "\n".join(lines)
