"""The drawn city's pictures agree with plain pinhole geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from landfall.datasets.city import font, houses
from landfall.datasets.city.buildings import FACADE, Pieces
from landfall.datasets.city.camera import HORIZONTAL_FIELD_DEG, View, project
from landfall.datasets.city.furniture import Sprites
from landfall.datasets.city.hashing import Dice
from landfall.datasets.city.houses import COLUMN, SHOP
from landfall.datasets.city.plan import SIDE, Link, Plan
from landfall.datasets.city.raycast import FAR, Solids, cast
from landfall.datasets.city.renderer import Renderer
from landfall.datasets.city.route import shots
from landfall.datasets.city.shops import FASCIA_M
from landfall.datasets.city.sizes import SIZES
from landfall.datasets.city.town import Town, furnish

Array = NDArray[np.float64]


def pinhole(view: View, point: tuple[float, float, float], height: int, width: int) -> tuple[float, float]:
    """Column and row of a point, by trigonometry alone: turn by heading, then pitch, then roll."""
    east, north, up = point[0] - view.x, point[1] - view.y, point[2] - view.z
    heading, pitch, roll = (math.radians(a) for a in (view.heading_deg, view.pitch_deg, view.roll_deg))
    right = east * math.cos(heading) - north * math.sin(heading)
    ahead = east * math.sin(heading) + north * math.cos(heading)
    ahead, up = ahead * math.cos(pitch) + up * math.sin(pitch), up * math.cos(pitch) - ahead * math.sin(pitch)
    right, up = right * math.cos(roll) - up * math.sin(roll), up * math.cos(roll) + right * math.sin(roll)
    focal = width / 2 / math.tan(math.radians(HORIZONTAL_FIELD_DEG / 2))
    return width / 2 + focal * right / ahead, height / 2 - focal * up / ahead


def lone_wall(left: tuple[float, float], right: tuple[float, float], top: float) -> Town:
    """A town of one blank wall; its only street lies far behind."""
    style = houses.choose(Dice(1), 5, 0.0, len(font.SIGNS))
    style.row["eaves"] = top
    pieces = Pieces()
    length = math.dist(left, right)
    row = houses.facade_row(style, length, Dice(1), blank=True)
    row[COLUMN["wall_r"] : COLUMN["wall_r"] + 3] = (0.6, 0.05, 0.05)
    pieces.wall(np.array(left), np.array(right), (top, top), FACADE, pieces.facade(row))
    corner = np.array([[-90.0, -90], [-89, -90], [-89, -89], [-90, -89]])
    pieces.roof(corner, np.ones(4), 0, (0.1, 0.1, 0.1))
    link = Link(np.array([-20.0, -20.0]), np.array([-10.0, -20.0]), SIDE, 0.0, 0.0, True)
    return Town(
        plan=Plan(1, 60.0, 60.0, (link,), ()),
        walls=np.array(pieces.walls),
        wall_kinds=np.array(pieces.wall_kinds),
        wall_facades=np.array(pieces.wall_facades),
        wall_offsets=np.array(pieces.wall_offsets),
        roofs=np.array(pieces.roofs),
        roof_kinds=np.array(pieces.roof_kinds),
        roof_colours=np.array(pieces.roof_colours),
        facades=np.array(pieces.facades),
        links=np.array([[-20.0, -20, 1, 0, 10, 4, 6.6, SIDE, 0, 0]]),
        fixtures=Sprites.of([]),
        footprints=[],
    )


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (6.0, 0.0), (4.0, 1.2), (2.0, -2.0)])
def test_a_wall_ends_where_a_pinhole_camera_sees_its_corner(pitch: float, roll: float) -> None:
    height, width = 120, 160
    left, right, top = (14.0, 32.0), (21.0, 30.0), 11.0
    town = lone_wall(left, right, top)
    view = View(20.0, 8.0, 2.0, -7.0, pitch, roll, visit=0, number=3)
    photo = Renderer(town, height=height, width=width).draw([view])[0].astype(float)
    redness = photo[..., 0] - photo[..., 2]
    # the sky is blue and the wall is red: halfway between them is the edge
    for corner in (left, right):
        low, high = (pinhole(view, (*corner, z), height, width) for z in (5.0, 9.0))
        row = round((low[1] + high[1]) / 2)
        share = (row + 0.5 - low[1]) / (high[1] - low[1])
        expected = low[0] + share * (high[0] - low[0])
        line = redness[row]
        around = slice(int(expected) - 6, int(expected) + 7)
        middle = (line[around].max() + line[around].min()) / 2
        crossing = np.flatnonzero(np.diff(line[around] > middle))
        assert len(crossing) == 1
        i = int(crossing[0]) + around.start
        edge = i + 0.5 + (middle - line[i]) / (line[i + 1] - line[i])
        assert abs(edge - expected) < 0.6
    # and its top where the formula puts the eaves, in the wall's middle column
    column, row_at = pinhole(view, ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2, top), height, width)
    strip = redness[:, round(column)]
    middle = (strip.max() + strip[: int(row_at) - 4].mean()) / 2
    assert abs(int(np.argmax(strip > middle)) - row_at) < 1.5


def test_the_camera_module_agrees_with_trigonometry() -> None:
    view = View(3.0, -2.0, 1.7, 211.0, 5.0, -1.5, 0, 0)
    points = np.array([[-10.0, -30.0, 6.0], [0.0, -20.0, 0.5], [-22.0, -25.0, 12.0]])
    columns, rows = project(view, points, 240, 320)
    expected = [pinhole(view, (x, y, z), 240, 320) for x, y, z in points.tolist()]
    np.testing.assert_allclose(np.c_[columns, rows], expected, atol=1e-9)
    behind, _ = project(view, np.array([[20.0, 40.0, 1.0]]), 240, 320)
    assert np.isnan(behind).all()


def nearest_by_loop(walls: Array, a: float, e: float) -> int:
    """The nearest wall (x0, y0, x1, y1, top0, top1) that a ray (a, 1, e) meets below its top; -1 for none."""
    best, found = math.inf, -1
    for number, (x0, y0, x1, y1, top0, top1) in enumerate(walls.tolist()):
        matrix = np.array([[x1 - x0, -a], [y1 - y0, -1.0]])
        if abs(np.linalg.det(matrix)) < 1e-9:
            continue
        share, depth = np.linalg.solve(matrix, [-x0, -y0])
        if 0 <= share <= 1 and 0.05 < depth < best and e * depth <= top0 + share * (top1 - top0):
            best, found = depth, number
    return found


@pytest.mark.parametrize("seed", range(4))
def test_ray_casting_equals_a_loop_over_walls(seed: int) -> None:
    rng = np.random.default_rng(seed)
    middle = np.c_[rng.uniform(-20, 20, 25), rng.uniform(1, 60, 25)]
    reach = rng.normal(size=(25, 2)) * 4
    walls = np.c_[middle - reach, middle + reach, rng.uniform(0, 15, (25, 2))].astype(np.float32)
    across, slopes = torch.linspace(-0.8, 0.8, 37), torch.linspace(-0.5, 0.9, 29)
    edges = torch.tensor([[[[0.0, 1.0, -1.0]] * 4]])
    solids = Solids(torch.as_tensor(walls)[None], edges, torch.zeros(1, 1, 3))
    hits = cast(solids, across, slopes, layers=25)
    expected = [[nearest_by_loop(walls, float(a), float(e)) for e in slopes] for a in across]
    assert hits.piece[0].tolist() == expected
    assert bool((hits.depth[0][torch.tensor(expected) < 0] == FAR).all())


def test_a_roof_is_met_where_its_plane_is() -> None:
    # A slope rising 1 in 2 from (y 10, z 3) to (y 20, z 8), seen from the origin's height: the ray z = e y
    # meets z = 3 + (y - 10) / 2 at y = 2 / (0.5 - e) by algebra.
    corners = [(-50.0, 10.0), (50.0, 10.0), (50.0, 20.0), (-50.0, 20.0)]
    edges = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        edges.append([y1 - y0, x0 - x1, (y1 - y0) * x0 - (x1 - x0) * y0])
    solids = Solids(torch.zeros(1, 1, 6), torch.tensor([[edges]]), torch.tensor([[[0.0, 0.5, -2.0]]]))
    slopes = torch.tensor([0.31, 0.35, 0.39, 0.42])
    hits = cast(solids, torch.tensor([-0.2, 0.0, 0.3]), slopes, layers=2)
    assert hits.piece[0, 1].tolist() == [1, 1, 1, -1]
    torch.testing.assert_close(hits.depth[0, :, :3], (2.0 / (0.5 - slopes[:3])).expand(3, 3))


def sign_points(town: Town, wall: int) -> tuple[Array, NDArray[np.bool_]]:
    """World points (N, 3) over a shop's lettering, and which of them lie on a letter by the bitmap alone."""
    facade = town.facades[town.wall_facades[wall]]
    start, end = town.walls[wall, :2], town.walls[wall, 2:4]
    unit = (end - start) / np.linalg.norm(end - start)
    text = font.SIGNS[int(facade[COLUMN["text"]])]
    width = facade[COLUMN["width"]]
    size = min(0.58, (width - 1.0) / (0.75 * len(text)))
    codes = font.sign_codes()[int(facade[COLUMN["text"]])]
    glyphs = font.glyphs()
    points, inked = [], []
    for slot, code in enumerate(codes):
        for line in range(16):
            for dot in range(12):
                u = width / 2 + 0.75 * size * (slot - font.LETTERS / 2 + (dot + 0.5) / 12)
                if not 0.4 < u < width - 0.4:
                    continue
                z = sum(FASCIA_M) / 2 + size * (0.5 - (line + 0.5) / 16)
                points.append([*(start + unit * u), z])
                inked.append(glyphs[code, line * 4 + 2, dot * 4 + 2] > 0.5)
    return np.array(points), np.array(inked)


