"""What the bytes of an extraction depend on, so that a repeated run goes on only with its own work."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from landfall.errors import ModelError
from landfall.extraction.plan import PlannedBatch, plan_digest
from landfall.extraction.store import FORMAT

if TYPE_CHECKING:
    from landfall.models import Model
    from landfall.photos import InputSpec

# Values of the probe's descriptor that are kept to recognise the model by.
PROBE_VALUES = 256
# Where photos keep their own size, the probe has one that every backbone takes: a multiple of 14 and of 32.
PROBE_SIZE = 224

# What each entry stands for, in a message to the person whose run is refused.
_WORDS = {
    "photos": "the list of photos",
    "names": "the list of photos",
    "files": "the photos' files (their sizes or dates)",
    "plan": "the photos' files (their sizes or dates)",
    "model": "the model",
    "dim": "the model",
    "weights": "the model",
    "probe": "the model",
    "spec": "the size that photos are brought to",
    "batch_size": "the batch size",
    "dtype": "the type of number stored",
    "shard": "the shard",
}

# Entries that change along with another, which alone is worth telling.
_CONSEQUENCES = {
    "photos": {"files", "plan"},
    "names": {"files", "plan"},
    "spec": {"probe", "plan"},
    "batch_size": {"files", "plan"},
    "shard": {"files"},
}


def fingerprint_of(
    paths: Sequence[Path],
    names: Sequence[str],
    model: Model,
    spec: InputSpec,
    plan: Sequence[PlannedBatch],
    *,
    part: Sequence[PlannedBatch],
    batch_size: int,
    dtype: str,
    shard: tuple[int, int] | None,
) -> dict[str, Any]:
    """Return what an extraction depends on, as JSON values.

    A model is known by its card and by the descriptor that it gives one fixed noise image, the probe: cards
    alone don't tell two trainings of one recipe apart.

    Args:
        plan: the batches of all photos.
        part: those of this shard; only their files are looked at.

    Raises:
        ModelError: the model describes the probe in another shape than its card says.
    """
    rows = [row for batch in part for row in batch.rows.tolist()]
    return {
        "format": FORMAT,
        "photos": len(paths),
        "names": digest(names),
        "files": digest(_stamp(paths[row]) for row in rows),
        "plan": plan_digest(plan),
        "model": model.card.model_dump(mode="json", exclude={"sha256"}),
        "weights": model.card.sha256,
        "dim": model.card.descriptor_dim,
        "probe": _probe(model, spec),
        "spec": {"height": spec.height, "width": spec.width, "interpolation": spec.interpolation},
        "batch_size": batch_size,
        "dtype": dtype,
        "shard": None if shard is None else list(shard),
    }


def differences(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in words what changed between two fingerprints; empty when they go together."""
    differing = {key for key in now if key not in ("probe", "weights") and earlier.get(key) != now[key]}
    # A model that was just made has no hash of its weights yet; once saved and loaded again it has.
    if None not in (earlier.get("weights"), now["weights"]) and earlier["weights"] != now["weights"]:
        differing.add("weights")
    if not _same_probe(earlier.get("probe"), now["probe"]):
        differing.add("probe")
    told = differing - {key for cause in differing for key in _CONSEQUENCES.get(cause, ())}
    return sorted({_WORDS.get(key, key) for key in told})


def _probe(model: Model, spec: InputSpec) -> list[float]:
    """Return up to ``PROBE_VALUES`` values of the descriptor of a noise image."""
    shape = (1, spec.height or PROBE_SIZE, spec.width or PROBE_SIZE, 3)
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    descriptor = model.describe(noise)
    expected = (1, model.card.descriptor_dim)
    if descriptor.shape != expected:
        raise ModelError(
            f"{model.card.name} gave a descriptor of shape {descriptor.shape}; its card promises {expected}. "
            "The file and its card don't belong together."
        )
    step = -(-descriptor.shape[1] // PROBE_VALUES)
    return [float(value) for value in np.nan_to_num(descriptor[0, ::step])]


def _same_probe(earlier: object, now: Sequence[float]) -> bool:
    """Tell whether two probes are of one model, up to the rounding of another count of threads."""
    if not isinstance(earlier, list) or len(earlier) != len(now):
        return False
    return bool(np.allclose(earlier, now, rtol=0, atol=1e-5 * float(np.abs(now).max(initial=0.0))))


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "missing"
    return f"{found.st_size} {found.st_mtime_ns}"


def digest(lines: Iterable[str]) -> str:
    """Return a hash of strings in their order."""
    digest = hashlib.blake2b(digest_size=16)
    for line in lines:
        # A name that is not UTF-8 reaches Python with surrogates.
        digest.update(line.encode("utf-8", "surrogateescape") + b"\0")
    return digest.hexdigest()
