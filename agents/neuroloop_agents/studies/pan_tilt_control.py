"""Controllers of TargetTracking-v0, tuned by hand. With e the ball's place in the picture and v the speed of the joints,

    u = p e + i ∫ e dt + d e' + f (v + (t / V) e')

where t turns halves of the picture into rad and V is the head's greatest speed: the last term estimates how fast the ball
itself moves (feed-forward). Gains are the best of a sweep over abrupt paths on episodes 5000 to 5019.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from neuroloop_envs._pan_tilt import MAX_SPEED
from numpy.typing import NDArray

HALF = 0.55  # rad, of half the picture, on average over it
PERIOD = 0.02  # s, a control step


class Gains(NamedTuple):
    """Of a controller: see the module."""

    p: float
    i: float = 0.0
    d: float = 0.0
    f: float = 0.0


GAINS = {"P": Gains(4.0), "PI": Gains(4.0, i=0.2), "PD": Gains(4.5, d=0.15), "P and feed-forward": Gains(1.2, f=1.0)}


class Controller:
    """A linear controller with memory of one episode."""

    def __init__(self, gains: Gains) -> None:
        self._gains, self._sum = gains, np.zeros(2)

    def __call__(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """The action."""
        p, i, d, f = self._gains
        error, slip, seen, speed = observation[0:2], observation[2:4], observation[4], observation[7:9]
        u = p * error + i * self._sum + d * slip + f * (speed + HALF * seen * slip) / MAX_SPEED
        self._sum += np.where(np.abs(u) < 1.0, PERIOD * error, 0.0)  # no wind-up
        action: NDArray[np.float32] = np.clip(u, -1.0, 1.0).astype(np.float32)
        return action
