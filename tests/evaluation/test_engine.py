"""The engine's benchmarks run what they say, and peers can load the same cases without neuroloop."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neuroloop.evaluation import engine_cases as cases
from neuroloop.evaluation.figures import Suite
from neuroloop.evaluation.suites import engine

PEERS = Path(__file__).parents[1] / "benchmarks" / "peers"


@pytest.mark.parametrize(("spec", "low", "high"), [(cases.B1, 12.0, 18.0), (cases.B2, 13.0, 19.0)], ids=["b1", "b2"])
def test_the_closed_loops_fire_as_in_every_peer(spec, low, high):
    tick, note = engine.closed_loop(spec)
    for k in range(100):
        tick(k)
    rate = float(note().split()[1])
    assert low < rate < high  # Hz; peers measured 14 to 16 in B1 and B2


def test_the_plastic_network_learns_as_in_every_peer():
    net, n, fan_out = engine.brunel(cases.Brunel(n_exc=500, fan_out=100))
    net.simulate(0.5)
    spikes = engine._spikes_of(net.counters, fan_out)
    assert 15.0 < spikes / n / 0.5 < 40.0  # Hz
    kicks = (net.counters.spikes - spikes) / n / 0.5
    assert kicks == pytest.approx(200.0, abs=4 * np.sqrt(200.0 / n / 0.5))  # Hz, four standard errors
    assert net.counters.plasticity_events > 0


def test_the_cuba_network_has_the_delays_and_weights_of_the_benchmark():
    spec = cases.Cuba(n=400, fan_out=40)
    net, n, _ = engine.cuba(spec)
    excitatory, inhibitory = net.projections.values()
    assert n == 400
    assert np.all(excitatory.weights == np.float32(spec.w_exc))
    assert np.all(inhibitory.weights == np.float32(spec.w_inh))
    assert excitatory.delay_steps == inhibitory.delay_steps == 10


def test_short_ticks_are_timed_together_and_long_ones_alone():
    seen: list[int] = []
    medians = cases.tick_medians(seen.append, repeats=3, seconds=0.001)
    assert len(medians) == 3
    assert all(0.0 < us < 1000.0 for us in medians)
    assert seen[: cases.WARM_TICKS] == list(range(cases.WARM_TICKS))


def test_peers_load_the_cases_without_neuroloop():
    program = "import sys, common; assert common.B1.steps == 20; assert 'neuroloop' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], cwd=PEERS, check=True)


def test_the_cost_against_activity_is_drawn(tmp_path):
    rows = [engine._activity_row(share, 10.0 + 1000.0 * share) for share in engine.ACTIVE]
    path = engine.draw(Suite("engine", [], rows), tmp_path / "activity.png")
    assert path.stat().st_size > 5000
