"""What every format's editor shares: the change asked for, and the prefix that writers put before a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Change: TypeAlias = Callable[[bytes | None], bytes]
"""Takes an EXIF block, from its TIFF header on, or None, and returns the new block."""

PREFIX = b"Exif\x00\x00"


class UneditableError(ValueError):
    """A file that can't be edited without loss; the message is the reason, in words."""


def changed_payload(payload: bytes, change: Change) -> bytes:
    """Change a block that may stand behind its prefix, once or twice, as some writers have it."""
    start = 0
    while start < 2 * len(PREFIX) and payload[start:].startswith(PREFIX):
        start += len(PREFIX)
    return payload[:start] + change(payload[start:])
