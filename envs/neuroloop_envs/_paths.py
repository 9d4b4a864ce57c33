"""Paths of a ball around a camera head, from smooth to abrupt: azimuth and elevation (rad) over time (s), each from its seed.

smooth: a Lissajous figure; random: a sum of sines; reversals: straight runs that turn back; jumps: rests in between jumps;
abrupt: straight runs that end in a reversal or, three times in ten, in a jump.
"""

import math
from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np

Trajectory = Literal["smooth", "random", "reversals", "jumps", "abrupt"]
Direction = tuple[float, float]  # azimuth, + to the left, and elevation, rad

MIDDLE: Direction = (0.0, 0.15)
REACH: Direction = (1.0, 0.3)  # of runs and jumps, to both sides of the middle
JUMP = (0.15, 0.45)  # rad
SPEED = (0.5, 1.8)  # rad/s, of a run
RUN = (0.3, 1.2)  # s
REST = (0.6, 1.6)  # s
TURN = math.pi / 4  # rad, off straight back
JUMPS = 0.3  # share of an abrupt path's events


class Path(Protocol):
    """A path. Time never goes back."""

    def at(self, t_s: float) -> Direction:
        """Where the ball is."""


class Waves:
    """A sum of sines an axis: rows of amplitude (rad), frequency (Hz) and phase (rad)."""

    def __init__(self, azimuth: list[tuple[float, ...]], elevation: list[tuple[float, ...]]) -> None:
        self._axes = azimuth, elevation

    def at(self, t_s: float) -> Direction:
        """Where the ball is."""
        x, y = (sum(a * math.sin(2.0 * math.pi * f * t_s + phase) for a, f, phase in axis) for axis in self._axes)
        return MIDDLE[0] + x, MIDDLE[1] + y


class Runs:
    """Straight runs at constant speed, and rests, until something happens; walls of the range turn a run back."""

    def __init__(self, rng: np.random.Generator, jumps: float, moving: bool) -> None:
        self._rng, self._jumps, self._moving = rng, jumps, moving
        self._since, self._x, self._y = 0.0, float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.15, 0.15))
        self._vx = self._vy = 0.0
        if moving:
            self._go(float(rng.uniform(-math.pi, math.pi)))
        self._until = self._lasts()

    def at(self, t_s: float) -> Direction:
        """Where the ball is."""
        while t_s >= self._until:
            self._advance(self._until)
            self._happen()
            self._until += self._lasts()
        self._advance(t_s)
        return MIDDLE[0] + self._x, MIDDLE[1] + self._y

    def _advance(self, t_s: float) -> None:
        dt, self._since = t_s - self._since, t_s
        self._x, self._vx = _folded(self._x + dt * self._vx, self._vx, REACH[0])
        self._y, self._vy = _folded(self._y + dt * self._vy, self._vy, REACH[1])

    def _happen(self) -> None:
        if self._rng.random() < self._jumps:
            self._jump()
        if self._moving:
            self._go(math.atan2(-self._vy, -self._vx) + float(self._rng.uniform(-TURN, TURN)))

    def _jump(self) -> None:
        """Be somewhere else within the range; a jump that would leave it is drawn again."""
        while True:
            length, heading = float(self._rng.uniform(*JUMP)), float(self._rng.uniform(-math.pi, math.pi))
            x, y = self._x + length * math.cos(heading), self._y + length * math.sin(heading)
            if abs(x) <= REACH[0] and abs(y) <= REACH[1]:
                self._x, self._y = x, y
                return

    def _go(self, heading: float) -> None:
        speed = float(self._rng.uniform(*SPEED))
        self._vx, self._vy = speed * math.cos(heading), speed * math.sin(heading)

    def _lasts(self) -> float:
        return float(self._rng.uniform(*(RUN if self._moving else REST)))


def _folded(x: float, speed: float, reach: float) -> tuple[float, float]:
    """A place and a speed, both thrown back by the walls at ±reach."""
    while abs(x) > reach:
        x, speed = math.copysign(2.0 * reach, x) - x, -speed
    return x, speed


def _smooth(rng: np.random.Generator) -> Path:
    lows, highs = (0.6, 0.1, -math.pi, 0.15, 0.15, -math.pi), (1.0, 0.2, math.pi, 0.3, 0.35, math.pi)
    drawn = rng.uniform(lows, highs).tolist()
    return Waves([tuple(drawn[:3])], [tuple(drawn[3:])])


def _random(rng: np.random.Generator) -> Path:
    """Four sines an axis, each with the same greatest speed: 0.4 rad/s sideways, 0.15 rad/s up and down."""
    axes: list[list[tuple[float, ...]]] = []
    for speed in (0.4, 0.15):
        frequencies = 0.15 * 8.0 ** rng.random(4)  # 0.15 to 1.2 Hz
        phases = rng.uniform(-math.pi, math.pi, 4)
        amplitudes = speed / (2.0 * math.pi * frequencies)
        axes.append(list(zip(amplitudes.tolist(), frequencies.tolist(), phases.tolist(), strict=True)))
    return Waves(axes[0], axes[1])


PATHS: dict[str, Callable[[np.random.Generator], Path]] = {
    "smooth": _smooth,
    "random": _random,
    "reversals": lambda rng: Runs(rng, jumps=0.0, moving=True),
    "jumps": lambda rng: Runs(rng, jumps=1.0, moving=False),
    "abrupt": lambda rng: Runs(rng, jumps=JUMPS, moving=True),
}
