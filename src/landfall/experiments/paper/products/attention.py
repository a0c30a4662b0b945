"""The visual results: a few queries, what each head attends to, and the photo that it retrieves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from landfall.experiments.attention_pictures import ModelAnswer, Retrieved, draw_visual
from landfall.experiments.explain import LabelledModel
from landfall.experiments.paper.measured import NOTHING, Measurement, name_order
from landfall.experiments.paper.products.context import PRODUCTS, Context
from landfall.experiments.paper.task import Tested
from landfall.experiments.paper.variant import MAIN_M
from landfall.experiments.sheets import choose_rows
from landfall.geo import distances_m
from landfall.rendering import write_output

#: Queries shown of each test set.
SHOWN = 4

_LEGEND = f"Green: within {MAIN_M:g} m of the query."


@PRODUCTS.register("attention")
def draw_attention_of_heads(context: Context) -> dict[str, Any]:
    """Draw, for queries of every test set, all heads beside each other; the runs of the first seed."""
    from landfall.models import load_model

    models = [
        LabelledModel(
            run.variant.label,
            load_model(context.folder.run(run.folder_name).model, device=context.task.machine.device),
        )
        for run in context.first_runs
    ]
    told = []
    for tested in context.tests:
        found = [context.folder.run(run.folder_name).measurement(tested.key) for run in context.first_runs]
        answers = {
            model.label: measurement
            for model, measurement in zip(models, found, strict=True)
            if measurement is not None
        }
        rows = chosen_queries(next(iter(answers.values())), context.first_runs[0].recipe.seed)
        pictures = []
        for number, row in enumerate(rows.tolist(), start=1):
            context.say(f"  {tested.dataset.label}, query {number} of {len(rows)}")
            pictures.append(_draw(context, tested, models, answers, row, number))
        told.append(
            {
                "label": tested.dataset.label,
                "reference": models[0].label,
                "pictures": pictures,
            }
        )
    return {"tests": told}


def chosen_queries(reference: Measurement, seed: int) -> NDArray[np.int64]:
    """Return the queries to show, by the order of their names, half of them wrong as far as there are any.

    Args:
        reference: the model that tells right from wrong ones. Queries that it has no match for are left out.
        seed: of the choice.
    """
    answered = np.flatnonzero(reference.first_match != NOTHING)
    right = reference.within(MAIN_M).hits[answered, 0]
    return answered[choose_rows(right, SHOWN, seed=seed)]


def _draw(
    context: Context,
    tested: Tested,
    models: list[LabelledModel],
    answers: dict[str, Measurement],
    row: int,
    number: int,
) -> dict[str, Any]:
    dataset = tested.dataset
    queries, database = name_order(dataset.queries), name_order(dataset.database)
    query = int(queries[row])
    retrieved: dict[str, Retrieved | None] = {}
    for label, measurement in answers.items():
        first = int(measurement.first_match[row])
        if first == NOTHING:
            retrieved[label] = None
            continue
        match = int(database[first])
        error_m = distances_m(
            dataset.database.positions.take(np.array([match])),
            dataset.queries.positions.take(np.array([query])),
        )[0]
        retrieved[label] = Retrieved(
            dataset.database.paths[match],
            bool(measurement.within(MAIN_M).hits[row, 0]),
            None if np.isnan(error_m) else float(error_m),
        )
    name = f"{dataset.label.replace('/', '-')}-{number}.png"
    picture = draw_visual(
        dataset.queries.paths[query],
        [ModelAnswer(model, retrieved.get(model.label)) for model in models],
        title=f"{dataset.label}, query {number}",
        legend=_LEGEND,
    )
    write_output(context.picture(name), picture)
    return {
        "png": name,
        "right": {label: each.right for label, each in retrieved.items() if each is not None},
        "error_m": {label: each.error_m for label, each in retrieved.items() if each is not None},
    }
