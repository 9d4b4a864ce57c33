"""What the tests of plasticity share: a projection whose spikes are given on both sides, and the committed references."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroloop.network.layouts import OneToOne
from neuroloop.network.network import Network
from neuroloop.network.neurons.lif import LIF
from neuroloop.network.neurons.sources import SpikeTrain
from neuroloop.network.projection import Projection
from neuroloop.network.synapses import Delta

DT = 1e-3
THRESHOLD = 1e6  # far above what plastic synapses add up to, far below what a teacher adds


def train(spikes: Any) -> SpikeTrain:
    """A source that fires where `spikes`, shape (n_steps, n), is not zero."""
    steps, ids = np.nonzero(spikes)
    return SpikeTrain(times=(steps + 0.5) * DT, ids=ids)


class Scripted:
    """Two populations that fire as they are told to, whatever the weights, and a plastic projection between them.

    `pre`, `post`: shape (n_steps, n), true where a neuron fires; none of `post` can fire in step 0, because each is driven
    by a teacher's spike of the step before.
    """

    def __init__(self, pre: Any, post: Any, n_steps: int = 1, seed: int = 0) -> None:
        assert not np.any(post[0]), "a postsynaptic neuron cannot be made to fire in step 0"
        self.net = Network(dt=DT, seed=seed, n_steps=n_steps)
        self.pre = self.net.population(train(pre), np.shape(pre)[1], name="pre")
        teacher = self.net.population(train(np.roll(post, -1, axis=0)), np.shape(post)[1])
        self.post = self.net.population(LIF(v_th=THRESHOLD), np.shape(post)[1], name="post")
        self.net.connect(teacher, self.post, 4.0 * THRESHOLD, layout=OneToOne(), synapse=Delta())

    def connect(self, weights: Any, **options: Any) -> Projection:
        """Connect both by a projection named `plastic`; `delay` in steps."""
        delay = options.pop("delay", 0) * DT
        return self.net.connect(self.pre, self.post, weights, delay=delay, synapse=Delta(), name="plastic", **options)

    def steps(self, n: int) -> Iterator[int]:
        """Run `n` control steps, and stop after each."""
        for k in range(n):
            self.net.run()
            yield k


@pytest.fixture(scope="session")
def scripted() -> Callable[..., Scripted]:
    """Makes populations with given spikes: `scripted(pre, post, n_steps=…, seed=…)`."""
    return Scripted


@pytest.fixture(scope="session")
def fires() -> Callable[..., Any]:
    """Makes one neuron's spikes: `fires(n_steps, *when)` of shape (n_steps, 1)."""

    def make(n_steps: int, *when: int) -> Any:
        spikes = np.zeros((n_steps, 1), bool)
        spikes[list(when)] = True
        return spikes

    return make


@pytest.fixture(scope="session")
def reference() -> Callable[[str], dict[str, Any]]:
    """Reads what Brian2 or NEST answered: `reference("stdp_none_brian2")`; see `tests/references/README.md`."""

    def read(name: str) -> dict[str, Any]:
        with np.load(Path(__file__).parents[1] / "references" / "data" / f"{name}.npz") as file:
            return {**file, "parameters": json.loads(str(file["parameters"]))}

    return read


@pytest.fixture(scope="session")
def from_table() -> Callable[..., Any]:
    """Turns rows (step, neuron) into spikes of shape (n_steps, n), perhaps some steps later."""

    def make(table: Any, n_steps: int, n: int, later: int = 0) -> Any:
        spikes = np.zeros((n_steps, n), bool)
        spikes[table[:, 0] + later, table[:, 1]] = True
        return spikes

    return make


@pytest.fixture(scope="session")
def fading() -> Callable[..., float]:
    """What is left of a trace after some steps: `fading(tau, n=1)`."""
    return lambda tau, n=1: math.exp(-n * DT / tau)
