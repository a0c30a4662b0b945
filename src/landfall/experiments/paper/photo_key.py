"""Whether photos are still the ones that results come from: their names, positions and the files' sizes.

A protocol's hash knows names and positions, so that the same test set has it everywhere. Results must not be
taken for those of photos that were replaced, and sizes tell that without reading the photos.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from landfall.datasets import PhotoSet

#: What stands for the size of a file that is not there; whoever reads it says why.
_MISSING = -1


def photo_key(known: Sequence[str], photos: Sequence[PhotoSet]) -> str:
    """Return 12 hexadecimal digits over hashes of names and positions, and the sizes of the photos' files."""
    with ThreadPoolExecutor(thread_name_prefix="landfall-size") as pool:
        sizes = [
            sorted(zip(each.names, pool.map(_size, each.paths, chunksize=256), strict=True))
            for each in photos
        ]
    return hashlib.blake2b(json.dumps([list(known), sizes]).encode(), digest_size=6).hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return _MISSING
