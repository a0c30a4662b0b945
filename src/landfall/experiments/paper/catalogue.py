"""Every experiment: the paper's tables and figures, and ablations of the traps in its setting.

A new one is a `register` here; what is measured beside recall is a product of its own (``products``).
The paper compares heads and optimisers at a learning rate of 1e-4, and takes 1e-5 for all that follows.
"""

from __future__ import annotations

from landfall.experiments.paper import published
from landfall.experiments.paper.variant import Experiment, Variant, register

_COMPARED_AT = "optimizer.lr=1e-4"

#: The heads of table 1, NetVLAD first: the one that attention is to be better than.
HEADS = (
    Variant("NetVLAD", "netvlad", (_COMPARED_AT,), untrained=True),
    Variant("Base", "base", (_COMPARED_AT,), untrained=True),
    Variant("GeM", "gem", (_COMPARED_AT,), untrained=True),
    Variant("CRN", "crn", (_COMPARED_AT,), untrained=True),
    Variant("CRN2", "crn2", (_COMPARED_AT,), untrained=True),
)

register(
    Experiment(
        "table1",
        "Five heads",
        where="Table 1",
        finding="The order is Base, GeM, NetVLAD, CRN, CRN2: attention helps.",
        variants=HEADS,
        published=published.TABLE_1,
    )
)
register(
    Experiment(
        "table2",
        "Parameters, recall and milliseconds a photo",
        where="Table 2",
        finding="The better a head, the slower; CRN2 has half of CRN's parameters and is the slowest.",
        variants=HEADS,
        published=published.TABLE_1,
        product="costs",
        recall_told=False,
    )
)
register(
    Experiment(
        "table3",
        "Learning rate",
        where="Table 3",
        finding="The lowest rate, 1e-5, is the best.",
        variants=tuple(
            Variant(rate, "netvlad", (f"optimizer.lr={rate}",)) for rate in ("1e-5", "1e-4", "1e-3")
        ),
        published=published.TABLE_3,
    )
)
register(
    Experiment(
        "optimizers",
        "Adam and SGD",
        where="section 4",
        finding="Both come to the same within a point.",
        variants=(
            Variant("Adam", "netvlad", (_COMPARED_AT,)),
            # The paper does not tell SGD's rate; this is the one of the NetVLAD paper.
            Variant("SGD", "netvlad", ("optimizer.name=sgd", "optimizer.lr=1e-3")),
        ),
        published=published.OPTIMIZERS,
    )
)
register(Experiment("figure3", "Where the photos were taken", where="Figure 3", product="positions"))
register(
    Experiment(
        "figure4",
        "Train positive distance",
        where="Figure 4",
        finding="5 m is the best.",
        variants=tuple(
            Variant(f"{radius} m", "netvlad", (f"data.train_radius_m={radius}",)) for radius in (10, 5, 20)
        ),
        published=published.FIGURE_4,
    )
)
register(
    Experiment(
        "figure5",
        "Test positive distance",
        where="Figure 5",
        finding="The further away a match may be, the higher the recall.",
        variants=(Variant("NetVLAD", "netvlad"),),
        thresholds_m=(25.0, 10.0, 50.0),
        published=published.FIGURE_5,
    )
)
register(
    Experiment(
        "figure6",
        "Augmentation",
        where="Figure 6",
        finding="Colour jitter helps under domain shift; flips and rotations hurt.",
        variants=(
            Variant("none", "netvlad"),
            Variant(
                "colour jitter",
                "netvlad",
                (
                    "augmentation.brightness=0.7",
                    "augmentation.contrast=0.5",
                    "augmentation.saturation=0.5",
                    "augmentation.hue=0.5",
                ),
            ),
            Variant(
                "flip + rotate",
                "netvlad",
                # Frozen features can't be kept of photos that move.
                ("augmentation.flip=0.5", "augmentation.rotation_deg=30", "memory.features_mb=0"),
            ),
            Variant("random erasing", "netvlad", ("augmentation.erasing=0.5",)),
        ),
        published=published.FIGURE_6,
    )
)
register(
    Experiment(
        "figure7",
        "Image size",
        where="Figure 7",
        finding="Smaller photos do better, most of all under domain shift.",
        variants=tuple(Variant(f"x {scale:.2f}", "netvlad", scale=scale) for scale in (1.0, 0.5, 0.75, 1.25)),
        published=published.FIGURE_7,
    )
)
register(
    Experiment(
        "visual",
        "What each head attends to, and what it retrieves",
        where="Visual results",
        variants=HEADS,
        product="attention",
        recall_told=False,
    )
)
register(
    Experiment(
        "init",
        "Where the clusters start",
        finding="k-means on features that were not normalised starts NetVLAD in another space.",
        variants=(
            Variant("normalised", "netvlad", untrained=True),
            Variant(
                "raw",
                "netvlad",
                ("model.init_normalise=false",),
                untrained=True,
            ),
        ),
    )
)
register(
    Experiment(
        "mining",
        "How negatives are mined",
        variants=tuple(
            Variant(strategy, "netvlad", (f"mining.strategy={strategy}",))
            for strategy in ("partial", "full", "random")
        ),
    )
)
