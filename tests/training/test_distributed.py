"""Two processes on the CPU train as one does with the same steps."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tests.training.processes import finish, start
from tests.training.street import small_recipe

from landfall.training.recipe_file import save_recipe


@pytest.mark.parametrize("features_mb", [0.0, 8.0])
def test_two_processes_give_the_loss_curve_of_one_with_twice_the_batch(
    street: Path, tmp_path: Path, features_mb: float
) -> None:
    # Twelve queries in rounds of seven and five, five a step: shares are uneven, and one step has an odd one.
    recipe = small_recipe(
        loss={"options": {"margin": 0.5}},
        mining={"queries_per_round": 7},
        schedule={"epochs": 2, "batch_queries": 4},
        memory={"features_mb": features_mb},
    )
    save_recipe(recipe, tmp_path / "recipe.yaml")
    for processes in (1, 2):
        out = tmp_path / str(processes)
        status, said = finish(start(street, out, tmp_path / "recipe.yaml", processes=processes))
        assert status == 0, said

    tables = []
    for name in ("1", "2"):
        with (tmp_path / name / "steps.csv").open() as file:
            tables.append([(row["step"], row["round"], float(row["loss"])) for row in csv.DictReader(file)])
    assert [row[:2] for row in tables[0]] == [row[:2] for row in tables[1]]
    losses = [np.array([row[2] for row in table]) for table in tables]
    assert len(losses[0]) == 8
    # The same triplets and gradients; sums run in another order.
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    one, two = (load_file(tmp_path / name / "last.safetensors") for name in ("1", "2"))
    for tensor in one:
        np.testing.assert_allclose(two[tensor], one[tensor], rtol=1e-3, atol=2e-4, err_msg=tensor)
    assert not (tmp_path / "2" / "cache").exists()
