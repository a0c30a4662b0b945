"""The paper's "Experiments" and "Ablation study": a model on a split, and the figures and sheets of it.

What belongs here ties the lower floors together: models, photos and datasets in, results as files out.
"""

from __future__ import annotations

from landfall.experiments.evaluate import EvaluationRun, evaluate_model

__all__ = ["EvaluationRun", "evaluate_model"]
