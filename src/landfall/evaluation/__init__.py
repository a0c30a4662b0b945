"""How well descriptors find places (paper, section "Metric"): recall@N, intervals, distance errors.

What belongs here takes arrays and positions and gives numbers: nothing in this folder reads photos or runs
a network. :func:`evaluate_descriptors` ties the files together.
"""

from __future__ import annotations

from landfall.evaluation.evaluation import evaluate_again, evaluate_descriptors
from landfall.evaluation.intervals import bootstrap_interval, paired_difference
from landfall.evaluation.own_queries import own_hits
from landfall.evaluation.recall import hits_at, recall_at
from landfall.evaluation.resources import peak_rss_mb
from landfall.evaluation.result import Evaluation, ThresholdResult

__all__ = [
    "Evaluation",
    "ThresholdResult",
    "bootstrap_interval",
    "evaluate_again",
    "evaluate_descriptors",
    "hits_at",
    "own_hits",
    "paired_difference",
    "peak_rss_mb",
    "recall_at",
]
