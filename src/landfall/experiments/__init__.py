"""The paper's "Experiments" and "Ablation study": a model on a split, and the figures and sheets of it.

What belongs here ties the lower floors together: models, photos and datasets in, results as files out.
"""

from __future__ import annotations

from landfall.experiments.attention_pictures import (
    ModelAnswer,
    Retrieved,
    draw_explanation,
    draw_visual,
)
from landfall.experiments.evaluate import EvaluationRun, evaluate_model
from landfall.experiments.evaluation_report import write_report
from landfall.experiments.explain import (
    ExplainedPhoto,
    Explanation,
    LabelledModel,
    explain_photo,
    explain_photos,
    label_models,
)
from landfall.experiments.sheets import choose_queries, contact_rows

__all__ = [
    "EvaluationRun",
    "ExplainedPhoto",
    "Explanation",
    "LabelledModel",
    "ModelAnswer",
    "Retrieved",
    "choose_queries",
    "contact_rows",
    "draw_explanation",
    "draw_visual",
    "evaluate_model",
    "explain_photo",
    "explain_photos",
    "label_models",
    "write_report",
]
