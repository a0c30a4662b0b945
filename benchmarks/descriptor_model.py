"""Descriptors drawn from a distribution fitted to real ones, as many as a benchmark wants.

    python benchmarks/descriptor_model.py DATASET SPLIT DATABASE.npy QUERIES.npy [--dim 512]

fits it, and writes `descriptor_model.json`: numbers by principal axis and quantiles, no descriptor. What is
fitted, on the first ``dim`` principal axes of the database photos, each photo of unit norm there:

- ``total``: the variance along each axis;
- ``within``: its part that differs between two views of one place: half the mean squared difference of pairs
  that stand within 12 m and look within 45 degrees of each other;
- ``pair_scale``: quantiles of those pairs' squared distances over their mean, since some views differ little
  and some much;
- ``district``: the share of the places' variance that neighbouring places have in common, chosen so that the
  distances to the 1st, 10th and 100th nearest of as many drawn photos come closest to the real ones
  (``neighbours``: the medians, real and drawn).

A drawn photo is district + place + view, each normal along each axis, a view's size by ``pair_scale``; then
of unit norm. Real descriptors are not normal, and real cities repeat themselves: what this gives is called
**synthetic, fitted**.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

MODEL = Path(__file__).parent / "descriptor_model.json"
#: A place is seen this often, and a district holds so many places.
VIEWS, PLACES = 4, 32
NEAR_M, LOOKING_DEG = 12.0, 45.0
RANKS = (1, 10, 100)


def draw(model: dict[str, Any], photos: int, seed: int, *, block: int = 65_536) -> Iterator[Matrix]:
    """Yield blocks of drawn descriptors (B, dim), in an order in which places don't stand together."""
    rng = np.random.default_rng(seed)
    places = -(-photos // VIEWS)
    owners = rng.permutation(np.repeat(np.arange(places), VIEWS)[:photos])
    for first in range(0, photos, block):
        yield views(model, owners[first : first + block], rng, seed)


def draw_queries(model: dict[str, Any], photos: int, count: int, seed: int) -> Matrix:
    """Return further views (count, dim) of places that ``draw`` with the same photos and seed has drawn."""
    rng = np.random.default_rng((seed, 1))
    return views(model, rng.integers(0, -(-photos // VIEWS), count), rng, seed)


def views(model: dict[str, Any], owners: NDArray[np.int64], rng: np.random.Generator, seed: int) -> Matrix:
    """Return a view (B, dim) of each place named; a place looks the same whenever it is named."""
    total, within = (np.array(model[key], np.float32) for key in ("total", "within"))
    of_place = np.sqrt(np.maximum(total - within, 0))
    share = float(model["district"])
    own = normals(owners, len(total), (seed, 2))
    district = normals(owners // PLACES, len(total), (seed, 3))
    scale = np.interp(
        rng.random(len(owners)), np.linspace(0, 1, len(model["pair_scale"])), model["pair_scale"]
    ).astype(np.float32)
    noise = rng.standard_normal(own.shape, dtype=np.float32) * np.sqrt(within * scale[:, None])
    drawn = of_place * (np.sqrt(share) * district + np.sqrt(1 - share) * own) + noise
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)


def normals(names: NDArray[np.int64], dim: int, seed: tuple[int, int]) -> Matrix:
    """Return standard normal vectors (N, dim), the same for the same name."""
    unique, places = np.unique(names, return_inverse=True)
    drawn = np.empty((len(unique), dim), np.float32)
    for row, name in enumerate(unique):
        np.random.default_rng((*seed, int(name))).standard_normal(dtype=np.float32, out=drawn[row])
    return np.asarray(drawn[places])


def fit(database: Matrix, queries: Matrix, pairs: NDArray[np.int64], dim: int) -> dict[str, Any]:
    """Return the model of real descriptors; ``pairs`` (P, 2) are a query and a database photo."""
    mean = database.mean(axis=0)
    centred = database - mean
    variances, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    kept = vectors[:, ::-1][:, :dim] / np.sqrt(variances[::-1][:dim])
    axes = kept.T.astype(np.float32) @ centred
    seen, asked = (unit((x - mean) @ axes.T) for x in (database, queries))
    squared = (asked[pairs[:, 0]] - seen[pairs[:, 1]]) ** 2
    total, within = seen.var(axis=0), 0.5 * squared.mean(axis=0)
    sums = squared.sum(axis=1)
    model: dict[str, Any] = {
        "total": [round(float(v), 9) for v in total],
        "within": [round(float(v), 9) for v in np.minimum(within, total)],
        "pair_scale": [round(float(v), 4) for v in np.quantile(sums / sums.mean(), np.linspace(0, 1, 21))],
    }
    real = neighbours(seen)
    tried = {}
    for share in (0.0, 0.2, 0.4, 0.6, 0.8):
        drawn = np.concatenate(list(draw(model | {"district": share}, len(seen), 0)))
        tried[share] = neighbours(drawn)
    best = min(tried, key=lambda share: float(np.abs(np.log(np.divide(tried[share], real))).sum()))
    return model | {
        "district": best,
        "neighbours": {"ranks": RANKS, "real": real, "drawn": tried[best]},
        "kept_variance": round(float(variances[::-1][:dim].sum() / variances.sum()), 4),
        "photos": len(database),
        "pairs": len(pairs),
    }


def neighbours(rows: Matrix) -> list[float]:
    """Return the median distance of a row to its nearest others, by ``RANKS``."""
    squared = np.maximum(2 - 2 * rows @ rows.T, 0)
    ranked = np.sqrt(np.partition(squared, RANKS, axis=1)[:, RANKS])
    return [round(float(v), 4) for v in np.median(ranked, axis=0)]


def unit(rows: Matrix) -> Matrix:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def main() -> None:
    from landfall.datasets import load_dataset

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset")
    parser.add_argument("split")
    parser.add_argument("database", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument(
        "--model", default="NetVLAD, ResNet-18, not trained", help="what described the photos"
    )
    options = parser.parse_args()
    dataset = load_dataset(options.dataset, options.split)
    # Standard names carry the heading in their ninth field.
    where = [
        np.array([[float(part) for part in (f[1], f[2], f[9])] for f in names])
        for names in (
            [path.name.split("@") for path in photos.paths] for photos in (dataset.queries, dataset.database)
        )
    ]
    apart = np.linalg.norm(where[0][:, None, :2] - where[1][None, :, :2], axis=2)
    turned = np.abs((where[0][:, None, 2] - where[1][None, :, 2] + 180) % 360 - 180)
    pairs = np.argwhere((apart <= NEAR_M) & (turned <= LOOKING_DEG))
    model = fit(
        np.load(options.database).astype(np.float32),
        np.load(options.queries).astype(np.float32),
        pairs,
        options.dim,
    )
    told = {"fitted_to": f"{options.model}; {dataset.name} {options.split}", "dim": options.dim} | model
    MODEL.write_text(json.dumps(told) + "\n", encoding="utf-8")
    print(json.dumps({key: told[key] for key in ("district", "neighbours", "kept_variance", "pairs")}))


if __name__ == "__main__":
    main()
