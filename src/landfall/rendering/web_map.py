"""A map to move and zoom, in a page that needs no network: Leaflet and the data are inside it.

A grid of round coordinates lies under everything. Map tiles are tried only by a browser that says it is
online; those that fail leave the grid visible. Positions in a plane with no zone are shown in metres,
without tiles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from landfall.rendering.frame import Frame, unwrap_longitudes
from landfall.rendering.leaflet import leaflet_css, leaflet_js
from landfall.rendering.page import Html, Page, asset, data_uri


@dataclass(frozen=True, slots=True)
class Popup:
    """What a click on a point shows; all of it is plain text.

    Args:
        title: the first line, in bold.
        lines: further lines.
        thumbnails: (JPEG bytes, caption) each; equal pictures are put into the page once.
    """

    title: str
    lines: tuple[str, ...] = ()
    thumbnails: tuple[tuple[bytes, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Points:
    """A layer of N points that the reader can switch on and off.

    Args:
        name: as the reader sees it.
        x, y: (N,) longitude and latitude in degrees, or east and north in metres; NaN rows are left out.
        color: as CSS writes it.
        popups: one for each point, None for a point without; empty if none has any.
        radius_px: of each circle.
        shown: whether the layer is on at first.
        radius_m: (N,) of a pale circle to scale around each point, NaN for a point without; None if none has.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    color: str
    popups: Sequence[Popup | None] = ()
    radius_px: float = 6.0
    shown: bool = True
    radius_m: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Lines:
    """A layer of N straight lines from ``x, y`` to ``to_x, to_y``; fields as in ``Points``."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    to_x: NDArray[np.float64]
    to_y: NDArray[np.float64]
    color: str
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Tiles:
    """A server of map tiles.

    Args:
        name: for the switch between base maps.
        url: template with ``{z}``, ``{x}`` and ``{y}``.
        credit, credit_url: whom its terms ask to be named, and the page that says so.
        max_zoom: the deepest level that it has.
    """

    name: str
    url: str
    credit: str
    credit_url: str
    max_zoom: int


OPEN_STREET_MAP = Tiles(
    name="OpenStreetMap",
    url="https://tile.openstreetmap.org/{z}/{x}/{y}.png",
    credit="© OpenStreetMap contributors",
    credit_url="https://www.openstreetmap.org/copyright",
    max_zoom=19,
)


def map_section(
    layers: Sequence[Points | Lines], *, frame: Frame = "degrees", tiles: Tiles | None = OPEN_STREET_MAP
) -> Html:
    """Return a map to put into a page's section.

    Args:
        layers: drawn in this order, so that the last is on top.
        frame: what the layers' ``x`` and ``y`` are; metres are shown without tiles.
        tiles: the base map when online, or None for the grid alone.

    Raises:
        ValueError: columns of different lengths in a layer.
    """
    planar = frame == "metres"
    server = None if planar else tiles
    columns, known = zip(*(_columns(layer) for layer in layers), strict=True) if layers else ((), ())
    every_x = _every(columns, "x", "to_x")
    if not planar:
        columns = tuple(
            {
                name: unwrap_longitudes(v, like=every_x) if name.endswith("x") else v
                for name, v in column.items()
            }
            for column in columns
        )
    images: dict[str, int] = {}
    data = {
        "planar": planar,
        "bounds": _bounds(_every(columns, "x", "to_x"), _every(columns, "y", "to_y"), planar=planar),
        "tiles": None if server is None else _tiles_json(server),
        "layers": [
            _layer_json(layer, column, rows, images, decimals=2 if planar else 7)
            for layer, column, rows in zip(layers, columns, known, strict=True)
        ],
        # Filled by the layers above, in the order of its numbers.
        "images": list(images),
    }
    # In a script element "</script" and "<!--" mean something; in JSON the escape reads back as the same
    # text.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    origins = () if server is None else (_origin(server.url),)
    return Html(
        '<div class="map" role="region" aria-label="Map">'
        f'<script type="application/json">{text}</script>'
        "<noscript><p>The map needs JavaScript.</p></noscript></div>",
        styles=(leaflet_css(), asset("map.css")),
        scripts=(leaflet_js(), asset("map.js")),
        image_origins=origins,
    )


def map_page(
    layers: Sequence[Points | Lines],
    *,
    title: str,
    subtitle: str = "",
    frame: Frame = "degrees",
    tiles: Tiles | None = OPEN_STREET_MAP,
) -> Page:
    """Return a page that is the map alone; arguments as in ``map_section``."""
    return Page(title, subtitle=subtitle, full=True).section(
        "", map_section(layers, frame=frame, tiles=tiles)
    )


def _columns(layer: Points | Lines) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.bool_]]:
    """Return the layer's known coordinates by name, and which rows they are."""
    names = ("x", "y", "to_x", "to_y") if isinstance(layer, Lines) else ("x", "y")
    values = {name: np.asarray(getattr(layer, name), dtype=np.float64) for name in names}
    shapes = {name: column.shape for name, column in values.items()}
    popups = len(layer.popups) if isinstance(layer, Points) and layer.popups else len(values["x"])
    if isinstance(layer, Points) and layer.radius_m is not None:
        shapes["radius_m"] = np.shape(layer.radius_m)
    if set(shapes.values()) != {(popups,)}:
        raise ValueError(
            f"Layer {layer.name!r} has columns of shapes {shapes} and {popups} popups; expected one length"
        )
    known = np.isfinite(np.stack(list(values.values()))).all(axis=0)
    return {name: column[known] for name, column in values.items()}, np.asarray(known)


