"""Draws docs/encoders.png: what every encoder makes of one and the same signal.

python docs/pictures/encoders.py OUTFOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from matplotlib.figure import Figure
from numpy.typing import NDArray

from neuroloop.encoders import make

N_TICKS, N_STEPS, DT = 60, 20, 1e-3
RANGE = {"kind": "fixed", "low": [-1.0], "high": [1.0]}
PANELS: list[tuple[str, dict[str, Any], list[str] | None]] = [
    ("gaussian population", {"kind": "gaussian"}, None),
    ("conjunctive cells, those that fire", {"kind": "conjunctive", "modules": 6, "tiles": [6], "dimensions": [1.0]}, None),
    ("rate, regular", {"kind": "rate"}, ["little", "much"]),
    ("rate, Poisson", {"kind": "rate", "spikes": "poisson"}, ["little", "much"]),
    ("latency", {"kind": "latency"}, ["little", "much"]),
    ("latency, logarithmic", {"kind": "latency", "law": "logarithmic"}, ["little", "much"]),
    ("send-on-delta", {"kind": "send-on-delta"}, ["4 down", "4 up", "2 down", "2 up", "1 down", "1 up"]),
    ("burst", {"kind": "burst"}, ["little", "much"]),
    ("phase of 50 Hz", {"kind": "phase"}, ["little", "much"]),
    ("rhythm of 3 Hz, times the signal", {"kind": "rhythm", "neurons": 8, "frequency": 3.0, "on": ["[0:1]"]}, None),
    ("spindle pairs", {"kind": "spindle", "normalise": {"kind": "fixed", "low": [-1.0, -6.0], "high": [1.0, 6.0]}},
     ["upper limit", "lower limit", "speed up", "speed down", "antagonist length", "agonist length"]),
]  # fmt: skip
INK, FAINT = "#1f5fa8", "#c9d3dd"


def signal() -> NDArray[np.float64]:
    """A value for each control step: rest, a slow ramp, a fast movement, a swing that dies down, the upper limit."""
    t = np.arange(N_TICKS) * N_STEPS * DT
    x = np.interp(t, [0.0, 0.15, 0.5, 0.56, 0.62, 1.0, 1.02, 1.2], [-0.8, -0.8, 0.2, 0.9, 0.0, 0.0, 0.97, 0.97])
    swing = 0.6 * np.sin((t - 0.62) * 2 * np.pi * 6.0) * np.exp(-(t - 0.62) * 5.0)
    return x + np.where((t > 0.62) & (t < 1.0), swing, 0.0)


def raster(table: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Times (s) and neurons of all spikes, and how many neurons there are; of very many, those that fire."""
    encoder = make({"normalise": RANGE} | table, spaces.Box(-1.0, 1.0, (1,), np.float64), dt=DT, n_steps=N_STEPS)
    times, ids = [], []
    for tick, x in enumerate(signal()):
        spikes = encoder.encode([x])
        steps = np.repeat(np.arange(N_STEPS), np.diff(spikes.offsets))
        times.append((tick * N_STEPS + steps + 0.5) * DT)
        ids.append(spikes.ids[: spikes.n].astype(np.int64))
    every, fired = np.concatenate(times), np.concatenate(ids)
    if encoder.n > 20:
        known, fired = np.unique(fired, return_inverse=True)
        return every, fired, known.size
    return every, fired, encoder.n


def draw(folder: Path) -> Path:
    """Draw the picture into a folder."""
    heights = [2.0, *(1.9 if labels is None else 0.35 + 0.2 * len(labels) for _, _, labels in PANELS)]
    figure = Figure(figsize=(8.4, 12.2), dpi=110, layout="constrained")
    panels = figure.subplots(len(PANELS) + 1, 1, sharex=True, height_ratios=heights)
    t = np.arange(N_TICKS) * N_STEPS * DT
    panels[0].step(t, signal(), where="post", color="black", linewidth=1.2)
    panels[0].set(ylim=(-1.1, 1.1), yticks=[-1, 0, 1])
    panels[0].set_title("the signal: one value a control step of 20 ms", loc="left", fontsize=9)
    for panel, (title, table, labels) in zip(panels[1:], PANELS, strict=True):
        times, ids, n = raster(table)
        order = ids if labels is None else n - 1 - ids
        panel.vlines(times, order - 0.4, order + 0.4, color=INK, linewidth=0.8)
        panel.set(ylim=(-0.7, n - 0.3), yticks=[] if labels is None else range(n))
        if labels is not None:
            panel.set_yticklabels(labels, fontsize=6.5)
        panel.set_title(f"{title}: {ids.size} spikes of {n} neurons", loc="left", fontsize=9)
    for panel in panels:
        panel.spines[["top", "right"]].set_visible(False)
        panel.vlines(t, *panel.get_ylim(), color=FAINT, linewidth=0.3, zorder=0)
        panel.tick_params(labelsize=7)
    panels[-1].set_xlim(0.0, N_TICKS * N_STEPS * DT)
    panels[-1].set_xlabel("time (s)", fontsize=9)
    path = folder / "encoders.png"
    figure.savefig(path)
    return path


if __name__ == "__main__":
    print(
        draw(Path(sys.argv[1]) if len(sys.argv) == 2 else sys.exit("usage: python docs/pictures/encoders.py OUTFOLDER"))
    )
