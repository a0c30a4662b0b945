"""DenseVLAD: the model for people with no network and no weights.

Torii, Arandjelovic, Sivic, Okutomi and Pajdla, "24/7 place recognition by view synthesis", CVPR 2015:
RootSIFT on a dense grid at several scales (`dense_sift`), VLAD with intra-normalisation (`vlad`), PCA
whitening (`pca`). Words and whitening are learnt from the very photos that will be searched, so nothing is
downloaded.

Deviations: 256 words of 32 principal components instead of 128 of 128 (half the work; on street views and on
drawn ones of changing seasons no worse), 1 024 numbers instead of 4 096, signed square root before
intra-normalisation, eigenvalues shrunk before whitening so that a small collection is not whitened to noise.

torch is imported when photos are described or a model is loaded from a file: naming the model costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from landfall.errors import ModelError, WeightsError
from landfall.models.card import ModelCard
from landfall.models.checkpoint import Tensors, write_checkpoint
from landfall.models.loading import FAMILIES
from landfall.models.published import PUBLISHED
from landfall.photos import InputSpec

if TYPE_CHECKING:
    from landfall.models.densevlad_fit import FitOptions, FitProgress, FitReport
    from landfall.models.fit_sample import FitSample
    from landfall.models.heads.attention import AttentionMap
    from landfall.models.pca import Whitening
    from landfall.models.vocabulary import Vocabulary

#: On street views no worse than 320 x 320, and a photo takes a quarter less time.
_SPEC = InputSpec(height=240, width=320)

_DIM = 1024


class DenseVLAD:
    """Describes photos by visual words that were learnt from photos like them.

    `fit` makes a fitted one; the published model ``densevlad`` is not fitted yet.

    Attributes:
        card: what it takes and gives; ``descriptor_dim`` is the most it can be until it is fitted.
        sample: what `fit` read; None for a model that is not fitted or was loaded.
    """

    def __init__(
        self,
        card: ModelCard | None = None,
        *,
        vocabulary: Vocabulary | None = None,
        whitening: Whitening | None = None,
        sample: FitReport | None = None,
        fit_sample: FitSample | None = None,
    ) -> None:
        self.card = card or _make_card(_SPEC, dim=_DIM, source="to be fitted on the user's own photos")
        self.sample = sample
        self._fit_sample = sample.sample if sample is not None else fit_sample
        self._fitted = None if vocabulary is None or whitening is None else (vocabulary, whitening)

    @property
    def fitted(self) -> bool:
        """Whether it has seen its photos and can describe others."""
        return self._fitted is not None

    @property
    def fit_sample(self) -> FitSample | None:
        """The photos it was fitted on; None before that, and for files that do not say."""
        return self._fit_sample

    @classmethod
    def fit(
        cls,
        photos: Sequence[str | Path],
        *,
        seed: int = 0,
        spec: InputSpec | None = None,
        options: FitOptions | None = None,
        workers: int | None = None,
        progress: FitProgress | None = None,
    ) -> DenseVLAD:
        """Return a model fitted on photos; the same photos and seed give the same model.

        A bounded sample of them is read, twice, by threads. Photos that can't be used are left out and named
        in ``sample.problems``.

        Args:
            photos: paths of the photos that will be searched, not of the queries.
            seed: picks the sample and the words' start.
            spec: how photos are read, then and later; 240 x 320 by default.
            options: words, sizes, and limits of the sample.
            workers: threads; one a core by default.
            progress: told the step, photos done, and photos to do.

        Raises:
            ModelError: too few photos that can be read, or too little contrast in them.
        """
        from landfall.models.densevlad_fit import FitOptions, fit_densevlad

        spec = spec or _SPEC
        options = options or FitOptions()
        vocabulary, whitening, report = fit_densevlad(
            photos, spec, options, seed=seed, workers=workers, progress=progress
        )
        card = _make_card(
            spec,
            dim=len(whitening.projection),
            source=f"fitted on {report.photos} of the user's own photos",
            options=asdict(options.sift) | {"scales": list(options.sift.scales)},
            seed=seed,
        )
        return cls(card, vocabulary=vocabulary, whitening=whitening, sample=report)

    def describe(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the descriptors (B, D) float32 of photos (B, H, W, 3) uint8, RGB, of unit norm.

        A photo's descriptor does not depend on the others of its batch. Photos without any contrast all have
        one and the same descriptor.

        Raises:
            ModelError: not fitted yet, or another shape or type of array.
        """
        import torch

        from landfall.models.dense_sift import as_tensor
        from landfall.models.threads import map_in_threads

        vocabulary, whitening = self._parts()
        _check_photos(images)

        def describe_one(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
            with torch.inference_mode():
                one: npt.NDArray[np.float32] = whitening(vocabulary.aggregate(as_tensor(image))).numpy()
            return one

        described = np.empty((len(images), self.card.descriptor_dim), np.float32)
        for row, one in zip(described, map_in_threads(describe_one, images), strict=True):
            row[:] = one
        return described

    def attention(self, images: npt.NDArray[np.uint8]) -> tuple[AttentionMap]:
        """Return the residual energy (B, h, w) of the cells of photos (B, H, W, 3) uint8, RGB.

        `densevlad_attention` says what it is.

        Raises:
            ModelError: not fitted yet, or another shape or type of array.
        """
        import torch

        from landfall.models.dense_sift import as_tensor
        from landfall.models.densevlad_attention import residual_energy
        from landfall.models.heads.attention import AttentionMap
        from landfall.models.threads import map_in_threads

        vocabulary, _ = self._parts()
        _check_photos(images)

        def attend(image: npt.NDArray[np.uint8]) -> torch.Tensor:
            with torch.inference_mode():
                return residual_energy(as_tensor(image), vocabulary)

        energies = list(map_in_threads(attend, images))
        values = torch.stack(energies) if energies else torch.zeros(0, 1, 1)
        return (AttentionMap("residual energy", "norm of the residuals", values),)

    def save(self, path: str | Path) -> None:
        """Write words, whitening and card to one safetensors file (see `landfall.models.checkpoint`).

        Raises:
            ModelError: not fitted yet, or the file can't be written.
        """
        vocabulary, whitening = self._parts()
        tensors: Tensors = {
            "feature_mean": vocabulary.mean.numpy(),
            "feature_axes": vocabulary.axes.numpy(),
            "words": vocabulary.words.numpy(),
            "whitening_mean": whitening.mean.numpy(),
            "whitening_projection": whitening.projection.numpy(),
        }
        if self.fit_sample is not None:
            tensors["fit_content_hashes"] = self.fit_sample.content_hashes
            tensors["fit_products"] = self.fit_sample.products
            tensors["fit_shrinkage"] = np.array(self.fit_sample.shrinkage, np.float32)
        self.card = write_checkpoint(path, tensors, self.card)

    def _parts(self) -> tuple[Vocabulary, Whitening]:
        if self._fitted is None:
            raise ModelError(
                "The model densevlad is not fitted yet: it learns from the photos that are to be searched. "
                "`landfall index build PHOTOS --model densevlad` does so by itself; in Python call "
                "DenseVLAD.fit(photos) with the paths of at least 2 photos."
            )
        return self._fitted


def _check_photos(images: npt.NDArray[np.uint8]) -> None:
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ModelError(
            f"Photos came as {images.dtype} of shape {images.shape}; expected uint8 (B, H, W, 3), RGB."
        )


def _make_card(
    spec: InputSpec, *, dim: int, source: str, options: dict[str, Any] | None = None, seed: int | None = None
) -> ModelCard:
    return ModelCard(
        name="densevlad",
        family="densevlad",
        backbone_options=options or {},
        descriptor_dim=dim,
        height=spec.height,
        width=spec.width,
        interpolation=spec.interpolation,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        licence="that of the photos it was fitted on; it holds nothing else",
        source=source,
        seed=seed,
    )


@PUBLISHED.register("densevlad")
def densevlad(*, device: str | None = None) -> DenseVLAD:  # noqa: ARG001
    """Dense RootSIFT and VLAD, fitted on the photos being indexed: needs no weights and no network.

    It runs on the CPU, whatever the device.
    """
    return DenseVLAD()


@FAMILIES.register("densevlad")
def densevlad_from_checkpoint(
    card: ModelCard,
    tensors: Tensors,
    *,
    path: Path,
    device: str | None,  # noqa: ARG001
) -> DenseVLAD:
    """Return the fitted model of a checkpoint; it runs on the CPU, whatever the device.

    Raises:
        ModelError: settings of the local descriptors that this version doesn't know.
        WeightsError: tensors missing, unexpected or wrongly sized.
    """
    import torch

    from landfall.models.dense_sift import SIFT_DIM, DenseSift
    from landfall.models.pca import Whitening
    from landfall.models.vocabulary import Vocabulary

    _check(card, tensors, path, sift_dim=SIFT_DIM)
    try:
        options: dict[str, Any] = dict(card.backbone_options)
        sift = DenseSift(**options | {"scales": tuple(options["scales"])})
    except (KeyError, TypeError, ModelError) as error:
        raise ModelError(
            f"{path}: its settings of local descriptors can't be used ({error}). It was made by Landfall "
            f"{card.landfall_version}: use that version, or fit the model anew."
        ) from error
    loaded = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
    vocabulary = Vocabulary(
        sift=sift, mean=loaded["feature_mean"], axes=loaded["feature_axes"], words=loaded["words"]
    )
    whitening = Whitening(mean=loaded["whitening_mean"], projection=loaded["whitening_projection"])
    return DenseVLAD(
        card, vocabulary=vocabulary, whitening=whitening, fit_sample=_fit_sample(tensors, card.descriptor_dim)
    )


def _fit_sample(tensors: Tensors, dim: int) -> FitSample | None:
    """Return what a file says of the photos of the fit; older ones say nothing."""
    from landfall.models.fit_sample import FitSample

    if "fit_products" not in tensors:
        return None
    return FitSample(
        tensors["fit_content_hashes"], tensors["fit_products"], dim, float(tensors["fit_shrinkage"])
    )


def _check(card: ModelCard, tensors: Tensors, path: Path, *, sift_dim: int) -> None:
    """Raise WeightsError unless the tensors are all there, no others, and fit each other and the card."""
    words = tensors.get("words", np.empty((0, 0)))
    count, feature_dim = words.shape if words.ndim == 2 else (0, 0)
    expected = {
        "feature_mean": (sift_dim,),
        "feature_axes": (feature_dim, sift_dim),
        "words": (count, feature_dim),
        "whitening_mean": (count * feature_dim,),
        "whitening_projection": (card.descriptor_dim, count * feature_dim),
    }
    sampled = len(tensors.get("fit_products", ()))
    if any(name.startswith("fit_") for name in tensors):
        expected |= {
            "fit_products": (sampled, sampled),
            "fit_content_hashes": (sampled, 16),
            "fit_shrinkage": (),
        }
    wrong = [f"missing: {name}" for name in expected if name not in tensors]
    wrong += [f"unexpected: {name}" for name in tensors if name not in expected]
    wrong += [
        f"wrong size: {name} (found {tensors[name].dtype} {tensors[name].shape}, expected {_dtype(name)} "
        f"{shape})"
        for name, shape in expected.items()
        if name in tensors and (tensors[name].shape != shape or tensors[name].dtype != _dtype(name))
    ]
    if wrong:
        raise WeightsError(f"{path}: does not fit. {'; '.join(wrong)}. Save the model again, or fit it anew.")


def _dtype(name: str) -> str:
    return "uint8" if name == "fit_content_hashes" else "float32"
