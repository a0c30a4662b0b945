"""What stands near a camera, as tensors in the camera's level frame, padded to one size for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from landfall.datasets.city import furniture, solids, stencils
from landfall.datasets.city.camera import View
from landfall.datasets.city.hashing import uniform
from landfall.datasets.city.houses import linear
from landfall.datasets.city.raycast import Solids
from landfall.datasets.city.tints import tints
from landfall.datasets.city.town import Town
from landfall.datasets.city.visit import Visit

Array = NDArray[np.float64]
SIGHT_M = 230.0
CAR_SIGHT_M = 75.0
SPRITE_SIGHT_M = 110.0
CLEARANCE_M = 1.6
SIDE, FRONT, BACK = range(3)
_NOWHERE = np.tile([0.0, 1.0, -1.0], 4)


@dataclass(frozen=True)
class Scene:
    """B views' surroundings.

    wall_rows (B, N, 8): x, y of the left end, unit vector along, u there, u's sense (+1 or -1), kind,
    facade.
    roof_rows (B, M, 5): kind, colour, glass. car_wall_rows go on with colour, top and the top's slope.
    sprites (B, S, 14): right, ahead, width, height, stencil, then three tints.
    """

    buildings: Solids
    wall_rows: Tensor
    roof_rows: Tensor
    cars: Solids
    car_wall_rows: Tensor
    car_roof_rows: Tensor
    sprites: Tensor


class _Frame:
    """A view's level axes: to the right and ahead."""

    def __init__(self, view: View, across: float) -> None:
        self.view = view
        self.eye = np.array([view.x, view.y])
        fx, fy = view.forward
        self.axes = np.array([[fy, fx], [-fx, fy]])
        self._across = across

    def local(self, points: Array) -> Array:
        """World (..., 2) to (right, ahead)."""
        return np.asarray((points - self.eye) @ self.axes)

    def in_sight(self, points: Array, slack: float = 0.0) -> NDArray[np.bool_]:
        """Whether (N, P, 2) local points may reach into the picture."""
        right, ahead = points[..., 0], points[..., 1]
        reach = self._across * ahead + slack
        inside = (ahead > -slack).any(-1) & (right < reach).any(-1) & (-right < reach).any(-1)
        return np.asarray(inside)


def survey(
    town: Town, views: Sequence[View], visits: dict[int, Visit], across: float, device: torch.device
) -> Scene:
    """Collect everything that these views may see; ``across`` is the slope of the picture's outermost ray."""
    found: list[dict[str, Array]] = []
    for view in views:
        frame = _Frame(view, across)
        visit = visits[view.visit]
        found.append(
            {**_buildings(town, frame), **_cars(frame, visit), "sprites": _sprites(town, frame, visit)}
        )

    def pad(name: str) -> Tensor:
        parts = [part[name] for part in found]
        longest = max(1, *(len(part) for part in parts)) if len(parts) > 1 else max(1, len(parts[0]))
        padded = np.zeros((len(parts), longest, parts[0].shape[1]), np.float32)
        if name.endswith("edges"):
            padded[:] = _NOWHERE
        for place, part in enumerate(parts):
            padded[place, : len(part)] = part
        return torch.as_tensor(padded).to(device)

    return Scene(
        Solids(pad("walls"), pad("edges").reshape(len(found), -1, 4, 3), pad("planes")), pad("wall_rows"),
        pad("roof_rows"),
        Solids(pad("car_walls"), pad("car_edges").reshape(len(found), -1, 4, 3), pad("car_planes")),
        pad("car_wall_rows"),
        pad("car_roof_rows"), pad("sprites"),
    )  # fmt: skip


def _buildings(town: Town, frame: _Frame) -> dict[str, Array]:
    eye_z = frame.view.z
    near = np.array(sorted(town.wall_tree.query_ball_point(frame.eye, SIGHT_M)), np.int64)
    table = town.walls[near]
    start, end = table[:, 0:2], table[:, 2:4]
    along = end - start
    length = np.linalg.norm(along, axis=1)
    outside = along[:, 1] * (frame.eye[0] - start[:, 0]) - along[:, 0] * (frame.eye[1] - start[:, 1]) > 0
    ends = frame.local(np.stack([start, end], axis=1))
    keep = outside & frame.in_sight(ends) & (length > 1e-3)
    near, ends, length = near[keep], ends[keep], length[keep]
    unit = (ends[:, 1] - ends[:, 0]) / length[:, None]
    walls = np.c_[ends.reshape(-1, 4), table[keep][:, 4:6] - eye_z]
    rows = np.c_[ends[:, 0], unit, town.wall_offsets[near], np.ones(len(near)), town.wall_kinds[near],
                 town.wall_facades[near]]  # fmt: skip

    near = np.array(sorted(town.roof_tree.query_ball_point(frame.eye, SIGHT_M)), np.int64)
    corners = frame.local(town.roofs[near, :8].reshape(-1, 4, 2))
    keep = frame.in_sight(corners)
    near, corners = near[keep], corners[keep]
    a, b, c = town.roofs[near, 8:].T
    level = a * frame.eye[0] + b * frame.eye[1] + c - eye_z
    slope = np.stack([a, b], axis=1) @ frame.axes
    # a plane that passes above the eye falls away from it: its wall hides it
    rising = level < 0
    planes = np.c_[slope, level][rising]
    roof_rows = np.c_[town.roof_kinds[near], town.roof_colours[near], np.zeros(len(near))][rising]
    return {"walls": walls, "wall_rows": rows, "edges": _edges(corners[rising]), "planes": planes,
            "roof_rows": roof_rows}  # fmt: skip


