"""VLAD against the definition written out, and in limit cases."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from landfall.models.vlad import nearest_words, vlad


def sample(count: int, words: int = 7, dim: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(4)
    return (
        torch.from_numpy(rng.normal(size=(count, dim)).astype(np.float32)),
        torch.from_numpy(rng.normal(size=(words, dim)).astype(np.float32)),
    )


def written_out(features: npt.NDArray[np.float64], words: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the VLAD of features for words, one feature and one word at a time."""
    sums = np.zeros_like(words)
    for x in features:
        k = min(range(len(words)), key=lambda k: float(np.sum((x - words[k]) ** 2)))
        sums[k] += x - words[k]
    for k in range(len(words)):
        sums[k] = np.sign(sums[k]) * np.sqrt(np.abs(sums[k]))
        if np.linalg.norm(sums[k]) > 0:
            sums[k] /= np.linalg.norm(sums[k])
    return sums.ravel() / np.linalg.norm(sums)


def test_vlad_equals_the_definition_written_out() -> None:
    features, words = sample(60)
    expected = written_out(features.double().numpy(), words.double().numpy())
    np.testing.assert_allclose(vlad(features, words).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_features_go_to_their_nearest_word() -> None:
    features, words = sample(60)
    distances = np.linalg.norm(features.numpy()[:, None] - words.numpy(), axis=2)
    np.testing.assert_array_equal(nearest_words(features, words).numpy(), distances.argmin(axis=1))


def test_words_weigh_the_same_whatever_they_collect() -> None:
    # Intra-normalisation: every word that has features contributes the same energy.
    features, words = sample(200)
    energies = vlad(features, words).view_as(words).square().sum(dim=1)
    torch.testing.assert_close(energies, torch.full((7,), 1 / 7), rtol=1e-4, atol=0)


def test_a_word_without_features_gives_zeros() -> None:
    features, words = sample(60)
    far = torch.cat([words, torch.full((1, 5), 1e3)])
    torch.testing.assert_close(vlad(features, far)[:35], vlad(features, words))
    assert not vlad(features, far)[35:].any()


def test_no_features_give_zeros() -> None:
    features, words = sample(0)
    assert not vlad(features, words).any()


def test_features_that_lie_on_their_words_give_zeros() -> None:
    # Limit case: no residual at all; nothing is divided by zero.
    words = sample(1)[1]
    assert not vlad(words.clone(), words).any()


def test_the_order_of_features_does_not_matter() -> None:
    features, words = sample(60)
    torch.testing.assert_close(vlad(features.flip(0), words), vlad(features, words))
