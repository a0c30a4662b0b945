"""The paper's tables and figures as experiments on any dataset, and ablations of the traps in its setting.

What belongs here: what is compared (``variant``, ``catalogue``, ``published``), how much it may cost
(``budget``) and how often each is run (``seeds``), what that trains (``plan``) on what (``task``), running
it (``running``, ``run``), what it leaves (``store``, ``record``, ``measured``), what it makes beside recall
(``products``), and how variants compare (``comparison``). A report is made from the records alone
(``report``).

Importing it loads neither torch nor Lightning.
"""

from __future__ import annotations

from landfall.experiments.paper import catalogue  # noqa: F401 - it fills EXPERIMENTS
from landfall.experiments.paper.budget import Budget
from landfall.experiments.paper.plan import ExperimentPlan, plan_experiments
from landfall.experiments.paper.running import run_experiments
from landfall.experiments.paper.seeds import Seeds
from landfall.experiments.paper.task import Task
from landfall.experiments.paper.variant import EXPERIMENTS, Experiment, Variant

__all__ = [
    "EXPERIMENTS",
    "Budget",
    "Experiment",
    "ExperimentPlan",
    "Seeds",
    "Task",
    "Variant",
    "plan_experiments",
    "run_experiments",
]
