"""Draws what every decoder makes of the same drive: `python docs/pictures/decoders.py OUTFOLDER` writes `decoders.png`.

A signal between −1 and 1 drives the groups of a population of LIF neurons, 8 a group, in control steps of 20 ms: a pair by
2 ± 0.75 of the signal, ordered groups by how near they are to it. Their spikes are handed to the decoder as they come.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from neuroloop import LIF, Network
from neuroloop.decoders import make

Floats = NDArray[np.float64]
PERIOD, SECONDS, NEURONS = 0.020, 4.0, 8
FULL = 190.0  # Hz, the difference of rates that the whole signal makes
SPACE = Box(-1.0, 1.0, (1,), np.float64)


def pushed_and_pulled(signal: float, groups: int) -> Floats:
    """Drive of a pair of groups."""
    return 2.0 + 0.75 * signal * np.array([1.0, -1.0])


def near(signal: float, groups: int) -> Floats:
    """Drive of groups that stand for values from −1 to 1."""
    return 0.6 + 2.4 * np.exp(-0.5 * ((np.linspace(-1.0, 1.0, groups) - signal) / 0.3) ** 2)


class Shown(NamedTuple):
    """A decoder of the picture."""

    title: str
    table: dict[str, Any]
    drive: Callable[[float, int], Floats]


SHOWN = [
    Shown("winner-take-all, 9 levels", {"kind": "winner-take-all"}, near),
    Shown("first-spike, 9 levels", {"kind": "first-spike"}, near),
    Shown("population-vector, gain 1", {"kind": "population-vector", "gain": 1.0}, near),
    Shown("rate", {"kind": "rate", "full_rate": FULL}, pushed_and_pulled),
    Shown(
        "leaky-integrator, τ 50 ms, order 2",
        {"kind": "leaky-integrator", "tau": 0.05, "full_rate": FULL},
        pushed_and_pulled,
    ),
    Shown("pwm, sigma-delta", {"kind": "pwm", "full_rate": FULL}, pushed_and_pulled),
    Shown("linear", {"kind": "linear", "full_rate": FULL}, pushed_and_pulled),
    Shown(
        "rate with limits: deadband 0.2, amplitude 0.7, slew 4/s",
        {"kind": "rate", "full_rate": FULL, "limits": {"deadband": 0.2, "amplitude": 0.7, "slew": 4.0}},
        pushed_and_pulled,
    ),
]


def signal_at(time: Floats) -> Floats:
    """A slow swing, then steps."""
    steps = np.select([time < 2.0, time < 2.5, time < 3.0, time < 3.5], [0.0, 1.0, -0.5, 0.15], 0.0)
    return np.where(time < 2.0, 0.95 * np.sin(np.pi * time), steps)


def decode(shown: Shown, signal: Floats) -> Floats:
    """The decoder's output for each control step."""
    decoder = make(shown.table, SPACE, neurons=NEURONS, n_steps=round(PERIOD / 1e-3))
    groups = decoder.n_inputs // NEURONS
    net = Network(dt=1e-3, n_steps=decoder.n_steps, seed=1)
    cells = net.population(LIF(tau_mem=0.005, t_ref=0.001, noise=0.05, reset="subtract"), decoder.n_inputs, current=0.0)
    decoder.reset(0)
    actions = []
    for value in signal:
        cells["current"] = np.repeat(shown.drive(float(value), groups), NEURONS)
        actions.append(float(decoder.decode(net.run())[0]))
    return np.array(actions)


def draw(axes: Axes, shown: Shown, time: Floats, signal: Floats) -> None:
    """One decoder: what it was asked for, and what it gave."""
    axes.plot(time, signal, color="0.7", lw=2.5, label="drive")
    axes.step(time, decode(shown, signal), where="post", color="tab:blue", lw=1.0, label="action")
    axes.set_title(shown.title, fontsize=9)
    axes.set_ylim(-1.15, 1.15)
    axes.grid(alpha=0.3)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit("usage: python docs/pictures/decoders.py OUTFOLDER")
    folder.mkdir(parents=True, exist_ok=True)
    time = np.arange(0.0, SECONDS, PERIOD)
    figure = Figure(figsize=(10, 9), layout="constrained")
    grid = figure.subplots(4, 2, sharex=True, sharey=True)
    for axes, shown in zip(grid.flat, SHOWN, strict=True):
        draw(axes, shown, time, signal_at(time))
    for axes in grid[-1]:
        axes.set_xlabel("time (s)")
    grid[0, 0].legend(loc="upper right", fontsize=8)
    figure.savefig(folder / "decoders.png", dpi=100)


if __name__ == "__main__":
    main()