def _edges(corners: Array) -> Array:
    """Sides of counter-clockwise quadrilaterals (M, 4, 2) as normal and offset, (M, 12)."""
    side = np.roll(corners, -1, axis=1) - corners
    normal = np.stack([side[..., 1], -side[..., 0]], axis=-1)
    offset = (normal * corners).sum(axis=-1, keepdims=True)
    # a triangle's fourth side has no length and bounds nothing
    offset = np.where(np.abs(normal).sum(axis=-1, keepdims=True) < 1e-9, 1.0, offset)
    return np.asarray(np.concatenate([normal, offset], axis=-1).reshape(-1, 12))


_CAR_PAINT = np.array([linear(code) for code in solids.CAR_COLOURS])


def _cars(frame: _Frame, visit: Visit) -> dict[str, Array]:
    cars, eye_z = visit.cars, frame.view.z
    walls, rows, corners, heights, roofs = [], [], [], [], []
    near = sorted(visit.car_tree.query_ball_point(frame.eye, CAR_SIGHT_M)) if len(cars.place) else []
    for car in near:
        middle = frame.local(cars.place[car][None])
        gap = np.hypot(*middle[0])
        if not frame.in_sight(middle[None], 3.0)[0] or gap < 2.0 + CLEARANCE_M:
            continue
        ahead = cars.along[car] @ frame.axes
        left = np.array([-ahead[1], ahead[0]]) * solids.HALF_WIDTH_M
        number, profile = int(cars.number[car]) % 4096, int(cars.kind[car])
        paint = _CAR_PAINT[int(uniform(91, number) * len(_CAR_PAINT))]
        points = np.array(solids.PROFILES[profile])
        spine = middle[0] + points[:, :1] * ahead
        top = points[:, 1]
        for i in range(len(points) - 1):
            run = float(points[i + 1, 0] - points[i, 0])
            rise = float(top[i + 1] - top[i]) / run
            corners.append([spine[i] - left, spine[i + 1] - left, spine[i + 1] + left, spine[i] + left])
            heights.append([top[i], top[i], top[i + 1], top[i + 1]])
            glass = abs(rise) > 0.45 and top[i] + top[i + 1] > 2.2
            roofs.append([0.0, *paint, float(glass)])
            tail = (SIDE, number, profile, *paint)
            walls.append([*(spine[i] - left), *(spine[i + 1] - left), top[i], top[i + 1]])
            rows.append([*(spine[i] - left), *ahead, points[i, 0], 1.0, *tail, top[i], rise])
            walls.append([*(spine[i + 1] + left), *(spine[i] + left), top[i + 1], top[i]])
            rows.append([*(spine[i + 1] + left), *-ahead, points[i + 1, 0], -1.0, *tail, top[i + 1], -rise])
        across = left / solids.HALF_WIDTH_M
        for end, place, sense in ((FRONT, -1, 1.0), (BACK, 0, -1.0)):
            p, q = spine[place] - left * sense, spine[place] + left * sense
            walls.append([*p, *q, top[place], top[place]])
            rows.append(
                [
                    *p,
                    *(across * sense),
                    -solids.HALF_WIDTH_M,
                    1.0,
                    end,
                    number,
                    profile,
                    *paint,
                    top[place],
                    0.0,
                ]
            )
    quads = np.array(corners).reshape(-1, 4, 2)
    levels = np.array(heights).reshape(-1, 4)
    table, attributes = np.array(walls).reshape(-1, 6), np.array(rows).reshape(-1, 14)
    table[:, 4:] -= eye_z
    # only sides that face the eye, which is the origin
    facing = table[:, 0] * (table[:, 3] - table[:, 1]) - table[:, 1] * (table[:, 2] - table[:, 0]) < 0
    return {"car_walls": table[facing], "car_wall_rows": attributes[facing], "car_edges": _edges(quads),
            "car_planes": _planes(quads, levels - eye_z),
            "car_roof_rows": np.array(roofs).reshape(-1, 5)}  # fmt: skip


def _planes(quads: Array, levels: Array) -> Array:
    ones = np.ones((len(quads), 3, 1))
    solved = np.linalg.solve(np.concatenate([quads[:, :3], ones], axis=2), levels[:, :3, None])
    return np.asarray(solved[..., 0])


def _sprites(town: Town, frame: _Frame, visit: Visit) -> Array:
    groups = []
    for sprites, tree, sight in (
        (town.fixtures, town.fixture_tree, SPRITE_SIGHT_M),
        (visit.people, visit.people_tree, SPRITE_SIGHT_M * 0.6),
    ):
        near = np.array(sorted(tree.query_ball_point(frame.eye, sight)), np.int64)
        local = frame.local(sprites.place[near])
        keep = frame.in_sight(local[:, None], 5.0) & (local[:, 1] > CLEARANCE_M)
        groups.append((sprites.take(near[keep]), local[keep]))
    both = furniture.Sprites.join([group[0] for group in groups])
    local = np.concatenate([group[1] for group in groups])
    first = np.array([stencils.FIRST[name] for name in furniture.KIND_NAMES])
    stencil = first[both.kind] + both.shape
    light = visit.environment
    stencil = np.where(
        (both.kind == furniture.TREE) & (light.bare > 0), stencil + furniture.TREE_SHAPES, stencil
    )
    stencil = np.where(both.kind == furniture.CONIFER, stencils.FIRST["conifer"], stencil)
    stencil = np.where((both.kind == furniture.LAMP) & (light.lights > 0.5), stencil + 1, stencil)
    rows = np.c_[local, both.width, both.height, stencil, tints(both, light).reshape(-1, 9)]
    return np.asarray(rows)
