"""Rewarded STDP pays for what was done, whichever way its work is put off, and follows dopamine as Brian2 and NEST do."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop.network.devices import FixedPoint
from neuroloop.network.layouts import AllToAll, FixedProbability, OneToOne
from neuroloop.network.network import Network
from neuroloop.network.neurons.lif import LIF
from neuroloop.network.neurons.sources import Poisson
from neuroloop.network.synapses import Delta
from neuroloop.plasticity.rewarded import RSTDP

SCHEDULES = ["lazy", "dense", "by activity"]
ON_EVERY_SCHEDULE = pytest.mark.parametrize("schedule", SCHEDULES)
DENSE_AND_SPARSE = pytest.mark.parametrize(
    "layout", [AllToAll(), FixedProbability(probability=0.6)], ids=["dense", "sparse"]
)
ROUNDING = 2e-7  # of weights and eligibility of about 1


@pytest.fixture(scope="session")
def poisson():
    """Makes a network of Poisson trains on both sides; most of its neurons fire a few times a second at most."""

    def make(layout, rule, weights=0.4, bounds=(0.0, 1.0), seed=1, **options):
        net = Network(dt=1e-3, seed=seed, n_steps=10)
        pre = net.population(Poisson(rate=np.geomspace(0.3, 120.0, 12)), 12)
        teacher = net.population(Poisson(rate=np.geomspace(0.3, 30.0, 7)), 7)
        post = net.population(LIF(v_th=1e6), 7)
        net.connect(teacher, post, 4e6, layout=OneToOne(), synapse=Delta())
        plastic = net.connect(
            pre,
            post,
            weights,
            layout=layout,
            synapse=Delta(),
            plasticity=rule,
            bounds=bounds,
            name="plastic",
            **options,
        )
        return net, plastic

    return make


@DENSE_AND_SPARSE
@pytest.mark.parametrize(("rate", "bounds"), [(3e-4, (-np.inf, np.inf)), (0.2, (0.0, 1.0))], ids=["free", "bounded"])
def test_all_schedules_agree_after_a_hundred_thousand_control_steps(poisson, layout, rate, bounds):
    rewards = np.random.default_rng(2).normal(size=100_000)
    found = []
    for schedule in SCHEDULES:
        net, plastic = poisson(layout, RSTDP(rate=rate, tau_elig=0.5, schedule=schedule), bounds=bounds)
        for reward in rewards:
            net.run(reward=reward)
        found.append(plastic.weights.copy())
        assert net.counters.plasticity_events > 10_000
    hit = np.isin(found[0], bounds)
    assert hit.any() == np.isfinite(bounds[0])
    # a change is rounded to float32 at 1e5 control steps, by 3e-8 each and in both directions: 1e-5 in all
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], rtol=1e-5, atol=1e-5)


@ON_EVERY_SCHEDULE
def test_a_reward_pays_for_eligibility_as_the_control_step_before_left_it(scripted, fires, fading, schedule):
    """Control steps of 10: pairings in the first (lag 2) and in the second (lag 3)."""
    rule = RSTDP(rate=0.1, a_plus=1.0, a_minus=0.0, schedule=schedule)
    after_first = fading(0.020, 2) * fading(
        0.200, 5
    )  # the pairing of step 4 has decayed for 5 steps by the end of step 9
    after_second = after_first * fading(0.200, 10) + (fading(0.020, 3) + fading(0.020, 13)) * fading(0.200, 4)
    for paid, expected in [(0, 0.0), (1, after_first), (2, after_second)]:
        network = scripted(fires(30, 2, 12), fires(30, 4, 15), n_steps=10)
        plastic = network.connect(0.5, plasticity=rule)
        for tick in range(3):
            network.net.run(reward=float(tick == paid))
        assert plastic.weights.item() - 0.5 == pytest.approx(0.1 * expected, abs=ROUNDING), f"reward in run {paid}"


@ON_EVERY_SCHEDULE
def test_eligibility_is_shown_as_the_latest_control_step_left_it(scripted, fires, fading, schedule):
    network = scripted(fires(30, 2), fires(30, 4), n_steps=10)
    plastic = network.connect(0.5, plasticity=RSTDP(a_minus=0.0, schedule=schedule))
    shown = [plastic.eligibility.item() for _ in network.steps(3)]
    expected = fading(0.020, 2) * fading(0.200, 5) * fading(0.200, 10) ** np.arange(3)
    np.testing.assert_allclose(shown, expected, rtol=1e-6)


@DENSE_AND_SPARSE
@ON_EVERY_SCHEDULE
def test_looking_at_weights_and_eligibility_changes_nothing(poisson, layout, schedule):
    rewards, found = np.random.default_rng(3).normal(size=3000), []
    for looks in (False, True):
        net, plastic = poisson(layout, RSTDP(rate=0.05, schedule=schedule))
        for tick, reward in enumerate(rewards):
            net.run(reward=reward)
            if looks and tick % 7 in (0, 3):
                assert np.all(np.abs(plastic.eligibility) < 100.0)
                assert np.all((plastic.weights >= 0.0) & (plastic.weights <= 1.0))
        found.append(plastic.weights.copy())
    np.testing.assert_allclose(*found, rtol=0, atol=1e-5)  # sums are rounded in another order


@DENSE_AND_SPARSE
def test_looking_changes_nothing_on_a_device_that_writes_by_chance_either(poisson, layout):
    rewards, found = np.random.default_rng(4).normal(size=400), []
    for looks in (False, True):
        net, plastic = poisson(layout, RSTDP(rate=0.05), device=FixedPoint(bits=6))
        for reward in rewards:
            net.run(reward=reward)
            if looks:
                assert plastic.weights.size
        found.append(plastic.weights.copy())
    # a draw can fall between two sums that differ in their last bits: hardly ever
    assert np.mean(found[0] != found[1]) < 0.02


def test_a_row_that_is_owed_much_comes_off_both_bounds_as_if_paid_at_once(scripted, fires):
    """What is cut off at one bound is missing at the other, though the sum alone would never have got there."""
    rng, met = np.random.default_rng(5), []
    for _ in range(200):
        network = scripted(fires(3, 1), fires(3, 2))
        rule = RSTDP(rate=1.0, a_plus=1.0, tau_elig=5.0, schedule="lazy")
        plastic = network.connect(rng.uniform(0.1, 0.9), bounds=(0.0, 1.0), plasticity=rule)
        network.net.simulate(0.003)
        w, e, way = plastic.weights.item(), plastic.eligibility.item(), []
        for reward in rng.normal(scale=0.1, size=60):
            network.net.run(reward=reward)
            w, e = np.clip(w + reward * e, 0.0, 1.0), e * np.exp(-1 / 5000)
            way.append(w)
        assert plastic.weights.item() == pytest.approx(w, abs=1e-5)  # 60 float32 sums of steps of about 0.1
        met.append((min(way), max(way)))
    assert sum(pair == (0.0, 1.0) for pair in met) > 10  # both bounds were met on the way


@DENSE_AND_SPARSE
@pytest.mark.parametrize("tau_minus", [0.020, 0.001], ids=["one log", "a new log every 40 steps"])
def test_a_pairing_late_in_a_control_step_counts_even_where_an_early_one_has_vanished(
    scripted, fires, layout, tau_minus
):
    """Eligibility of 1 ms: of a pairing in the first of 20 steps e^-19 is left at the end, of one in the last all."""
    network = scripted(np.repeat(fires(100, 18), 3, axis=1), fires(100, 60, 79), n_steps=20)
    rule = RSTDP(rate=1.0, a_minus=0.0, tau_minus=tau_minus, tau_elig=0.001, schedule="lazy")
    plastic = network.connect(0.5, layout=layout, plasticity=rule)
    for tick in range(5):
        network.net.run(reward=float(tick == 4))
    np.testing.assert_allclose(plastic.weights - 0.5, np.exp(-61 / 20), rtol=0, atol=ROUNDING)


def test_each_postsynaptic_neuron_is_paid_by_its_own_modulator_until_that_is_set_anew(scripted, fires):
    post = np.repeat(fires(10, 4), 3, axis=1)
    network = scripted(fires(10, 2), post)
    critics = network.net.modulator("critics", 3)
    plastic = network.connect(0.5, plasticity=RSTDP(rate=0.01, modulator=critics, a_minus=0.0, tau_elig=1.0))
    for tick in network.steps(10):
        if tick == 4:
            eligibility = plastic.eligibility[0, 0]
            critics.value = [1.0, 0.0, -2.0]
        if tick == 6:
            critics.value = 0.0
    paid = 0.01 * eligibility * (1.0 + np.exp(-1 / 1000))  # in steps 5 and 6
    np.testing.assert_allclose(plastic.weights[0] - 0.5, paid * np.array([1.0, 0.0, -2.0]), rtol=0, atol=ROUNDING)


@pytest.fixture
def dopamine(scripted, from_table, reference):
    """Weights of the dopamine references' two synapses after every step, for a baseline."""
    file = reference("dopamine_brian2")
    given, n_steps = file["parameters"], 5001
    concentration, fade = np.zeros(n_steps), np.exp(-given["dt"] / given["tau_n"])
    for k in range(n_steps):
        concentration[k] = concentration[k - 1] * fade + np.isin(k, file["dopamine"]) / given["tau_n"]

    def follow(baseline):
        network = scripted(from_table(file["pre"], n_steps, 2), from_table(file["post"], n_steps, 2))
        level = network.net.modulator("dopamine")
        rule = RSTDP(
            rate=given["dt"], a_plus=given["a_plus"], a_minus=given["a_minus"], tau_plus=given["tau_plus"],
            tau_minus=given["tau_minus"], tau_elig=given["tau_c"], modulator=level,
        )  # fmt: skip
        plastic = network.connect(given["w_start"], layout=OneToOne(), plasticity=rule)
        level.value, weights, eligibility = -baseline, [], []
        for k in network.steps(n_steps):
            weights.append(plastic.weights.copy())
            eligibility.append(plastic.eligibility.copy())
            level.value = concentration[k] - baseline  # pays for what step k left
        return np.array(weights).T, np.array(eligibility).T, concentration

    return follow


