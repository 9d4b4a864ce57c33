"""What an encoder by itself hands out is who fired, whatever the number of neurons, part after part."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import Spikes
from neuroloop.encoders import make

HERE = "tests_encoders_gather"
SPACE = spaces.Box(-1.0, 1.0, (1,), np.float64)


class Played:
    """Fires at random with a probability that is the observation."""

    def __init__(self, n: int) -> None:
        self.n = n

    def bind(self, space, clock, seed):
        self.n_steps, self.rng = clock.n_steps, np.random.default_rng(seed)
        return self.n

    def reset(self, episode): ...

    def encode(self, observation, tick):
        self.last = self.rng.random((self.n_steps, self.n)) < observation[0]
        return Spikes.of(*np.nonzero(self.last), self.n_steps)

    def state(self):
        return {}

    def restore(self, state): ...


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    module = ModuleType(HERE)
    module.Played = Played
    monkeypatch.setitem(sys.modules, HERE, module)


@pytest.mark.parametrize(
    "sizes", [(1,), (15,), (16,), (17,), (63,), (64,), (65,), (130,), (20, 1, 97), (64, 64)], ids=str
)
def test_every_spike_is_handed_out_once_and_in_order(sizes):
    table = {"kind": "python", "of": f"{HERE}:Played"}
    part = {f"p{k}": table | {"arguments": {"n": n}} for k, n in enumerate(sizes)}
    encoder = make({"kind": "parts", "part": part}, SPACE, n_steps=7)
    assert encoder.n == sum(sizes)
    for chance in (0.0, 0.05, 0.5, 1.0, 0.2):
        spikes = encoder.encode([chance])
        fired = np.concatenate([host.encoder.last for host in encoder._senses.hosts._hosts], axis=1)
        expected = Spikes.of(*np.nonzero(fired), 7)
        np.testing.assert_array_equal(spikes.offsets, expected.offsets)
        np.testing.assert_array_equal(spikes.ids[: spikes.n], expected.ids)
