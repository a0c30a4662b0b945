"""Fitting DenseVLAD: visual words and whitening, from a bounded random sample of photos.

Two passes over the photos: local descriptors for the words, then VLADs for the whitening. Threads work
ahead, and what is taken of a photo depends on the seed and the photo's place in the list alone, so that
neither the threads' timing nor their number shows in the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from landfall.errors import ModelError, PhotoError
from landfall.models.dense_sift import DenseSift, as_tensor, dense_root_sift
from landfall.models.fit_sample import FitSample
from landfall.models.pca import Whitening, fit_whitening
from landfall.models.threads import compute_in_one_thread, map_in_threads
from landfall.models.vocabulary import Vocabulary, fit_vocabulary
from landfall.photos import InputSpec, PhotoProblem, load_photo

#: Told the step ("words", "whitening"), how many of its photos are done, and how many there are.
FitProgress = Callable[[str, int, int], None]

#: One photo has no principal axis: whitening needs a difference.
LEAST_PHOTOS = 2


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How DenseVLAD is fitted.

    Attributes:
        sift: what is described on a photo.
        words: K.
        feature_dim: numbers kept of a local descriptor's 128.
        dim: length of a photo's descriptor, or one less than the photos it is fitted on where that is less.
        shrinkage: of the whitening (`landfall.models.pca`).
        word_photos: photos that the words are made from, at most.
        word_descriptors: local descriptors of all those photos together, at most.
        whitening_photos: photos that the whitening is made from, at most.
    """

    sift: DenseSift = field(default_factory=DenseSift)
    words: int = 256
    feature_dim: int = 32
    dim: int = 1024
    shrinkage: float = 1.0
    word_photos: int = 250
    word_descriptors: int = 75_000
    whitening_photos: int = 2_000

    def __post_init__(self) -> None:
        counts = (self.words, self.feature_dim, self.dim, self.word_photos, self.word_descriptors)
        if min(counts) < 1 or self.whitening_photos < LEAST_PHOTOS or not self.shrinkage >= 0:
            raise ModelError(
                f"{self}: can't be fitted. Every count must be 1 or more, whitening_photos {LEAST_PHOTOS} or "
                "more, and shrinkage 0 or more."
            )


@dataclass(frozen=True, slots=True)
class FitReport:
    """What a fit read.

    Attributes:
        photos: photos whose VLADs the whitening was made from.
        descriptors: local descriptors that the words were made from.
        sample: those photos' vectors, as far as the calibration of an index needs them.
        problems: photos that were drawn and can't be used: broken, or without any contrast.
    """

    photos: int
    descriptors: int
    sample: FitSample
    problems: tuple[PhotoProblem, ...]


def fit_densevlad(
    photos: Sequence[str | Path],
    spec: InputSpec,
    options: FitOptions,
    *,
    seed: int,
    workers: int | None = None,
    progress: FitProgress | None = None,
) -> tuple[Vocabulary, Whitening, FitReport]:
    """Return visual words and whitening made from photos, and what was read.

    Photos that can't be used are replaced by others while there are any.

    Args:
        photos: paths to draw from.
        spec: how photos are read.
        options: sizes and limits.
        seed: picks photos, local descriptors and the words' start.
        workers: threads; one a core by default.
        progress: told after every photo.

    Raises:
        ModelError: too few photos that can be read, or too little contrast in them.
    """
    drawing = _Drawing(photos, spec, seed=seed, workers=workers, progress=progress)
    a_photo = -(-options.word_descriptors // max(1, min(options.word_photos, len(photos))))

    def sample(row: int, image: Tensor) -> Tensor:
        descriptors = torch.cat(list(dense_root_sift(image, options.sift)))
        chosen = np.random.default_rng((seed, row)).permutation(len(descriptors))[:a_photo]
        return descriptors[torch.from_numpy(chosen)]

    samples, _ = drawing.take("words", options.word_photos, sample)
    found = sum(map(len, samples))
    if len(samples) < LEAST_PHOTOS or found < options.words:
        raise ModelError(_too_few(photos, len(samples), found, options.words, drawing.problems))
    vocabulary = compute_in_one_thread(
        lambda: fit_vocabulary(
            torch.cat(samples),
            sift=options.sift,
            words=options.words,
            feature_dim=options.feature_dim,
            seed=seed,
        )
    )
    vectors, hashes = drawing.take(
        "whitening", options.whitening_photos, lambda _, image: vocabulary.aggregate(image)
    )
    stacked = torch.stack(vectors)
    whitening, kept = compute_in_one_thread(
        lambda: (
            fit_whitening(stacked, dim=options.dim, shrinkage=options.shrinkage),
            FitSample.of(stacked, hashes, dim=options.dim, shrinkage=options.shrinkage),
        )
    )
    if not len(whitening.projection):
        raise ModelError(
            f"densevlad can't be fitted: the {len(vectors)} photos that can be used all look the same to it. "
            f"Give at least {LEAST_PHOTOS} different photos."
        )
    report = FitReport(
        photos=len(vectors), descriptors=found, sample=kept, problems=tuple(drawing.problems.values())
    )
    return vocabulary, whitening, report


class _Drawing:
    """Draws photos in one random order, and remembers those that can't be used."""

    def __init__(
        self,
        photos: Sequence[str | Path],
        spec: InputSpec,
        *,
        seed: int,
        workers: int | None,
        progress: FitProgress | None,
    ) -> None:
        self._photos = photos
        self._spec = spec
        self._workers = workers
        self._progress = progress
        self._order = [int(row) for row in np.random.default_rng(seed).permutation(len(photos))]
        self.problems: dict[int, PhotoProblem] = {}

    def take(
        self, step: str, limit: int, make: Callable[[int, Tensor], Tensor]
    ) -> tuple[list[Tensor], list[str]]:
        """Return what ``make`` makes of the first ``limit`` photos of which it makes more than zeros.

        Their content hashes come with it.

        Args:
            step: what the progress is told.
            limit: photos, at most.
            make: takes a photo's place in the list and its pixels (H, W, 3) uint8; called in threads.
        """

        def read(row: int) -> tuple[Tensor, str] | str:
            try:
                with torch.inference_mode():
                    photo = load_photo(self._photos[row], self._spec)
                    made = make(row, as_tensor(photo.pixels))
            except PhotoError as error:
                return error.reason
            except OSError as error:
                return str(error)
            return (made, photo.content_hash) if made.any() else "has no contrast"

        rows = [row for row in self._order if row not in self.problems]
        left = len(rows)
        taken: list[Tensor] = []
        hashes: list[str] = []
        for row, made in zip(rows, map_in_threads(read, rows, workers=self._workers), strict=True):
            if isinstance(made, str):
                self.problems[row] = PhotoProblem(photo=str(self._photos[row]), reason=made)
                left -= 1
                continue
            taken.append(made[0])
            hashes.append(made[1])
            if self._progress is not None:
                self._progress(step, len(taken), min(limit, left))
            if len(taken) == limit:
                break
        return taken, hashes


def _too_few(
    photos: Sequence[str | Path], used: int, descriptors: int, words: int, problems: dict[int, PhotoProblem]
) -> str:
    """Return why a fit can't be, in numbers."""
    message = (
        f"densevlad can't be fitted: of {len(photos)} photos {used} can be used, with {descriptors} local "
        f"descriptors; it needs at least {LEAST_PHOTOS} photos and {words} descriptors (one a visual word)."
    )
    if problems:
        first = next(iter(problems.values()))
        message += f" {len(problems)} can't be used, among them {first.photo}: {first.reason}."
    return message + " Give more photos, or larger ones."
