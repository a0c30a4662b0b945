"""What experiments train: equal steps, shared runs, and keys that change with what decides the outcome."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.experiments.paper.places import NEAREST_M, make_places

from landfall.errors import UnknownNameError, UsageError
from landfall.experiments.paper import EXPERIMENTS, Budget, ExperimentPlan, Seeds, plan_experiments
from landfall.experiments.paper.plan import PlannedRun, run_key
from landfall.training import Recipe, load_recipe

SMALL = ("model.weights=null", "mining.negatives=3")


@pytest.fixture
def places(tmp_path: Path) -> Path:
    return make_places(tmp_path / "places")


def plan(
    name: str,
    dataset: Path,
    *changes: str,
    budget: str = "quick",
    seeds: int = 1,
) -> ExperimentPlan:
    [planned] = plan_experiments(
        [EXPERIMENTS[name]],
        str(dataset),
        Budget.parse(budget),
        seeds=Seeds(seeds),
        changes=[*SMALL, *changes],
    )
    return planned


def trained(planned: ExperimentPlan) -> dict[str, PlannedRun]:
    return {run.variant.label: run for run in planned.runs if run.trained}


def test_figure_4_takes_equal_steps_whatever_the_radius_leaves(places: Path) -> None:
    planned = plan("figure4", places)
    assert planned.usable == {
        f"{radius} m": sum(nearest <= radius for nearest in NEAREST_M) for radius in (10, 5, 20)
    }
    assert planned.usable == {"10 m": 5, "5 m": 2, "20 m": 6}
    recipes = [run.recipe for run in trained(planned).values()]
    assert {recipe.mining.queries_per_epoch for recipe in recipes} == {2}
    assert len({recipe.schedule for recipe in recipes}) == 1


@pytest.mark.parametrize(("queries", "epochs"), [(1, 1), (5, 1), (12, 2), (27, 5)])
def test_a_budget_of_queries_is_spent_in_whole_epochs(places: Path, queries: int, epochs: int) -> None:
    [run] = trained(plan("figure5", places, budget=str(queries))).values()
    each = min(queries, 5)  # as many queries as 10 m leave usable
    assert run.recipe.mining.queries_per_epoch == each
    assert run.recipe.schedule.epochs == epochs
    assert run.recipe.schedule.patience >= epochs
    assert each * epochs <= queries


def test_figure_7_scales_what_the_budget_leaves(places: Path) -> None:
    sizes = {
        label: (run.recipe.model.height, run.recipe.model.width)
        for label, run in trained(plan("figure7", places)).items()
    }
    assert sizes == {
        "x 1.00": (240, 320),
        "x 0.50": (120, 160),
        "x 0.75": (180, 240),
        "x 1.25": (300, 400),
    }


def test_experiments_share_their_runs(places: Path) -> None:
    every = plan_experiments(
        list(EXPERIMENTS.values()), str(places), Budget.parse("quick"), changes=SMALL, seeds=Seeds(2)
    )
    by_name = {planned.experiment.name: planned for planned in every}
    table1, table2, visual = ({run.key for run in by_name[n].runs} for n in ("table1", "table2", "visual"))
    assert table1 == table2 == visual
    assert trained(by_name["figure5"])["NetVLAD"].key == trained(by_name["table3"])["1e-5"].key
    assert trained(by_name["optimizers"])["Adam"].key == trained(by_name["table1"])["NetVLAD"].key
    # All of one head and size start from one network: those of figure 7 but one are of other sizes.
    netvlad = [run for planned in every for run in planned.runs if run.recipe.model.head == "netvlad"]
    assert len({run.start_key for run in netvlad if run.recipe.seed == 0}) == 1 + 3 + 1


def test_untrained_networks_differ_by_model_and_seed_alone(places: Path) -> None:
    runs = [run for run in plan("table1", places, seeds=2).runs if not run.trained]
    assert len({run.key for run in runs}) == 5 * 2
    faster = [run for run in plan("table1", places, "optimizer.lr=1e-3", seeds=2).runs if not run.trained]
    assert [run.key for run in faster] == [run.key for run in runs]


def key_of(recipe: Recipe) -> str:
    return run_key(recipe, "photos")


@pytest.mark.parametrize(
    "change",
    [
        "seed=1",
        "optimizer.lr=2e-5",
        "data.train_radius_m=5",
        "model.head_options={clusters: 32}",
        "schedule.epochs=3",
        "augmentation.flip=0.5",
        "loss.options={margin: 0.2}",
        "memory.features_mb=100",
    ],
)
def test_a_changed_recipe_has_another_key(change: str) -> None:
    assert key_of(load_recipe("netvlad", [change])) != key_of(load_recipe("netvlad"))


@pytest.mark.parametrize("change", ["name=another", "memory.photos_mb=1", "memory.descriptors_mb=1"])
def test_names_and_memory_change_no_key(change: str) -> None:
    assert key_of(load_recipe("netvlad", [change])) == key_of(load_recipe("netvlad"))


def test_weights_count_by_what_is_in_their_file(tmp_path: Path) -> None:
    first, copy, other = (tmp_path / name for name in ("first.bin", "copy.bin", "other.bin"))
    first.write_bytes(b"weights")
    copy.write_bytes(b"weights")
    other.write_bytes(b"weighty")
    keys = [key_of(load_recipe("netvlad", [f"model.weights={path}"])) for path in (first, copy, other)]
    assert keys[0] == keys[1] != keys[2]
    first.write_bytes(b"replaced")
    assert key_of(load_recipe("netvlad", [f"model.weights={first}"])) != keys[0]


def test_other_photos_have_other_keys_wherever_they_lie(places: Path, tmp_path: Path) -> None:
    def key() -> str:
        return plan("figure5", places).runs[0].key

    before = key()
    elsewhere = make_places(tmp_path / "elsewhere")
    assert plan("figure5", elsewhere).runs[0].key == before
    photo = sorted((places / "images/val/database").iterdir())[0]
    photo.write_bytes(b"another photo")
    replaced = key()
    assert replaced != before
    photo.rename(photo.with_name(photo.name.replace("@0300000", "@0300007")))
    assert key() not in (before, replaced)


def test_changes_that_make_variants_the_same_are_refused(places: Path) -> None:
    with pytest.raises(UsageError, match=r"'1e-5' and '1e-4' of table3 are the same"):
        plan("table3", places, "optimizer.lr=3e-5")
    plan("table1", places, "optimizer.lr=3e-5")


def test_seeds_are_not_set_by_hand(places: Path) -> None:
    with pytest.raises(UsageError, match="--seeds"):
        plan("figure5", places, "seed=4")


def test_a_radius_that_leaves_no_query_is_told(places: Path) -> None:
    with pytest.raises(UsageError, match=r"within 0\.5 m"):
        plan("figure5", places, "data.train_radius_m=0.5")


def test_a_change_with_a_label_is_for_that_variant_and_comes_last(places: Path) -> None:
    changes = ("Base:optimizer.lr=1e-6", "optimizer.lr=3e-5", "CRN2:optimizer.mask_lr=1e-3")
    recipes = {label: run.recipe for label, run in trained(plan("table1", places, *changes)).items()}
    assert {label: recipe.optimizer.lr for label, recipe in recipes.items()} == dict.fromkeys(
        ("NetVLAD", "GeM", "CRN", "CRN2"), 3e-5
    ) | {"Base": 1e-6}
    assert recipes["CRN2"].optimizer.mask_lr == 1e-3
    assert recipes["CRN"].optimizer.mask_lr is None
    with pytest.raises(UnknownNameError, match=r"No variant is called 'base'.*Base"):
        plan("table1", places, "base:optimizer.lr=1e-6")
    with pytest.raises(UsageError, match="--seeds decides it"):
        plan("table1", places, "Base:seed=3")


def test_some_variants_may_have_more_seeds_than_others(places: Path) -> None:
    table1 = EXPERIMENTS["table1"]
    [planned] = plan_experiments(
        [table1],
        str(places),
        Budget.parse("quick"),
        seeds=Seeds.parse(["NetVLAD:3", "1", "CRN2:2"]),
        changes=SMALL,
    )
    counts = {variant.label: len(planned.of(variant)) for variant in table1.variants}
    assert counts == {"NetVLAD": 3, "Base": 1, "GeM": 1, "CRN": 1, "CRN2": 2}
    assert {run.recipe.seed for run in planned.of(table1.variants[0], trained=False)} == {0, 1, 2}


def test_seeds_are_written_as_they_are_read() -> None:
    seeds = Seeds.parse(["2", "CRN2:5"])
    assert seeds.words() == ["--seeds", "2", "--seeds", "CRN2:5"]
    assert list(seeds.every) == [0, 1, 2, 3, 4]
    assert Seeds.parse([]).words() == ["--seeds", "1"]


@pytest.mark.parametrize("text", ["0", "-1", "CRN2", "CRN2:", "CRN2:0", "1.5", "²"])
def test_other_numbers_of_seeds_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected 3, or CRN2:3"):
        Seeds.parse([text])


def test_seeds_of_a_variant_that_is_none_are_refused(places: Path) -> None:
    with pytest.raises(UnknownNameError, match="CRN2"):
        plan_experiments(
            [EXPERIMENTS["table1"]],
            str(places),
            Budget.parse("quick"),
            seeds=Seeds.parse(["CRN3:2"]),
            changes=SMALL,
        )