SAMPLES = np.arange(9, 5000, 10)


def test_eligibility_and_dopamine_are_those_of_brian2(dopamine, reference):
    _, eligibility, concentration = dopamine(0.0)
    file = reference("dopamine_brian2")
    np.testing.assert_allclose(concentration[SAMPLES], file["n"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(eligibility[:, SAMPLES], file["c"], rtol=0, atol=1e-5)  # 5000 float32 decays


def test_weights_are_those_of_brian2_when_it_pays_at_the_beginning_or_at_the_end_of_a_step(dopamine, reference):
    weights, _, _ = dopamine(0.0)
    file = reference("dopamine_brian2")
    np.testing.assert_allclose(weights[:, SAMPLES], file["w_begin_0"], rtol=0, atol=5e-5)
    np.testing.assert_allclose(weights[:, SAMPLES + 1], file["w_end_0"], rtol=0, atol=5e-5)  # paid a step later


@pytest.mark.parametrize("which", [0, 1])
def test_weights_follow_the_exact_integral_within_what_a_step_of_a_millisecond_costs(dopamine, reference, which):
    brian2, nest = reference("dopamine_brian2"), reference("dopamine_nest")
    weights, _, _ = dopamine(brian2["parameters"]["baselines"][which])
    for exact in (brian2[f"w_exact_{which}"], nest[f"w_{which}"]):
        # dw/dt = c n taken at the beginning of a step, when n decays by 0.5 % in it: 0.0040 in Brian2 itself
        np.testing.assert_allclose(weights[:, SAMPLES], exact, rtol=0, atol=0.0045)
