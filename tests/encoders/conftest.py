"""What tests of event packets share."""

from __future__ import annotations

import numpy as np

from neuroloop.encoders.events import EventEncoder
from neuroloop.sensors.space import EventSpace
from neuroloop.settings import ClockConfig, EventPooling
from neuroloop.types import EVENT

CLOCK = ClockConfig(period=0.02, dt=1e-3, n_steps=20)
SPACE = EventSpace(32, 24)


def bound(space=SPACE, clock=CLOCK, **changes):
    encoder = EventEncoder(EventPooling(**changes))
    return encoder, encoder.bind(space, clock, seed=0)


def events_of(*rows):
    """Events (t_us, x, y, p)."""
    return np.array(list(rows), EVENT)


def pairs(spikes):
    """Step and neuron of every spike."""
    return [(step, int(i)) for step in range(spikes.offsets.size - 1) for i in spikes.at(step)]