def likeness(photo: NDArray[np.uint8], view: View, points: Array, inked: NDArray[np.bool_]) -> float:
    """Correlation of the photo's brightness at ``points`` with ink."""
    columns, rows = project(view, points, *photo.shape[:2])
    grey = photo.mean(axis=2)[rows.astype(int), columns.astype(int)]
    return abs(float(np.corrcoef(grey, inked)[0, 1]))


def test_a_shop_sign_reads_the_same_on_two_passes() -> None:
    plan, _ = shots(0, SIZES["tiny"])
    town = furnish(plan)
    renderer = Renderer(town, height=240, width=320)
    kinds = town.facades[town.wall_facades, COLUMN["ground_kind"]]
    awnings = town.facades[town.wall_facades, COLUMN["awning"]]
    widths = np.linalg.norm(town.walls[:, 2:4] - town.walls[:, :2], axis=1)
    shops = np.flatnonzero((kinds == SHOP) & (awnings == 0) & (town.wall_kinds == FACADE) & (widths > 7.5))
    read = 0
    for wall in shops[:4].tolist():
        start, end = town.walls[wall, :2], town.walls[wall, 2:4]
        unit = (end - start) / np.linalg.norm(end - start)
        outward = np.array([unit[1], -unit[0]])
        points, inked = sign_points(town, wall)
        _, other = sign_points(town, int(shops[shops != wall][-1]))
        heading = math.degrees(math.atan2(-outward[0], -outward[1]))
        scores = []
        for visit, aside in ((0, 0.6), (2, -0.8)):
            x, y = (start + end) / 2 + outward * 5.0 + unit * aside
            view = View(float(x), float(y), 2.2, heading, 5.0, 0.0, visit, 1)
            scores.append(likeness(renderer.draw([view])[0], view, points, inked))
        read += min(scores) > 0.6
        assert len(other) != len(inked) or min(scores) > 0
    # trees, lamps or people may stand before one of four
    assert read >= 3
