"""Photos and a model in, descriptors out.

What belongs here: reading photos ahead of the model (``plan``, ``stream``), and descriptors on disk: an
extraction that goes on after a kill (``extract``, with its unfinished state in ``partial``), the finished
file (``store``) and the merging of shards (``merge``). What a descriptor is, is the model's business; what is
done with descriptors, that of ``index`` and ``evaluation``.
"""

from __future__ import annotations

from landfall.extraction.extract import extract
from landfall.extraction.merge import merge_descriptors
from landfall.extraction.progress import Progress, Timing
from landfall.extraction.store import Descriptors
from landfall.extraction.stream import Batch, describe, stream

__all__ = [
    "Batch",
    "Descriptors",
    "Progress",
    "Timing",
    "describe",
    "extract",
    "merge_descriptors",
    "stream",
]
