"""One run of an experiment: its network, trained or as it starts, and what that gives on a test set.

Each piece is written whole when it is there and found when it is needed again, so that a kill costs at most
one round of training or one evaluation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landfall import files
from landfall.datasets import load_dataset
from landfall.errors import UsageError
from landfall.experiments.evaluate import evaluate_model
from landfall.experiments.paper.environment import environment
from landfall.experiments.paper.measured import Measurement, distances_measured
from landfall.experiments.paper.plan import PlannedRun
from landfall.experiments.paper.portable import portable_recipe
from landfall.experiments.paper.store import ResultsFolder, RunStore
from landfall.experiments.paper.task import Task, Tested
from landfall.training import Progress

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Runner:
    """Trains and measures.

    Args:
        task: the datasets and the machine.
        folder: where results are kept.
        say: is told what happens, line by line.
        progress: is told how far a training is.
    """

    task: Task
    folder: ResultsFolder
    say: Say
    progress: Callable[[Progress], None]

    def train(self, run: PlannedRun) -> None:
        """Make a run's network, unless it is there.

        Raises:
            TrainingError, DatasetError, ModelError: it can't be trained.
        """
        store = self.folder.run(run.folder_name)
        if store.result() is not None and store.model.exists():
            return
        came_to = self._trained(run, store) if run.trained else self._untrained(run)
        files.write_json(
            store.result_path,
            {
                "key": run.key,
                "trained": run.trained,
                "recipe": portable_recipe(run.recipe.to_dict()),
                "environment": environment(),
                **came_to,
            },
            durable=True,
        )

    def measure(self, run: PlannedRun, tested: Tested) -> None:
        """Measure a run's network on a test set, unless it was.

        Raises:
            DatasetError, ModelError: it can't be measured.
        """
        store = self.folder.run(run.folder_name)
        if store.measurement(tested.key) is not None:
            return
        from landfall.models import load_model  # torch, which a run of what is all there does without

        self.say(f"  measuring on {tested.dataset.label}")
        evaluation = evaluate_model(
            tested.dataset,
            load_model(store.model, device=self.task.machine.device),
            thresholds_m=distances_measured(),
            workers=self.task.machine.workers,
            device=self.task.machine.device,
        ).evaluation
        told = Measurement.of(evaluation, tested.dataset).to_dict()
        path = store.measurement_path(tested.key)
        path.parent.mkdir(exist_ok=True)
        files.write_json(path, told, durable=True)

    def _trained(self, run: PlannedRun, store: RunStore) -> dict[str, Any]:
        from landfall import training  # Lightning

        task, start = self.task, self._start(run)
        if store.training.about.exists():
            result = training.resume(
                store.root,
                dataset=task.train,
                start=start,
                machine=task.machine,
                say=self.say,
                progress=self.progress,
            )
        else:
            result = training.train(
                run.recipe,
                task.train,
                store.root,
                layout=task.layout,
                start=start,
                machine=task.machine,
                say=self.say,
                progress=self.progress,
            )
        state, best = result.state, result.state.best
        return {
            "best_epoch": best.epoch if best else None,
            "steps": state.step,
            "epochs": [
                {
                    "epoch": epoch.epoch,
                    "step": epoch.step,
                    "loss": epoch.loss,
                    "val_recall": {str(k): percent for k, percent in epoch.recall.items()},
                    "best": epoch.best,
                    "seconds": round(epoch.spent.mining_s + epoch.spent.steps_s + epoch.validation_s, 1),
                }
                for epoch in state.epochs
            ],
        }

    def _untrained(self, run: PlannedRun) -> dict[str, Any]:
        self._start(run)
        return {"best_epoch": None, "steps": 0, "epochs": []}

    def _start(self, run: PlannedRun) -> Path:
        """Return the network that runs of one model and seed start from, made once for all of them."""
        from landfall.training.start import start_network

        store = self.folder.run(run.start_folder_name)
        if store.untrained.exists():
            return store.untrained
        data = load_dataset(self.task.train, run.recipe.data.train_split, layout=self.task.layout)
        network = start_network(
            run.recipe,
            data.database.paths,
            name=f"{run.recipe.model.head}-untrained",
            device=self.task.machine.device,
            say=self.say,
        )
        try:
            store.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{store.root} can't be made: {error.strerror}. Choose another --out."
            ) from error
        network.save(store.untrained)
        return store.untrained
