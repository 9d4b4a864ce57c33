"""Weights on a chip: what is written lies on the chip's grid, is right on average, and training runs on it."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop import LIF, Network, Poisson
from neuroloop.errors import ConfigError
from neuroloop.network.devices import FixedPoint, Memristive
from neuroloop.network.layouts import AllToAll, FixedProbability
from neuroloop.plasticity.rewarded import RSTDP
from neuroloop.plasticity.stdp import STDP

DENSE_AND_SPARSE = pytest.mark.parametrize(
    "layout", [AllToAll(), FixedProbability(probability=1.0)], ids=["dense", "sparse"]
)
RULES = {"stdp": STDP(a_plus=0.03, a_minus=0.02), "rstdp": RSTDP(rate=0.02, a_plus=1.0, a_minus=0.6)}
BY_RULE = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@pytest.fixture
def trained(scripted):
    """Makes and trains random weights of 20×30 synapses for 300 steps, with rewards; returns the projection."""

    def make(rule, seed=0, device=None, layout=None, weights=0.5, bounds=(-0.5, 1.5)):
        rng = np.random.default_rng(1)
        pre, post = rng.random((300, 20)) < 0.03, rng.random((300, 30)) < 0.03
        post[0] = False
        network = scripted(pre, post, n_steps=5, seed=seed)
        plastic = network.connect(weights, plasticity=rule, device=device, layout=layout, bounds=bounds)
        for reward in rng.normal(size=60):
            network.net.run(reward=reward)
        return plastic

    return make


@pytest.fixture
def pushed(scripted, fires):
    """Writes the same change `n` times into each of many synapses; returns the weights, shape (m,)."""

    def make(device, change, n=1, start=0.5, bounds=(0.0, 1.0), m=4000, seed=0):
        lags = 100 * np.arange(n)  # apart, so that nothing but the intended pairs is left
        pre = fires(100 * n + 20, *(lags + 5))
        post = np.repeat(fires(100 * n + 20, *(lags + 6)), m, axis=1)
        rule = STDP(a_plus=max(change, 0.0) * np.exp(1 / 2), a_minus=0.0, tau_plus=0.002, tau_minus=0.002)
        if change < 0.0:
            pre, post = fires(100 * n + 20, *(lags + 6)), np.repeat(fires(100 * n + 20, *(lags + 5)), m, axis=1)
            rule = STDP(a_plus=0.0, a_minus=-change * np.exp(1 / 2), tau_plus=0.002, tau_minus=0.002)
        network = scripted(pre, post, seed=seed)
        plastic = network.connect(start, plasticity=rule, device=device, bounds=bounds)
        network.net.simulate(len(pre) * 1e-3)
        return plastic.weights[0]

    return make


@DENSE_AND_SPARSE
@BY_RULE
@pytest.mark.parametrize("bits", [1, 4, 16])
def test_fixed_point_weights_stay_on_the_grid(trained, rule, layout, bits):
    plastic = trained(rule, device=FixedPoint(bits=bits), layout=layout, weights=0.3)
    level = (plastic.weights + 0.5) / 2.0 * (2**bits - 1)
    # a weight is a float32: at 16 bits its rounding is 1e-7 / 2 × 65535 of a level
    np.testing.assert_allclose(level, np.rint(level), rtol=0, atol=1e-7 * 2**bits)
    assert plastic.weights.min() >= -0.5
    assert plastic.weights.max() <= 1.5
    assert len(np.unique(np.rint(level))) > 1


@pytest.mark.parametrize("bits", [4, 8, 16])
@pytest.mark.parametrize("share", [0.3, -0.3, 0.01, -2.6])
def test_stochastic_rounding_is_right_on_average(pushed, bits, share):
    """`share`: the change, in levels."""
    step = 1.0 / (2**bits - 1)
    start = round(0.5 / step) * step
    gained = (pushed(FixedPoint(bits=bits), share * step, start=start).astype(float) - np.float32(start)) / step
    part = abs(share) % 1.0
    assert gained.mean() == pytest.approx(share, abs=4.5 * np.sqrt(part * (1.0 - part) / gained.size))
    assert set(np.rint(gained)) == {np.floor(share), np.ceil(share)}


def test_changes_far_below_a_level_are_not_lost_but_happen_rarely(pushed):
    gained = (pushed(FixedPoint(bits=8), 0.002 / 255, n=50, start=100 / 255) - 100 / 255) * 255
    assert 0.0 < np.mean(gained > 0.5) < 0.2
    assert gained.mean() == pytest.approx(0.1, abs=4.5 * np.sqrt(0.1 / gained.size))


def test_changes_below_the_last_bit_of_a_float_are_not_lost_either(pushed):
    """At 16 bits, a thousandth of a level is 1.5e-8, and a float32 near 1 takes in nothing below 6e-8."""
    level = 1.0 / 65535
    start = 65000 * level
    assert pushed(None, 0.001 * level, n=100, start=start, m=10)[0] == np.float32(start)
    gained = (pushed(FixedPoint(bits=16), 0.001 * level, n=100, start=start).astype(float) - start) / level
    assert gained.mean() == pytest.approx(0.1, abs=4.5 * np.sqrt(0.1 / gained.size) + 0.005)


def test_no_change_is_written_as_no_change(pushed):
    assert np.all(pushed(FixedPoint(bits=3), 0.0, n=3, start=2 / 7) == np.float32(2 / 7))


@BY_RULE
def test_the_more_bits_the_closer_to_float(trained, rule):
    exact = trained(rule).weights
    off = {
        bits: np.sqrt(np.mean((trained(rule, device=FixedPoint(bits=bits)).weights - exact) ** 2))
        for bits in (4, 8, 16)
    }
    assert off[4] > 5 * off[8] > 25 * off[16]
    assert off[16] < 30 * 2.0 / 65535  # at most some hundred roundings, each off by up to a level: their root
    assert np.std(exact) > 0.05


@BY_RULE
@pytest.mark.parametrize("device", [FixedPoint(bits=4), Memristive(noise=0.3)], ids=["fixed point", "memristive"])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(trained, rule, device):
    first, again, other = (trained(rule, seed=seed, device=device).weights.copy() for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert np.mean(first != other) > 0.3


def test_synapses_and_moments_draw_independently(pushed):
    """Half a level, twice: 0, 1 and 2 levels in the proportion of 1 : 2 : 1, whatever the neighbour drew."""
    gained = np.rint((pushed(FixedPoint(bits=8), 0.5 / 255, n=2, start=100 / 255) - 100 / 255) * 255)
    share = np.array([np.mean(gained == k) for k in range(3)])
    np.testing.assert_allclose(share, [0.25, 0.5, 0.25], rtol=0, atol=4.5 * 0.5 / np.sqrt(gained.size))
    assert np.corrcoef(gained[1:], gained[:-1])[0, 1] == pytest.approx(0.0, abs=4.5 / np.sqrt(gained.size))


@pytest.mark.parametrize(("change", "up", "down"), [(0.02, 3.0, 1.0), (-0.02, 1.0, 3.0), (0.02, 0.0, 0.0)])
def test_repeated_potentiation_and_depression_saturate_as_in_closed_form(pushed, change, up, down):
    """dg/dn = a e^(−b g) gives g(n) = ln(e^(b g0) + a b n) / b; a pulse takes the slope where it begins."""
    n, start = 25, 0.2 if change > 0.0 else 0.8
    weights = pushed(Memristive(up=up, down=down), change, n=n, start=start, m=3)
    g, rate = (start, up) if change > 0.0 else (1.0 - start, down)
    one_by_one = g
    for _ in range(n):
        one_by_one += 0.02 * np.exp(-rate * one_by_one)
    smooth = np.log(np.exp(rate * g) + 0.02 * rate * n) / rate if rate else g + 0.02 * n
    found = weights if change > 0.0 else 1.0 - weights
    np.testing.assert_allclose(found, one_by_one, rtol=0, atol=25 * 1e-7)
    np.testing.assert_allclose(found, smooth, rtol=0.01)  # the slope falls by up to 6 % within a pulse


@DENSE_AND_SPARSE
@BY_RULE
def test_memristive_weights_stay_within_their_bounds(trained, rule, layout):
    plastic = trained(rule, device=Memristive(noise=1.0, up=0.5, down=0.5), layout=layout)
    assert plastic.weights.min() >= -0.5
    assert plastic.weights.max() <= 1.5
    assert np.std(plastic.weights) > 0.02


def test_write_noise_has_the_mean_and_spread_that_was_asked_for(pushed):
    gained = pushed(Memristive(up=0.0, down=0.0, noise=0.3), 0.1) - 0.5
    n = gained.size
    assert gained.mean() == pytest.approx(0.1, abs=4.5 * 0.03 / np.sqrt(n))
    assert gained.std() == pytest.approx(0.03, rel=4.5 / np.sqrt(2 * n))
    skew = np.mean(((gained - gained.mean()) / gained.std()) ** 3)
    assert skew == pytest.approx(0.0, abs=4.5 * np.sqrt(6 / n))  # of a normal distribution


@DENSE_AND_SPARSE
def test_conductance_drifts_towards_the_lower_bound(scripted, fires, layout):
    network = scripted(fires(200, 5), fires(200, 150), n_steps=10)
    rule = STDP(a_plus=0.0, a_minus=0.0)
    plastic = network.connect(1.5, layout=layout, plasticity=rule, device=Memristive(drift=0.5), bounds=(0.5, 2.0))
    found = [plastic.weights.item() for _ in network.steps(20)]
    np.testing.assert_allclose(found, 0.5 + np.exp(-0.01 * np.arange(1, 21) / 0.5), rtol=1e-6)


@pytest.mark.parametrize("device", [FixedPoint(), Memristive()])
def test_a_device_needs_bounds(scripted, fires, device):
    with pytest.raises(ConfigError, match=r"^plastic\.device: .* needs bounds"):
        scripted(fires(3, 1), fires(3, 2)).connect(0.5, plasticity=STDP(), device=device)


def test_weights_that_are_set_are_brought_onto_the_grid():
    net = Network()
    source, cells = net.population(Poisson(), 2), net.population(LIF(), 2)
    learned = net.connect(source, cells, 0.0, plasticity=STDP(), device=FixedPoint(bits=2), bounds=(0.0, 1.0))
    learned.weights = [[0.4, 0.1], [0.9, 1.0]]
    np.testing.assert_allclose(learned.weights, [[1 / 3, 0.0], [1.0, 1.0]], atol=1e-7)