def _every(columns: Sequence[Mapping[str, NDArray[np.float64]]], *names: str) -> NDArray[np.float64]:
    return np.concatenate(
        [*(column[name] for column in columns for name in names if name in column), np.zeros(0)]
    )


def _layer_json(
    layer: Points | Lines,
    columns: Mapping[str, NDArray[np.float64]],
    known: NDArray[np.bool_],
    images: dict[str, int],
    *,
    decimals: int,
) -> dict[str, object]:
    """Return what the script needs of a layer; ``images`` grows by the thumbnails that are new."""
    described: dict[str, object] = {
        "kind": "lines" if isinstance(layer, Lines) else "points",
        "name": layer.name,
        "color": layer.color,
        "shown": layer.shown,
        **{name: np.round(column, decimals).tolist() for name, column in columns.items()},
    }
    if isinstance(layer, Points):
        popups = [popup for popup, here in zip(layer.popups, known, strict=False) if here]
        described["radius_px"] = layer.radius_px
        if layer.radius_m is not None:
            radii = np.asarray(layer.radius_m, np.float64)[known].round(1).tolist()
            described["radius_m"] = [radius if np.isfinite(radius) else None for radius in radii]
        described["popups"] = [None if popup is None else _popup_json(popup, images) for popup in popups]
    return described


def _popup_json(popup: Popup, images: dict[str, int]) -> dict[str, object]:
    thumbnails = [
        (images.setdefault(data_uri(jpeg), len(images)), caption) for jpeg, caption in popup.thumbnails
    ]
    return {"title": popup.title, "lines": popup.lines, "thumbnails": thumbnails}


def _bounds(x: NDArray[np.float64], y: NDArray[np.float64], *, planar: bool) -> list[list[float]]:
    if x.size == 0:
        return [[0.0, 0.0], [100.0, 100.0]] if planar else [[-60.0, -150.0], [75.0, 150.0]]
    return [[float(y.min()), float(x.min())], [float(y.max()), float(x.max())]]


def _tiles_json(tiles: Tiles) -> dict[str, object]:
    # Leaflet takes the attribution as HTML.
    credit = f'<a href="{escape(tiles.credit_url)}">{escape(tiles.credit)}</a>'
    return {"name": escape(tiles.name), "url": tiles.url, "attribution": credit, "max_zoom": tiles.max_zoom}


def _origin(url: str) -> str:
    # A template may spread the load over several hosts: {s} stands for any of them.
    parts = urlsplit(url.replace("{s}", "*"))
    return f"{parts.scheme}://{parts.netloc}"
