"""How sure an answer may be, learned from the index itself with no labels.

Photos of the index play the queries, each with its own spot and moment left out (``sample``); what an answer
looks like (``features``) is fitted to whether it is right, how far off it is, and whether the place is in the
index at all (``fit``); the result is a few numbers (``calibration``) that travel with the index (``stored``).
"""

from landfall.localization.calibration.calibration import Calibration, Certainty
from landfall.localization.calibration.features import answer_features, checked_features
from landfall.localization.calibration.fit import NoCalibration, calibrate
from landfall.localization.calibration.learnt import LearntFrom
from landfall.localization.calibration.stored import (
    calibrate_index,
    checked_calibration,
    index_calibration,
    keep_calibrated,
)

__all__ = [
    "Calibration",
    "Certainty",
    "LearntFrom",
    "NoCalibration",
    "answer_features",
    "calibrate",
    "calibrate_index",
    "checked_calibration",
    "checked_features",
    "index_calibration",
    "keep_calibrated",
]
