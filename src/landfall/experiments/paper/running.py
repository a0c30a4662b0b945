"""Running an experiment: what is finished is not repeated, what was cut off goes on, the rest is trained.

Every run stands for itself in the results' folder, so that a kill costs at most one round of training or one
evaluation, and experiments that need the same run find it there.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from landfall import __version__, files
from landfall.datasets import Dataset, Protocol, load_dataset
from landfall.errors import UsageError
from landfall.experiments.evaluate import evaluate_model
from landfall.experiments.paper.measured import Measured
from landfall.experiments.paper.plan import ExperimentPlan, PlannedRun
from landfall.experiments.paper.products import PRODUCTS, Context
from landfall.experiments.paper.store import ResultsFolder, RunStore
from landfall.experiments.paper.variant import ROLES
from landfall.training import Machine, Progress

Say = Callable[[str], None]


@dataclass(frozen=True)
class Task:
    """What an experiment is run on.

    Attributes:
        train: the dataset that is trained on.
        tests: datasets whose test split is measured; the first plays pitts30k, the second St Lucia.
        test_split: their split.
        layout: of all of them.
        budget: as it was asked for.
        seeds: of the runs.
        changes: ``key=value`` that every recipe got.
        machine: where to train.
        command: how it was asked for, for the record.
    """

    train: str
    tests: tuple[str, ...]
    test_split: str = "test"
    layout: str = "auto"
    budget: str = "quick"
    seeds: tuple[int, ...] = (0,)
    changes: tuple[str, ...] = ()
    machine: Machine = field(default_factory=Machine)
    command: str = ""


def run_experiment(
    plan: ExperimentPlan,
    task: Task,
    out: Path,
    *,
    say: Say = lambda _: None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Any]:
    """Train what is not trained yet, measure what is not measured yet, and return the experiment's record.

    Args:
        plan: of `plan_experiment`.
        task: the datasets and the machine.
        out: the results' folder; experiments share it.
        say: is told what happens, line by line.
        progress: is told how far a training is.

    Raises:
        UsageError: results of other settings or data are there, or the folder can't be written.
        TrainingError, DatasetError, ModelError: a run failed; the others' results are kept.
    """
    folder, experiment = ResultsFolder(out), plan.experiment
    if not task.tests:
        raise UsageError("An experiment needs at least one test set: --test DATASET.")
    tests = [load_dataset(test, task.test_split, layout=task.layout) for test in task.tests]
    protocols = [Protocol.of(test, experiment.thresholds_m) for test in tests]
    record = _record(plan, task, tests, protocols)
    folder.begin(experiment.name, record)
    for number, run in enumerate(plan.runs, start=1):
        store = folder.run(run.folder_name)
        kind = "" if run.trained else ", untrained"
        say(f"{experiment.name} {number}/{len(plan.runs)}: {run.variant.label}, seed {run.recipe.seed}{kind}")
        with _run_told(experiment.name, run):
            _ensure_model(run, store, task, say, progress)
            for test, protocol in zip(tests, protocols, strict=True):
                _ensure_measured(store, test, protocol, experiment.thresholds_m, task, say)
    record = folder.record(experiment.name) or record
    if experiment.product is not None and experiment.product not in record["products"]:
        say(f"{experiment.name}: {experiment.product}")
        made = PRODUCTS[experiment.product](
            Context(plan, folder, tests, task.train, task.layout, task.machine, say)
        )
        record = {**record, "products": {**record["products"], experiment.product: made}}
        folder.write(experiment.name, record)
    return record


@contextmanager
def _run_told(experiment: str, run: PlannedRun) -> Iterator[None]:
    """Say which run an error came from."""
    try:
        yield
    except UsageError as error:
        error.add_note(f"In {experiment}, {run.variant.label}, seed {run.recipe.seed}.")
        raise


def _ensure_model(
    run: PlannedRun, store: RunStore, task: Task, say: Say, progress: Callable[[Progress], None]
) -> None:
    if store.result() is not None and store.model.exists():
        return
    started = time.monotonic()
    told = _train(run, store, task, say, progress) if run.trained else _start(run, store, task, say)
    told |= {
        "key": run.key,
        "recipe": portable(run.recipe.to_dict()),
        "seed": run.recipe.seed,
        "seconds_of_last_start": round(time.monotonic() - started, 1),
        "environment": environment(),
    }
    files.write_json(store.result_path, told, durable=True)


def _train(
    run: PlannedRun, store: RunStore, task: Task, say: Say, progress: Callable[[Progress], None]
) -> dict[str, Any]:
    from landfall import training  # Lightning, which planning does without

    if store.training.about.exists():
        result = training.resume(
            store.root, dataset=task.train, machine=task.machine, say=say, progress=progress
        )
    else:
        result = training.train(
            run.recipe,
            task.train,
            store.root,
            layout=task.layout,
            machine=task.machine,
            say=say,
            progress=progress,
        )
    state, best = result.state, result.state.best
    return {
        "trained": True,
        "best_epoch": best.epoch if best else None,
        "steps": state.step,
        "epochs": [
            {
                "epoch": record.epoch,
                "step": record.step,
                "loss": record.loss,
                "val_recall": {str(k): v for k, v in record.recall.items()},
                "best": record.best,
                "seconds": round(record.spent.mining_s + record.spent.steps_s + record.validation_s, 1),
            }
            for record in state.epochs
        ],
    }


def _start(run: PlannedRun, store: RunStore, task: Task, say: Say) -> dict[str, Any]:
    from landfall.training.start import start_network

    data = load_dataset(task.train, run.recipe.data.train_split, layout=task.layout)
    network = start_network(
        run.recipe,
        data.database.paths,
        name=f"{run.recipe.model.head}-untrained",
        device=task.machine.device,
        say=say,
    )
    store.root.mkdir(parents=True, exist_ok=True)
    network.save(store.model)
    return {"trained": False, "best_epoch": None, "steps": 0, "epochs": []}


def _ensure_measured(
    store: RunStore,
    test: Dataset,
    protocol: Protocol,
    thresholds_m: Sequence[float],
    task: Task,
    say: Say,
) -> None:
    if store.measured(protocol.hash) is not None:
        return
    from landfall.models import load_model

    say(f"  measuring on {test.label}")
    model = load_model(str(store.model), device=task.machine.device)
    evaluation = evaluate_model(
        test,
        model,
        thresholds_m=thresholds_m,
        workers=task.machine.workers,
        device=task.machine.device,
    ).evaluation
    store.measured_path(protocol.hash).parent.mkdir(exist_ok=True)
    files.write_json(
        store.measured_path(protocol.hash),
        {
            "measured": [each.to_dict() for each in Measured.of(evaluation, test.label)],
            "failed": [problem.to_dict() for problem in evaluation.failed],
            "warnings": list(evaluation.warnings),
            "descriptor_dim": evaluation.descriptor_dim,
        },
        durable=True,
    )


def _record(
    plan: ExperimentPlan, task: Task, tests: Sequence[Dataset], protocols: Sequence[Protocol]
) -> dict[str, Any]:
    experiment = plan.experiment
    train = load_dataset(task.train, "train", layout=task.layout) if plan.runs else None
    return {
        "experiment": experiment.name,
        "command": task.command,
        "budget": task.budget,
        "set": [portable_change(change) for change in task.changes],
        "seeds": list(task.seeds),
        "train": None if train is None else train.label,
        "train_fingerprint": plan.fingerprint,
        "train_queries": plan.queries,
        "tests": [
            {
                "label": test.label,
                "role": ROLES[at] if at < len(ROLES) else None,
                "protocol": protocol.hash,
                "protocol_name": protocol.name,
                "database": len(test.database),
                "queries": len(test.queries),
            }
            for at, (test, protocol) in enumerate(zip(tests, protocols, strict=True))
        ],
        "thresholds_m": list(experiment.thresholds_m),
        "variants": [
            {
                "label": variant.label,
                "changes": list(variant.changes),
                "usable_queries": plan.usable[variant.label],
                "runs": [{"seed": run.recipe.seed, "run": run.folder_name} for run in plan.of(variant)],
                "untrained": [
                    {"seed": run.recipe.seed, "run": run.folder_name}
                    for run in plan.of(variant, trained=False)
                ],
            }
            for variant in experiment.variants
        ],
        "products": {},
        "environment": environment(),
    }


def portable(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe without a path of this machine: weights by their file's name."""
    weights = recipe["model"]["weights"]
    named = None if weights is None else Path(weights).name
    return {**recipe, "model": {**recipe["model"], "weights": named}}


def portable_change(change: str) -> str:
    """Return ``key=value`` with a file by its name."""
    key, _, value = change.partition("=")
    return f"{key}={Path(value).name}" if "/" in value or "\\" in value else change


def environment() -> dict[str, str]:
    """Return the versions and the machine that numbers come from."""
    import torch

    return {
        "landfall": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "system": f"{platform.system()} {platform.machine()}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "threads": str(torch.get_num_threads()),
    }
