"""The thumbnails that an index may show of its photos, read when asked for.

A segment is a SQLite file with the table ``thumbnails``: the hash of a photo's bytes, and a JPEG. Photos of
the same bytes share a picture, a photo with new content never shows an old one, and a picture whose hash no
photo has any more is dead, as descriptors are whose row no photo has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from landfall.index.manifest import Manifest
from landfall.index.sqlite_file import SqliteFile


class ThumbnailFiles:
    """The thumbnails of a generation. Threads may share one.

    Their files are opened at once and stay open, so that they can be read on when a later generation has
    removed them; pictures are read one by one.

    Args:
        folder: the index.
        manifest: of the generation.

    Raises:
        IndexStoreError: a file is missing or damaged; from every method.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        told = manifest.thumbnails
        segments = () if told is None else told.segments
        # The newest picture of a photo counts.
        self._files = [SqliteFile(folder / segment.file, "thumbnails") for segment in reversed(segments)]

    def get(self, content_hash: str) -> bytes | None:
        """Return the JPEG of a photo with these contents; None where there is none."""
        for file in self._files:
            if found := file.select("SELECT jpeg FROM thumbnails WHERE content_hash = ?", [content_hash]):
                return bytes(found[0][0])
        return None

    def held(self, hashes: Sequence[str]) -> set[str]:
        """Return those of the content hashes that a picture is there of."""
        found: set[str] = set()
        for file in self._files:
            wanted = [each for each in hashes if each not in found]
            asked = "SELECT content_hash FROM thumbnails WHERE content_hash"
            found.update(each for (each,) in file.select_in(asked, wanted))
        return found

    def pictures(self, hashes: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield hash and JPEG of those that are there, one in memory at a time."""
        for content_hash in hashes:
            jpeg = self.get(content_hash)
            if jpeg is not None:
                yield content_hash, jpeg

    def problems(self) -> Iterator[tuple[Path, str]]:
        """Yield each file that is not what it should be, with the reason in words."""
        for file in self._files:
            for (told,) in file.select("PRAGMA integrity_check"):
                if told != "ok":
                    yield file.path, str(told)
            cut = "substr(jpeg, 1, 2) != x'ffd8' OR substr(jpeg, -2) != x'ffd9'"
            ((wrong,),) = file.select(f"SELECT count(*) FROM thumbnails WHERE {cut}")
            if wrong:
                yield file.path, f"{wrong} of its pictures are no whole JPEG"

    def counts(self) -> dict[str, int]:
        """Return how many pictures each file has, by its name."""
        return {
            file.path.name: int(file.select("SELECT count(*) FROM thumbnails")[0][0]) for file in self._files
        }
