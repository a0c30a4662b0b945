"""The order of a query's matches once it is known which of them show the same things."""

from __future__ import annotations

from collections.abc import Sequence

from landfall.errors import UsageError

# Chance gives 8 or 9, since a fundamental matrix fits any 7 matches. On a validation split of street views,
# 4 of 6 718 pairs taken more than 50 m apart reached 12, and a quarter of those within 25 m did. From 10 to
# 15, recall after re-ranking moves by less than its standard error.
LEAST_INLIERS = 12


def rerank(inliers: Sequence[int | None], least: int = LEAST_INLIERS) -> list[int]:
    """Return the new order of matches, as their places (from 0) in the old one.

    Those with at least ``least`` inliers come first, most inliers first. The others follow as they were: a
    handful of inliers is chance and says less than retrieval does. Equals stay as they were.

    Args:
        inliers: of each match in the order of retrieval; None for a photo that could not be checked.
        least: see above.

    Raises:
        UsageError: ``least`` is below 1.
    """
    if least < 1:
        raise UsageError(f"At least {least} inliers were asked for: expected 1 or more.")
    return sorted(range(len(inliers)), key=lambda place: _strength(inliers[place], least), reverse=True)


def _strength(inliers: int | None, least: int) -> int:
    return inliers if inliers is not None and inliers >= least else 0
