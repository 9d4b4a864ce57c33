"""A road of two lanes from straight lines and arcs: where a point lies on it, and how it is painted.

`ROAD` is the track of the R-STDP lane-keeping literature (Bing et al. 2018, ICRA): laps of 31.99 m in the outer lane and of
28.85 m in the inner one.
A lap d m left of the middle line is 2 pi d shorter than the middle line, as the road turns left by one whole turn.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from neuroloop._numba import compiled_for, inline
from neuroloop_envs._ground import Ground

SEGMENTS = (  # length of the middle line (m), curvature (1/m, + turns left)
    (5.0, 0.0), (math.pi, 1 / 2), (5.0, 0.0), (2 * math.pi, 1 / 2), (1.5 * math.pi, -1 / 3), (2 * math.pi, 1 / 2),
)  # fmt: skip
BEGIN = (2.5, 0.5, 0.0)  # m, m, rad: where the middle line begins, and which way
HALF_WIDTH = 0.5  # m from the middle line to the edges
LANES = {"outer": -0.25, "inner": 0.25}  # m left of the middle line, when the road is followed anticlockwise

TEXEL = 0.008  # m
MARGIN = 1.5  # m of ground around the road's square
LINE = 0.03  # m, width of a painted line
DASH = 0.25  # m of the middle line painted, and as much not
ASPHALT, PAINT, AROUND = 0.25, 0.85, 0.32  # share of the light that comes back

NUMBERS = types.float64[:, ::1]


class Place(NamedTuple):
    """A point on the road: m left of the middle line, m along it, its direction (rad) and curvature (1/m) there."""

    offset: float
    along: float
    heading: float
    curvature: float


@inline
def nearest(segments, x, y):  # type: ignore[no-untyped-def]
    """Of the segment next to a point: offset, way along the road, heading and curvature."""
    best, offset, along, heading, curvature = np.inf, 0.0, 0.0, 0.0, 0.0
    for s in range(segments.shape[0]):
        x0, y0, h, length, k, before = segments[s]
        c, sn = math.cos(h), math.sin(h)
        dx, dy = x - x0, y - y0
        if k == 0.0:
            t, d = c * dx + sn * dy, c * dy - sn * dx
        else:
            # From the centre of the arc, with the way to where the arc begins as one axis.
            ahead, side = c * dx + sn * dy, 1.0 / k - (c * dy - sn * dx)
            radius = math.hypot(ahead, side)
            turn = math.atan2(ahead * k, side * k) if k > 0.0 else math.atan2(-ahead * k, side * k)
            whole = 2.0 * math.pi
            swept = length * abs(k)
            if turn < 0.5 * swept - math.pi:  # the half turn opposite to the arc's middle is where angles wrap
                turn += whole
            t, d = turn / abs(k), 1.0 / k - math.copysign(radius, k)
        beyond = max(-t, t - length, 0.0)
        if abs(d) + beyond < best:
            best = abs(d) + beyond
            t = min(max(t, 0.0), length)
            offset, along, heading, curvature = d, before + t, h + k * t, k
    return offset, along, heading, curvature


@compiled_for(types.UniTuple(types.float64, 4)(NUMBERS, types.float64, types.float64))
def find(segments, x, y):  # type: ignore[no-untyped-def]
    """See `nearest`."""
    return nearest(segments, x, y)


@compiled_for(types.void(NUMBERS, types.float64, types.float64, types.float64, types.float32[:, ::1]))
def paint(segments, x0, y0, texel, light):  # type: ignore[no-untyped-def]
    """Asphalt, its surroundings, solid lines at the edges and a dashed one in the middle; edges of a line are shared out."""
    for j in range(light.shape[0]):
        for i in range(light.shape[1]):
            d, along, _, _ = nearest(segments, x0 + (i + 0.5) * texel, y0 + (j + 0.5) * texel)
            from_edge = abs(abs(d) - HALF_WIDTH)
            from_line = min(from_edge, abs(d)) if along % (2.0 * DASH) < DASH else from_edge
            covered = min(max((0.5 * LINE - from_line) / texel + 0.5, 0.0), 1.0)
            bare = ASPHALT if abs(d) < HALF_WIDTH else AROUND
            light[j, i] = bare + covered * (PAINT - bare)


def _table() -> NDArray[np.float64]:
    """float64[segments, 6]: where each begins (x, y, heading), its length and curvature, and the road's length before it."""
    rows, (x, y, heading), before = [], BEGIN, 0.0
    for length, k in SEGMENTS:
        rows.append((x, y, heading, length, k, before))
        x, y, heading = _onwards(x, y, heading, length, k)
        before += length
    return np.array(rows)


def _onwards(x: float, y: float, heading: float, way: float, curvature: float) -> tuple[float, float, float]:
    """Where a line of constant curvature leads."""
    if curvature == 0.0:
        return x + way * math.cos(heading), y + way * math.sin(heading), heading
    turned = heading + curvature * way
    dx, dy = math.sin(turned) - math.sin(heading), math.cos(heading) - math.cos(turned)
    return x + dx / curvature, y + dy / curvature, turned


class Road:
    """The two lanes."""

    def __init__(self) -> None:
        self.segments = _table()
        self.length = float(sum(length for length, _ in SEGMENTS))

    def locate(self, x: float, y: float) -> Place:
        """Where a point lies on the road."""
        return Place(*find.now(self.segments, x, y))

    def at(self, along: float, offset: float) -> tuple[float, float, float]:
        """The point `offset` m left of the middle line after `along` m of it, and the road's heading there."""
        along %= self.length
        row = self.segments[np.searchsorted(self.segments[:, 5], along, side="right") - 1]
        x0, y0, before_turn, _, curvature, before = map(float, row)
        x, y, heading = _onwards(x0, y0, before_turn, along - before, curvature)
        return x - offset * math.sin(heading), y + offset * math.cos(heading), heading

    def lap(self, offset: float) -> float:
        """m of a lap that keeps `offset` m left of the middle line."""
        return self.length - 2.0 * math.pi * offset


ROAD = Road()


@functools.cache
def _painted() -> tuple[NDArray[np.float32], float]:
    low = -MARGIN
    n = round((10.0 + 2.0 * MARGIN) / TEXEL)
    light = np.zeros((n, n), np.float32)
    paint(ROAD.segments, low, low, TEXEL, light)
    light.flags.writeable = False
    return light, low


@functools.lru_cache(maxsize=4)
def ground(seed: int, texture: float) -> Ground:
    """The painted road and its surroundings, whose brightness varies by `texture` (a share), fine grain and patches alike."""
    light, low = _painted()
    rng = np.random.default_rng(seed)
    n, patch = light.shape[0], 8
    grain = rng.standard_normal((n + 1, n + 1), np.float32)
    grain = 0.5 * (grain[:-1, :-1] + grain[1:, :-1] + grain[:-1, 1:] + grain[1:, 1:])
    patches = rng.standard_normal((n // patch + 1, n // patch + 1), np.float32)
    patches = np.repeat(np.repeat(patches, patch, 0), patch, 1)[:n, :n]
    mixed = light * (1.0 + np.float32(texture * math.sqrt(0.5)) * (grain + patches))
    np.clip(mixed, 0.0, 1.0, out=mixed)
    mixed.flags.writeable = False
    return Ground(luminance=mixed, texel=TEXEL, x0=low, y0=low)
