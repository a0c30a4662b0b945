"""What became of the photos of a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from landfall.index import Index
from landfall.photos import PhotoProblem


@dataclass(frozen=True)
class ChangeReport:
    """What a change did.

    Attributes:
        index: as it is now.
        added: photos that are new in it.
        removed: photos that were taken out.
        changed: photos with new content, described anew; their ids stay.
        moved: photos under another name; ids and descriptors stay.
        relocated: photos whose position, heading or time alone is another.
        unchanged: photos that were given and are there as they are.
        alike: added photos whose content is indexed under another name, too: both names.
        without_position: photos that nothing is wrong with but that say not where they were taken.
        failed: what could not be used, each with its reason.
        seconds: where the time of describing went; empty where nothing was described.
    """

    index: Index
    added: int = 0
    removed: int = 0
    changed: int = 0
    moved: int = 0
    relocated: int = 0
    unchanged: int = 0
    alike: tuple[tuple[str, str], ...] = ()
    without_position: tuple[PhotoProblem, ...] = ()
    failed: tuple[PhotoProblem, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as ``landfall index add --json`` and its like write it."""
        return {
            "index": str(self.index.path),
            "generation": self.index.manifest.generation,
            "indexed": len(self.index),
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "moved": self.moved,
            "relocated": self.relocated,
            "unchanged": self.unchanged,
            "alike": [{"photo": photo, "indexed_as": other} for photo, other in self.alike],
            "skipped": [problem.to_dict() for problem in (*self.without_position, *self.failed)],
            "failed": len(self.failed),
            "seconds": dict(self.seconds),
        }
