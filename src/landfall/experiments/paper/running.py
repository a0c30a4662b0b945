"""Running an experiment: what is finished is not repeated, what was cut off goes on, the rest is trained.

Every run stands for itself in the results' folder, and experiments that need the same run find it there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from landfall.errors import TrainingError, UsageError
from landfall.experiments.paper.plan import ExperimentPlan, PlannedRun
from landfall.experiments.paper.portable import portable_text
from landfall.experiments.paper.products import PRODUCTS, Context
from landfall.experiments.paper.record import make_record
from landfall.experiments.paper.run import Runner, Say
from landfall.experiments.paper.store import ResultsFolder
from landfall.experiments.paper.task import Task, Tested, load_tests
from landfall.training import Progress


def run_experiments(
    plans: Sequence[ExperimentPlan],
    task: Task,
    out: Path,
    *,
    say: Say = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, dict[str, Any]]:
    """Train what is not trained yet, measure what is not measured yet, and return the experiments' records.

    A training that fails, such as one whose loss is no number any more, is named in its experiment's record,
    and the others go on.

    Args:
        plans: of `plan_experiments`.
        task: the datasets and the machine.
        out: the results' folder; experiments share it.
        say: is told what happens, line by line.
        progress: is told how far a training is.

    Raises:
        UsageError: results of other settings or data are there, or the folder can't be written.
        DatasetError, ModelError: a run can't be done at all; the others' results are kept.
    """
    tests = load_tests(task)
    records = {plan.experiment.name: make_record(plan, task, tests) for plan in plans}
    folder = ResultsFolder(out)
    runner = Runner(task, folder, say, progress)
    with folder.held():
        # All are begun first: what can't be mixed is told before hours of training.
        for name, record in records.items():
            records[name] = folder.begin(name, record)
        for plan in plans:
            name = plan.experiment.name
            failed = [told for run in _counted(plan, say) if (told := _try(runner, run, tests, say))]
            if failed:
                records[name] = {**records[name], "failed": failed}
                folder.write(name, records[name])
            elif plan.experiment.product is not None:
                records[name] = _with_product(plan, task, tests, folder, records[name], say)
    return records


def _counted(plan: ExperimentPlan, say: Say) -> Iterator[PlannedRun]:
    for number, run in enumerate(plan.runs, start=1):
        say(f"{plan.experiment.name} {number}/{len(plan.runs)}: {_called(run)}")
        yield run


def _called(run: PlannedRun) -> str:
    return f"{run.variant.label}, seed {run.recipe.seed}" + ("" if run.trained else ", untrained")


def _try(runner: Runner, run: PlannedRun, tests: Sequence[Tested], say: Say) -> dict[str, Any] | None:
    """Do a run; return what failed, None where all is there."""
    with _run_told(run):
        try:
            runner.train(run)
        except TrainingError as error:
            say(f"  failed: {error}")
            return {
                "label": run.variant.label,
                "seed": run.recipe.seed,
                "trained": run.trained,
                "error": portable_text(str(error)),
            }
        for tested in tests:
            runner.measure(run, tested)
    return None


@contextmanager
def _run_told(run: PlannedRun) -> Iterator[None]:
    """Say which run an error came from."""
    try:
        yield
    except UsageError as error:
        error.add_note(f"In the run of {_called(run)}.")
        raise


def _with_product(
    plan: ExperimentPlan,
    task: Task,
    tests: Sequence[Tested],
    folder: ResultsFolder,
    record: dict[str, Any],
    say: Say,
) -> dict[str, Any]:
    """Return the record with what the experiment makes beside recall, unless it is there of the same runs."""
    name = plan.experiment.product or ""
    content = [plan.train_key, [run.key for run in plan.runs], [tested.key for tested in tests]]
    made_of = hashlib.blake2b(json.dumps(content).encode(), digest_size=6).hexdigest()
    if record["products"].get(name, {}).get("made_of") == made_of:
        return record
    say(f"{plan.experiment.name}: {name}")
    made = PRODUCTS[name](Context(plan, task, folder, tests, say))
    record = {**record, "products": {name: {"made_of": made_of, **made}}}
    folder.write(plan.experiment.name, record)
    return record
