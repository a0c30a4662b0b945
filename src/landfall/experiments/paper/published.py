"""The paper's own figures, for the columns beside ours. Those of figures are read off plots, +-0.3.

Gambino, Pierro, Grillo, *Visual Geo-Localization*, 2022, tables 1 and 3 and figures 4 to 7.
"""

from __future__ import annotations

from landfall.experiments.paper.variant import ROLES, Published

_RANKS = (1, 5, 10, 20)
_PITTS, _LUCIA = ROLES


def _recalls(text: str) -> dict[int, float]:
    return dict(zip(_RANKS, (float(value) for value in text.split()), strict=False))


def _rows(**by_role: dict[str, str]) -> Published:
    names = {"pitts30k": _PITTS, "st_lucia": _LUCIA}
    return {
        names[role]: {label: _recalls(text) for label, text in rows.items()} for role, rows in by_role.items()
    }


TABLE_1 = _rows(
    pitts30k={
        "Base": "60.1 80.6 87.4 91.7",
        "GeM": "71.6 87.0 91.0 94.0",
        "NetVLAD": "79.1 89.3 92.3 94.4",
        "CRN": "81.7 90.7 93.4 95.3",
        "CRN2": "81.8 90.7 93.2 95.2",
    },
    st_lucia={
        "Base": "26.8 45.4 55.1 63.9",
        "GeM": "41.7 62.2 70.6 81.4",
        "NetVLAD": "44.8 59.4 66.7 75.3",
        "CRN": "48.7 63.3 69.7 75.9",
        "CRN2": "47.6 62.6 69.2 75.3",
    },
)

#: Parameters without backbone and centroids, and milliseconds a photo on a Tesla K80.
TABLE_2_PARAMETERS = {"Base": 0, "GeM": 65_792, "NetVLAD": 16_384, "CRN": 545_961, "CRN2": 262_025}
TABLE_2_MS = {"Base": 15.76, "GeM": 15.81, "NetVLAD": 20.64, "CRN": 21.51, "CRN2": 28.47}

TABLE_3 = _rows(
    pitts30k={"1e-3": "78.6 89.4 92.5 94.7", "1e-4": "79.1 89.3 92.3 94.4", "1e-5": "79.3 90.0 92.8 94.9"}
)

OPTIMIZERS = _rows(pitts30k={"Adam": "79.1", "SGD": "79.5"}, st_lucia={"Adam": "43.0", "SGD": "42.1"})

FIGURE_4 = _rows(
    pitts30k={"5 m": "81.0 90.9 93.3 95.3", "10 m": "79.3 90.0 92.8 94.9", "20 m": "79.3 90.0 92.9 94.9"},
    st_lucia={"5 m": "46.7 62.4 69.3 76.2", "10 m": "44.8 59.4 66.7 75.3", "20 m": "44.6 58.8 66.7 73.4"},
)

FIGURE_5 = _rows(
    pitts30k={"10 m": "65.1 84.0 87.3 89.9", "25 m": "79.3 90.0 92.8 94.9", "50 m": "82.9 92.9 95.5 97.0"},
    st_lucia={"10 m": "40.7 53.1 59.7 67.8", "25 m": "44.8 59.4 66.7 75.3", "50 m": "46.6 62.7 71.0 80.7"},
)

FIGURE_6 = _rows(
    pitts30k={
        "none": "79.3 90.0 92.8 94.9",
        "colour jitter": "80.2 90.1 92.9 94.7",
        "flip + rotate": "74.4 87.7 91.5 94.8",
        "random erasing": "79.6 90.3 93.2 95.4",
    },
    st_lucia={
        "none": "44.8 59.4 66.7 75.3",
        "colour jitter": "51.8 67.7 74.5 81.8",
        "flip + rotate": "27.4 44.9 53.3 62.6",
        "random erasing": "37.0 51.6 60.0 68.3",
    },
)

FIGURE_7 = _rows(
    pitts30k={
        "x 0.50": "80.7 90.7 93.4 95.2",
        "x 0.75": "80.6 90.8 93.2 95.0",
        "x 1.00": "79.3 90.0 92.8 94.9",
        "x 1.25": "79.2 89.4 92.3 94.5",
    },
    st_lucia={
        "x 0.50": "62.4 75.0 81.4 88.3",
        "x 0.75": "52.7 68.3 74.9 80.8",
        "x 1.00": "44.8 59.4 66.7 75.3",
        "x 1.25": "33.1 50.3 59.3 68.1",
    },
)
