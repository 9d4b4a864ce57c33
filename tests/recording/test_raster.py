"""Rasters hold who fired in which step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from numpy.typing import NDArray

from neuroloop.activity import Activity

OBSERVED = spaces.Box(-1.0, 1.0, (3,), np.float32)


def bits(raster: NDArray[Any]) -> NDArray[np.int64]:
    """1 where a neuron fired in a step, (32 × words, n)."""
    words = raster.view(np.uint32)
    return np.array([words[k // 32] >> np.uint32(k % 32) & np.uint32(1) for k in range(32 * len(words))], np.int64)


@pytest.mark.parametrize("n_steps", [7, 32, 45])
def test_bits_are_the_spikes_of_each_step(
    n_steps: int, small_agent: Callable[..., Any], open_controller: Callable[..., Any]
) -> None:
    clock = {"n_steps": n_steps, "period": n_steps / 1e3}
    config = small_agent(encoder={"kind": "gaussian", "neurons": 9, "max_rate": 200.0}, clock=clock,
                         decoder={"decide_after": 0.002})  # fmt: skip
    controller, graph = open_controller(config, OBSERVED, spaces.Discrete(2), 1)
    activity, rng, spikes = Activity(controller), np.random.default_rng(0), 0
    assert activity.rasters.keys() == {"encoder", "critic", "actor[0]"}
    for k in range(40):
        controller.act(rng.uniform(-1.0, 1.0, 3).astype(np.float32), 0.0, first=k % 10 == 0)
        for name, raster in activity.rasters.items():
            fired, log = bits(raster), graph.log("pre" if name == "encoder" else name)
            assert fired[:n_steps].tolist() == (log != 0).astype(int).tolist()
            assert not fired[n_steps:].any()
            assert name == "encoder" or fired.sum(axis=0).tolist() == activity.counts[name].tolist()
            spikes += int(fired.sum())
    assert spikes > 100


def test_cells_that_fire_regularly_are_told_by_their_ids(
    small_agent: Callable[..., Any], open_controller: Callable[..., Any]
) -> None:
    controller, _ = open_controller(small_agent(), OBSERVED, spaces.Discrete(2), 1)
    activity = Activity(controller)
    assert activity.rasters.keys() == {"critic", "actor[0]"}
    controller.act(np.zeros(3, np.float32), 0.0, first=True)
    assert activity.cells["encoder"].shape == (6,)
    assert len(set(activity.cells["encoder"].tolist())) == 6
