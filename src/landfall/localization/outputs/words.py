"""What every format says alike: the words for an answer's state, numbers, and text that XML can hold."""

from __future__ import annotations

import re
from collections.abc import Sequence

from landfall.localization.fix import Fix

# The seventh decimal of a degree is about a centimetre.
DEGREE_DECIMALS = 7

LOCALIZED = "localized"
NOT_IN_INDEX = "not in this index"
NOT_LOCALIZED = "not localized"

# What XML 1.0 (2.2) forbids, with surrogates, which no UTF-8 text can hold; and what its parsers change or
# its authors advise against: line ends, tabs, and the other control characters.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def state_of(fix: Fix) -> str:
    """Return whether a photo is localized, not in this index, or not localized.

    An answer that nothing was calibrated for (``accepted`` is None) counts as localized.
    """
    if fix.location is None:
        return NOT_LOCALIZED
    return NOT_IN_INDEX if fix.accepted is False else LOCALIZED


def of_state(fixes: Sequence[Fix], state: str) -> list[Fix]:
    """Return the fixes of one state, in order."""
    return [fix for fix in fixes if state_of(fix) == state]


def degrees(value: float) -> str:
    """Return a coordinate with seven decimals; never ``-0.0000000``."""
    return f"{round(value, DEGREE_DECIMALS) + 0.0:.{DEGREE_DECIMALS}f}"


def plain(text: str) -> str:
    """Return text of which every character may stand in XML and CSV; others become escapes such as ``\\x07``.

    A file name may hold any of them. What is lost is the difference to a name with a backslash there.
    """
    return _UNFIT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def described(fix: Fix) -> list[str]:
    """Return what is known of an answer, a line each."""
    if fix.location is None:
        return [f"{NOT_LOCALIZED}: {fix.error}"]
    lines = (
        [f"{NOT_IN_INDEX}: the position is that of the photos most alike"] if fix.accepted is False else []
    )
    if fix.radius_m is not None:
        lines.append(f"within {fix.radius_m:.0f} m with 90 % probability")
    if fix.confidence is not None:
        lines.append(f"within 25 m with {100 * fix.confidence:.0f} % probability")
    if fix.in_index is not None:
        lines.append(f"is in the index as {fix.in_index}")
    if fix.matches:
        lines.append(f"first match: {fix.matches[0].photo} (distance {fix.matches[0].distance:.3f})")
    return lines
