"""Features of photos that several queries are compared with, kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from pathlib import Path
from threading import Lock

from landfall.localization.geometry.features import FeatureOptions, Features, read_features

# Some 500 photos of 1000 features.
MOST_BYTES = 256 << 20

# A file that was replaced under its name is another photo.
_Key = tuple[Path, int, int]


class FeatureCache:
    """Reads each photo once for as long as its features are kept; for any number of threads.

    The least recently used go first. A photo that two threads ask for at once is read by one of them, and one
    that could not be read is tried again the next time.

    Args:
        options: what is looked for in a photo.
        most_bytes: of the features kept; what threads are at work on comes on top.
    """

    def __init__(self, options: FeatureOptions | None = None, *, most_bytes: int = MOST_BYTES) -> None:
        self.options = options or FeatureOptions()
        self.most_bytes = most_bytes
        self._lock = Lock()
        self._kept: OrderedDict[_Key, Features] = OrderedDict()
        self._under_way: dict[_Key, Future[Features]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """How much memory the features kept take."""
        return self._bytes

    def get(self, path: Path) -> Features:
        """Return a photo's features.

        Raises:
            PhotoError: it can't be read.
        """
        key = _key_of(path)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            reading = self._under_way.get(key)
            if reading is None:
                mine = self._under_way[key] = Future[Features]()
        if reading is not None:
            return reading.result()
        try:
            features = read_features(path, self.options)
        except BaseException as error:
            with self._lock:
                del self._under_way[key]
            mine.set_exception(error)
            raise
        with self._lock:
            del self._under_way[key]
            self._keep(key, features)
        mine.set_result(features)
        return features

    def _keep(self, key: _Key, features: Features) -> None:
        self._kept[key] = features
        self._bytes += features.bytes
        while self._bytes > self.most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.bytes


def _key_of(path: Path) -> _Key:
    try:
        status = path.stat()
    except OSError:
        # Reading it will say what is wrong, and nothing is kept then.
        return path, 0, 0
    return path, status.st_mtime_ns, status.st_size
