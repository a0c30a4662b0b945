"""How well descriptors find places (paper, section "Metric"): recall@N, intervals, distance errors.

What belongs here takes arrays and positions and gives numbers: nothing in this folder reads photos or runs
a network. :func:`evaluate_descriptors` ties the files together.
"""

from __future__ import annotations
