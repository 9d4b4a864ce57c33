"""What the tests of decoders share: spikes by count, and how a spike train looks from a control step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from neuroloop.testing.spikes import of, regular
from neuroloop.types import Spikes

N_STEPS, DT = 20, 1e-3


@pytest.fixture(scope="session")
def noise() -> Callable[..., tuple[Any, list[Spikes]]]:
    """Makes random spikes: an array of shape (n_ticks, n_steps, n), and the same as `Spikes`."""

    def make(n: int, n_ticks: int = 25, seed: int = 0, share: float = 0.2) -> tuple[Any, list[Spikes]]:
        rng = np.random.default_rng(seed)
        density = share * rng.uniform(0.0, 2.0, (n_ticks, 1, n))
        fires = rng.random((n_ticks, N_STEPS, n)) < density
        return fires, [of(one) for one in fires]

    return make


@pytest.fixture(scope="session")
def even() -> Callable[..., Spikes]:
    """Makes spikes evenly spread over a control step from the count of each neuron."""
    return lambda counts: regular(np.asarray(counts), N_STEPS)
