"""The paper's tables and figures as experiments on any dataset, and ablations of the traps in its setting.

What belongs here: what is compared (``variant``, ``catalogue``, ``published``), how much it may cost
(``budget``), what that trains (``plan``), running it (``running``), what it leaves (``store``, ``measured``)
and what it makes beside recall (``products``). A report is made from the records alone (``report``).

Importing it loads neither torch nor Lightning.
"""

from __future__ import annotations

from landfall.experiments.paper import catalogue  # noqa: F401 - it fills EXPERIMENTS
from landfall.experiments.paper.budget import Budget
from landfall.experiments.paper.plan import ExperimentPlan, plan_experiment
from landfall.experiments.paper.running import Task, run_experiment
from landfall.experiments.paper.variant import EXPERIMENTS, Experiment, Variant

__all__ = [
    "EXPERIMENTS",
    "Budget",
    "Experiment",
    "ExperimentPlan",
    "Task",
    "Variant",
    "plan_experiment",
    "run_experiment",
]
