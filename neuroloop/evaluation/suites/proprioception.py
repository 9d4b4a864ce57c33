"""What encoding the joints of a robot costs: CPU time of the one compiled call that is a control step of an encoder.

Twelve joints that move smoothly, 20 steps of 1 ms a control step, spikes handed out. A call takes another observation each time
and holds everything that `Encoder.encode` does but looking whether the observation fits its space.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ...encoders.standalone import Encoder, make

N_JOINTS = 12
SPACE = spaces.Box(-1.0, 1.0, (3 * N_JOINTS,), np.float64)  # positions, then velocities, then torques
POSITIONS, VELOCITIES, LOADS = (f"[{k * N_JOINTS}:{(k + 1) * N_JOINTS}]" for k in range(3))
TYPICAL = "spindle"
CASES: dict[str, dict[str, Any]] = {
    TYPICAL: {"kind": "spindle", "on": [POSITIONS], "velocity": [VELOCITIES], "load": [LOADS]},
    "rate": {"kind": "rate", "on": [POSITIONS]},
    "rate, Poisson": {"kind": "rate", "on": [POSITIONS], "spikes": "poisson"},
    "latency": {"kind": "latency", "on": [POSITIONS]},
    "latency, logarithmic": {"kind": "latency", "on": [POSITIONS], "law": "logarithmic"},
    "send-on-delta": {"kind": "send-on-delta", "on": [POSITIONS]},
    "burst": {"kind": "burst", "on": [POSITIONS]},
    "phase": {"kind": "phase", "on": [POSITIONS]},
    "rhythm": {"kind": "rhythm", "on": [POSITIONS]},
    "gaussian": {"kind": "gaussian", "on": [POSITIONS]},
    "conjunctive": {"kind": "conjunctive", "on": [POSITIONS]},
}


def proprio_us(quick: bool = False) -> list[float]:
    """CPU time (µs) a tick of the typical encoder: muscle afferents of position, velocity, load, limits. One value a repeat."""
    return _us(TYPICAL, quick)


def proprio_us_of_each(quick: bool = False) -> dict[str, list[float]]:
    """The same for every encoder, by the name of its figure: `proprio_us`, and `proprio_NAME_us` of those on positions only."""
    return {figure_of(name): _us(name, quick) for name in CASES}


def figure_of(name: str) -> str:
    """The name of the figure of a case."""
    words = name.replace(",", "").replace("-", "_").replace(" ", "_").lower()
    return "proprio_us" if name == TYPICAL else f"proprio_{words}_us"


def encode_us(name: str, quick: bool = False) -> list[float]:
    """CPU time (µs) of `Encoder.encode`, with looking whether an observation fits its space."""
    encoder, observations = _ready(name)
    return _timed(encoder.encode, observations, quick)


def _us(name: str, quick: bool) -> list[float]:
    encoder, observations = _ready(name)
    flat = [encoder._senses.flat(one) for one in observations]
    call, plan, place = encoder._encode, encoder._plan, encoder._place
    return _timed(lambda one: call(plan, place, one, False, -1), flat, quick)


def _ready(name: str) -> tuple[Encoder, list[NDArray[np.float64]]]:
    """An encoder that has compiled and seen what it will see, and a thousand observations of a smooth movement."""
    encoder = make(CASES[name], SPACE, dt=1e-3, n_steps=20)
    t, phase = np.arange(1000) * 0.02, np.linspace(0.0, 6.0, N_JOINTS)[:, None]
    q = 0.6 * np.sin(2.0 * np.pi * 0.5 * t + phase) + 0.3 * np.sin(2.0 * np.pi * 1.3 * t + 2.0 * phase)
    v = np.gradient(q, t, axis=1) / 4.0
    f = np.gradient(v, t, axis=1) / 8.0
    observations = list(np.ascontiguousarray(np.concatenate([q, v, f]).T))
    for one in observations:
        encoder.encode(one)
    return encoder, observations


def _timed(call: Callable[[Any], Any], observations: Sequence[Any], quick: bool) -> list[float]:
    """µs of CPU a call: for each repeat the mean over all observations."""
    found = []
    gc.disable()
    try:
        for _ in range(5 if quick else 25):
            started = time.process_time_ns()
            for one in observations:
                call(one)
            found.append((time.process_time_ns() - started) / len(observations) / 1e3)
    finally:
        gc.enable()
    return found
