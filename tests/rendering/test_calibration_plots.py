"""Plots of how honest answers are: files that open, the same each time, with the right ends of intervals."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from landfall.rendering import ReliabilityBins, RiskCurve, plot_reliability, plot_risk_coverage
from landfall.rendering.calibration_plots import _wilson

BINS = ReliabilityBins(np.array([0.2, 0.6, 0.95]), np.array([0.3, 0.5, 1.0]), np.array([10, 10, 10]))
CURVE = RiskCurve("a model", np.linspace(0.1, 1.0, 10), np.linspace(0.0, 0.3, 10))


def test_both_are_pictures_and_the_same_each_time() -> None:
    drawn = [
        [plot_reliability(BINS, title="test", subtitle="synthetic") for _ in range(2)],
        [plot_risk_coverage([CURVE], title="test") for _ in range(2)],
    ]
    for first, again in drawn:
        assert Image.open(io.BytesIO(first)).size[0] > 600
        assert again == first


def test_svg_names_what_it_shows() -> None:
    svg = plot_reliability(BINS, title="town, split test", image_format="svg").decode()
    assert svg.lstrip().startswith("<?xml")


def test_no_curves_make_an_empty_plot() -> None:
    assert plot_risk_coverage([], title="nothing yet")


def test_wilson_intervals_are_the_published_ones() -> None:
    # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I:
    # 81/263, 15/148 and 0/20.
    low, high = _wilson(np.array([81 / 263, 15 / 148, 0.0]), np.array([263, 148, 20]))
    assert low == pytest.approx([0.2553, 0.0624, 0.0], abs=5e-5)
    assert high == pytest.approx([0.3662, 0.1605, 0.1611], abs=5e-5)
