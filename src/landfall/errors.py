"""Every error that Landfall raises on purpose.

::

    LandfallError
    ├── UsageError               what was asked for can't be done (exit code 2)
    │   ├── UnknownNameError     a name that no registry holds; close names are suggested
    │   ├── PositionError        a coordinate outside its range, or frames that don't go together
    │   ├── DatasetError         no dataset of a known layout was found where one was looked for
    │   ├── ModelError           a model that can't be made, loaded or used here
    │   │   ├── WeightsError     missing, unexpected or wrongly sized tensors
    │   │   └── OfflineError     weights that must be downloaded, and no network to do it
    │   ├── IndexStoreError      an index folder that can't be opened, resumed or written
    │   │   └── IndexBusyError   one that another process is changing; it can be tried again
    │   └── TrainingError        a training that can't start, go on or be resumed
    └── PhotoError               one photo that can't be used; the rest of its batch goes on
        ├── PhotoUnreadableError
        └── PhotoTooLargeError

A message says what came, what was expected, and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class LandfallError(Exception):
    """Root of everything that Landfall raises on purpose."""


class UsageError(LandfallError):
    """What was asked for can't be done: wrong usage or unusable input. The command line exits with 2."""


class UnknownNameError(UsageError, KeyError):
    """A name that no registry holds."""

    def __init__(self, noun: str, name: str, known: Iterable[str]) -> None:
        self.noun, self.name, self.known = noun, name, sorted(known)
        close = get_close_matches(name, self.known, n=3, cutoff=0.5)
        every = ", ".join(self.known) or "none"
        hint = f"Did you mean {' or '.join(close)}?" if close else f"Known: {every}."
        self.message = f"No {noun} is called {name!r}. {hint}"
        super().__init__(self.message)

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, list[str]]]:
        # Exception's own pickling would call __init__ with the joined message alone.
        return type(self), (self.noun, self.name, self.known)

    def __str__(self) -> str:
        # KeyError would show the repr of the message, quotes and all.
        return self.message


class PositionError(UsageError, ValueError):
    """A coordinate outside its range, or positions whose frames don't go together."""


class DatasetError(UsageError):
    """No dataset of a known layout was found where one was looked for."""


class ModelError(UsageError):
    """A model that can't be made, loaded or used here."""


class WeightsError(ModelError):
    """A file whose tensors are missing, unexpected, wrongly sized, or not what the file says they are."""


class OfflineError(ModelError):
    """Weights that must be downloaded, and no network to do it."""


class IndexStoreError(UsageError):
    """An index folder that can't be opened, resumed or written."""


class IndexBusyError(IndexStoreError):
    """An index that another process is changing; it can be tried again."""


class TrainingError(UsageError):
    """A training that can't start, go on or be resumed; what it saved last is kept."""


class PhotoError(LandfallError):
    """One photo that can't be used; the rest of its batch goes on.

    Args:
        photo: the photo's path or name, as the user knows it.
        reason: why, in a few words, without the path.
    """

    def __init__(self, photo: str, reason: str) -> None:
        self.photo = photo
        self.reason = reason
        super().__init__(f"{photo}: {reason}")

    def __reduce__(self) -> tuple[type[PhotoError], tuple[str, str]]:
        # Exception's own pickling would call __init__ with the joined message alone.
        return type(self), (self.photo, self.reason)


class PhotoUnreadableError(PhotoError):
    """A file that is missing, empty, truncated, not a photo, or can't be read."""


class PhotoTooLargeError(PhotoError):
    """A photo of more pixels than the stated limit, refused before it is decoded."""
