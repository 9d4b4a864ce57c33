"""Generators fire as often and as irregularly as they should, and chance does not depend on how steps are gathered."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from neuroloop.errors import ConfigError, DivergedError
from neuroloop.network.network import Network
from neuroloop.network.neurons.base import Neuron
from neuroloop.network.neurons.lif import LIF
from neuroloop.network.neurons.sources import Poisson, Regular, SpikeTrain
from neuroloop.network.neurons.stochastic import StochasticLIF
from neuroloop.network.synapses import Delta, Exponential


def raster(model, n, n_steps, seed=0, dt=1e-3):
    """Who fired in which step, shape (n_steps, n)."""
    net = Network(dt=dt, seed=seed, n_steps=20)
    spikes = net.record(net.population(model, n))
    net.simulate(n_steps * dt)
    fired = np.zeros((n_steps, n), bool)
    fired[spikes.steps, spikes.ids] = True
    assert fired.sum() == spikes.steps.size
    return fired


def hazards(fired, bounds):
    """How often a neuron fires whose last spike is so many steps ago: fraction and standard error for each range of steps."""
    since = np.zeros(fired.shape, int)
    last = np.full(fired.shape[1], -(10**9))
    for k, line in enumerate(fired):
        since[k] = k - last
        last[line] = k
    for low, high in itertools.pairwise(bounds):
        waiting = (since >= low) & (since < high)
        p = fired[waiting].mean()
        yield p, math.sqrt(p * (1 - p) / waiting.sum())


@pytest.mark.parametrize("rate", [2.0, 50.0, 400.0])
def test_poisson_trains_keep_their_rate_and_are_independent(rate):
    fired = raster(Poisson(rate=rate), 2000, 2000)
    p = 1 - math.exp(-rate * 1e-3)
    assert fired.mean() == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / fired.size))
    # from the first step on
    assert fired[:20].mean() == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / 40_000))
    # neurons and steps are independent, so sums scatter as binomial ones: 5 standard errors of a variance allowed
    for axis in (0, 1):
        scatter = fired.sum(axis=axis).var() / (2000 * p * (1 - p))
        assert scatter == pytest.approx(1.0, abs=5 * math.sqrt(2 / 2000))


def test_a_poisson_neuron_forgets_when_it_fired_last():
    fired = raster(Poisson(rate=200.0), 1000, 1000)
    for p, error in hazards(fired, range(1, 14)):  # an interval of k steps has probability (1 − p)^(k − 1) p
        assert p == pytest.approx(1 - math.exp(-0.2), abs=5 * error)


def test_slow_poisson_neurons_forget_it_too_when_they_wait_for_long():
    fired = raster(Poisson(rate=1.0), 5000, 4000)
    for p, error in hazards(fired, [1, 512, 1000, 1050, 2000, 2100, 4000]):  # around 1024 they draw anew
        assert p == pytest.approx(1 - math.exp(-1e-3), abs=5 * error)


def test_a_poisson_rate_can_be_zero_and_rise_later():
    net = Network(dt=1e-3, n_steps=16)
    cells = net.population(Poisson(rate=[0.0, 0.0, 100.0]), 3)
    spikes = net.record(cells)
    net.simulate(4.096)
    assert spikes.counts()[:2].sum() == 0
    cells["rate_dt"] = [0.0, 0.1, 0.1]
    net.simulate(1.024 + 4.096)  # a silent neuron looks again within 1024 steps
    assert spikes.counts()[0] == 0
    assert spikes.counts()[1] > 300


@pytest.mark.parametrize("dt", [1e-3, 1e-4])
def test_regular_neurons_count_exactly_and_do_not_drift(dt):
    rates = np.array([1.0, 3.0, 7.0, 40.0, 100.0 / 3.0, 1 / dt])
    net = Network(dt=dt, n_steps=100)
    spikes = net.record(net.population(Regular(rate=rates), 6))
    net.simulate(30.0)
    np.testing.assert_array_equal(spikes.counts(), np.rint(30.0 * rates))
    for i, rate in enumerate(rates):
        steps = spikes.steps[spikes.ids == i]
        due = np.arange(1, steps.size + 1) / (rate * dt)
        # the n-th spike falls into the step in which n periods are over
        np.testing.assert_array_equal(steps, np.ceil(due - 1e-6) - 1)


def test_the_phase_of_a_regular_neuron_brings_its_spikes_forward():
    fired = raster(Regular(rate=100.0, phase=[0.0, 0.25, 0.5]), 3, 40)
    assert [np.flatnonzero(train).tolist() for train in fired.T] == [[9, 19, 29, 39], [7, 17, 27, 37], [4, 14, 24, 34]]


def test_a_given_train_is_played_in_the_steps_that_hold_its_times():
    times = [0.0305, 0.001, 0.0019, 0.001, 0.3, 0.00299]
    fired = raster(SpikeTrain(times=times, ids=[2, 0, 1, 2, 0, 2]), 4, 320)
    found = sorted(zip(*(x.tolist() for x in np.nonzero(fired)), strict=True))
    assert found == [(1, 0), (1, 1), (1, 2), (2, 2), (30, 2), (300, 0)]


def test_an_empty_train_is_silence():
    assert not raster(SpikeTrain(times=[], ids=[]), 4, 40).any()


@pytest.mark.parametrize(
    ("times", "ids"),
    [([0.1], [4]), ([-0.1], [0]), ([0.1, 0.2], [0]), ([0.1, 0.1002], [1, 1]), ([np.nan], [0]), ([0.1], [0.5])],
)
def test_trains_that_cannot_be_are_refused(times, ids):
    with pytest.raises(ConfigError, match="spiketrain"):
        Network(dt=1e-3).population(SpikeTrain(times=times, ids=ids), 4)


def test_more_spikes_than_long_delays_can_hold_are_noticed():
    net = Network(dt=1e-3, n_steps=16)
    cells = net.population(Poisson(rate=2000.0), 30_000)
    net.connect(cells, net.population(LIF(), 1), np.zeros((30_000, 1)), delay=0.25)
    with pytest.raises(DivergedError, match="poisson: more spikes on their way"):
        net.simulate(0.512)


@pytest.fixture(scope="module")
def by_chance():
    """Spikes of a network with every source of chance, run for 140 steps: `by_chance(n_steps, seed)` as (steps, ids)."""

    def spikes(n_steps, seed):
        net = Network(dt=1e-3, seed=seed, n_steps=n_steps)
        inputs = net.population(Poisson(rate=100.0), 50)
        noisy = net.population(LIF(noise=0.2, t_ref=0.002), 40)
        chancy = net.population(StochasticLIF(bias=0.9, t_ref=0.002), 40)
        net.connect(inputs, noisy, 0.2, delay=0.003, probability=0.4)
        net.connect(noisy, chancy, 0.3, delay=0.007, synapse=Delta())
        net.connect(chancy, noisy, -0.01, delay=0.001, synapse=Exponential(tau=0.01))
        monitors = [net.record(one) for one in (inputs, noisy, chancy)]
        net.simulate(0.140)
        found = [np.stack([monitor.steps, monitor.ids]) for monitor in monitors]
        assert all(table.shape[1] > 50 for table in found)
        return found

    return spikes


@pytest.mark.parametrize("n_steps", [1, 7, 20])
def test_spikes_are_the_same_however_steps_are_gathered(by_chance, n_steps):
    for one, other in zip(by_chance(n_steps, 3), by_chance(140, 3), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_seed_decides_every_spike(by_chance):
    for one, same, other in zip(by_chance(20, 3), by_chance(20, 3), by_chance(20, 4), strict=True):
        np.testing.assert_array_equal(one, same)
        assert not np.array_equal(one, other)


class Dice(Neuron, frozen=True, kw_only=True):
    """A model of one's own that only shows what it drew."""

    STATE = {"v": 0.0, "x": 0.0}  # noqa: RUF012
    SPIKES = False

    def update(self, leaky):
        return throw


def throw(v, x, noise, chance):
    return noise, chance, False


def test_random_numbers_of_neurons_and_steps_are_independent():
    net = Network(dt=1e-3, n_steps=20)
    dice = net.population(Dice(), 40)
    normal, uniform = net.record(dice, "v"), net.record(dice, "x")
    net.simulate(20.0)
    v, x = normal.values, uniform.values
    drawn = np.hstack([v, v**2, x])
    together = np.corrcoef(
        np.hstack([drawn[1:], drawn[:-1]]).T
    )  # none goes with another, nor with that of the step before
    np.testing.assert_allclose(together, np.eye(240), rtol=0, atol=0.05)  # 7 standard errors of 20000 steps
    np.testing.assert_allclose([v.mean(), v.var(), x.mean(), x.var()], [0.0, 1.0, 0.5, 1 / 12], rtol=0, atol=0.01)
