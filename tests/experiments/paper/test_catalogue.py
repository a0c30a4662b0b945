"""Every experiment: its rows are the paper's, its recipes resolve, and the paper's numbers agree."""

from __future__ import annotations

import pytest

from landfall.experiments.paper import EXPERIMENTS, Budget
from landfall.experiments.paper.products import PRODUCTS
from landfall.experiments.paper.published import (
    FIGURE_4,
    FIGURE_5,
    FIGURE_6,
    FIGURE_7,
    OPTIMIZERS,
    TABLE_1,
    TABLE_2_MS,
    TABLE_2_PARAMETERS,
    TABLE_3,
)
from landfall.experiments.paper.variant import ROLES, Experiment, Variant
from landfall.training import Recipe, load_recipe

BUDGETS = ("paper", "quick", "500")
VARIANTS = [
    pytest.param(variant, id=f"{experiment.name}-{variant.label}")
    for experiment in EXPERIMENTS.values()
    for variant in experiment.variants
]
EVERY = [pytest.param(experiment, id=experiment.name) for experiment in EXPERIMENTS.values()]


def resolved(variant: Variant, budget: str = "paper") -> Recipe:
    return load_recipe(variant.recipe, [*Budget.parse(budget).changes, *variant.changes])


@pytest.mark.parametrize("experiment", EVERY)
def test_published_rows_are_the_experiment_s_rows(experiment: Experiment) -> None:
    rows = {experiment.row(each.label, m) for each in experiment.variants for m in experiment.thresholds_m}
    assert set(experiment.published) <= set(ROLES)
    for published in experiment.published.values():
        assert set(published) == rows
        for recalls in published.values():
            ranks = sorted(recalls)
            assert ranks in ([1], [1, 5, 10, 20])
            # A query that is right at N is right at every rank beyond it.
            assert [recalls[rank] for rank in ranks] == sorted(recalls.values())


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_recipe_resolves_under_every_budget(variant: Variant, budget: str) -> None:
    assert resolved(variant, budget).model.backbone == "resnet18"


@pytest.mark.parametrize("experiment", EVERY)
def test_variants_have_labels_of_their_own_and_products_that_exist(experiment: Experiment) -> None:
    labels = [variant.label for variant in experiment.variants]
    assert len(set(labels)) == len(labels)
    assert experiment.product is None or experiment.product in PRODUCTS
    assert experiment.variants or experiment.product


def test_one_setting_of_the_paper_has_one_number_in_all_of_its_figures() -> None:
    # NetVLAD at 1e-5, 10 m, 25 m, without augmentation and at full size is one training of the paper.
    pitts, lucia = ROLES
    same = [
        FIGURE_4[pitts]["10 m"],
        FIGURE_5[pitts]["25 m"],
        FIGURE_6[pitts]["none"],
        FIGURE_7[pitts]["x 1.00"],
    ]
    assert all(each == TABLE_3[pitts]["1e-5"] for each in same)
    same = [
        FIGURE_4[lucia]["10 m"],
        FIGURE_5[lucia]["25 m"],
        FIGURE_6[lucia]["none"],
        FIGURE_7[lucia]["x 1.00"],
    ]
    assert all(each == same[0] for each in same)
    assert TABLE_3[pitts]["1e-4"] == TABLE_1[pitts]["NetVLAD"]
    assert OPTIMIZERS[pitts]["Adam"][1] == TABLE_1[pitts]["NetVLAD"][1]


def test_the_paper_compares_heads_at_1e_4_and_the_rest_at_1e_5() -> None:
    # Paper, section 4 and table 3.
    rates = {
        name: {resolved(variant).optimizer.lr for variant in EXPERIMENTS[name].variants}
        for name in (
            "table1",
            "table2",
            "visual",
            "figure4",
            "figure5",
            "figure6",
            "figure7",
            "init",
            "mining",
        )
    }
    assert rates.pop("table1") == rates.pop("table2") == rates.pop("visual") == {1e-4}
    assert all(each == {1e-5} for each in rates.values())


def test_a_variant_changes_nothing_but_what_its_experiment_varies() -> None:
    told = {
        "table3": {"optimizer.lr"},
        "figure4": {"data.train_radius_m"},
        "mining": {"mining.strategy"},
        "figure7": set(),
    }
    for name, keys in told.items():
        for variant in EXPERIMENTS[name].variants:
            assert {change.partition("=")[0] for change in variant.changes} == keys
    assert [variant.scale for variant in EXPERIMENTS["figure7"].variants] == [1.0, 0.5, 0.75, 1.25]


def test_figure_6_augments_as_the_paper() -> None:
    none, jitter, moved, erased = (
        resolved(variant).augmentation for variant in EXPERIMENTS["figure6"].variants
    )
    assert not none.active
    # Paper, figure 6: brightness 0.7, contrast 0.5, saturation 0.5, hue 0.5; flip 0.5, 30 degrees; 0.5.
    assert (jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue) == (0.7, 0.5, 0.5, 0.5)
    assert (moved.flip, moved.rotation_deg) == (0.5, 30.0)
    assert erased.erasing == 0.5


def test_table_2_has_a_number_for_every_head() -> None:
    labels = {variant.label for variant in EXPERIMENTS["table2"].variants}
    assert set(TABLE_2_MS) == set(TABLE_2_PARAMETERS) == labels
