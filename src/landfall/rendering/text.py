"""Lines of text that fit into a width on matplotlib's figures."""

from __future__ import annotations

from typing import Literal

from landfall.rendering.contact_sheet import shorten

Weight = Literal["normal", "bold"]


def fit_line(text: str, width_in: float, size_pt: float, *, weight: Weight = "normal") -> str:
    """Return a text as one line of at most ``width_in`` inches, shortened in the middle where it must be."""
    line = " ".join(text.split())
    length = len(line)
    while length > 1 and line_width_in(shorten(line, length), size_pt, weight=weight) > width_in:
        length -= 1
    return shorten(line, length)


def wrap_lines(text: str, width_in: float, size_pt: float, *, weight: Weight = "normal") -> list[str]:
    """Return a text as lines of at most ``width_in`` inches, broken between words; long words overhang."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and line_width_in(longer, size_pt, weight=weight) <= width_in:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def line_width_in(line: str, size_pt: float, *, weight: Weight = "normal") -> float:
    """Return how wide a line is, in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size_pt, weight=weight)
    width_pt, _, _ = text_to_path.get_text_width_height_descent(line, font, ismath=False)
    return float(width_pt) / 72
