"""What an answer looks like, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from landfall.localization.calibration import answer_features
from landfall.localization.position import match_weights


def features(places_m: list[float], distances: list[float], fix_m: float) -> np.ndarray:
    points = np.array([[[x, 0.0] for x in places_m]])
    return np.asarray(answer_features(points, np.array([distances]), np.array([[fix_m, 0.0]]))[0])


def test_margin_is_the_log_of_how_much_further_the_first_match_elsewhere_is() -> None:
    got = features([0.0, 10.0, 500.0, 900.0], [0.5, 0.6, 0.75, 0.8], 0.0)
    assert got[0] == 0.5
    assert got[1] == pytest.approx(np.log(0.75 / 0.5), abs=1e-5)


def test_a_match_elsewhere_in_front_makes_the_margin_negative() -> None:
    # The answer follows the many; the first match stands elsewhere.
    got = features([500.0, 0.0, 1.0, 2.0], [0.5, 0.6, 0.6, 0.6], 1.0)
    assert got[1] == pytest.approx(np.log(0.5 / 0.6), abs=1e-5)


def test_when_all_are_near_the_last_one_stands_for_the_next_elsewhere() -> None:
    got = features([0.0, 5.0, 9.0], [0.4, 0.5, 0.8], 0.0)
    assert got[1] == pytest.approx(np.log(0.8 / 0.4), abs=1e-5)
    assert got[2] == pytest.approx(1.0)


def test_agreement_and_spread_weigh_matches_as_votes() -> None:
    distances = [0.5, 0.51, 0.52]
    got = features([0.0, 100.0, 10.0], distances, 0.0)
    w = match_weights(np.array([distances]))[0]
    assert got[2] == pytest.approx((w[0] + w[2]) / w.sum())
    assert got[3] == pytest.approx(np.log1p((100 * w[1] + 10 * w[2]) / w.sum()))


def test_matches_that_are_not_there_change_nothing() -> None:
    some = features([0.0, 100.0], [0.5, 0.6], 0.0)
    more = features([0.0, 100.0, 7777.0], [0.5, 0.6, np.inf], 0.0)
    np.testing.assert_allclose(more, some)


def test_no_match_gives_no_features_and_the_very_same_photo_finite_ones() -> None:
    assert np.isnan(features([0.0, 0.0], [np.inf, np.inf], 0.0)).all()
    assert np.isfinite(features([0.0, 90.0], [0.0, 0.4], 0.0)).all()
