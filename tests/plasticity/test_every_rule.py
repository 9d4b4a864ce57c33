"""Every rule, on every layout, equals a slow and obvious reference: eager, step by step, in float64, synapse by synapse."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.network.devices import Memristive
from neuroloop.network.layouts import AllToAll, FixedProbability, OneToOne, Pairs
from neuroloop.network.network import Network
from neuroloop.network.neurons.readout import Readout
from neuroloop.network.neurons.sources import SpikeTrain
from neuroloop.network.short_term import ShortTerm
from neuroloop.network.synapses import Delta
from neuroloop.plasticity.pes import PES
from neuroloop.plasticity.rewarded import RSTDP
from neuroloop.plasticity.stdp import STDP, TripletSTDP

DT = 1e-3
FEW = settings(max_examples=150, deadline=None, derandomize=True, database=None)


class Case(NamedTuple):
    """Spikes on both sides, and what connects them. Steps and neurons in lines and columns."""

    pre: Any
    post: Any
    n_steps: int
    layout: Any
    delay: int  # steps
    bounds: tuple[float, float]
    looks: Any  # the control steps after which somebody reads the weights
    rng: Any

    def __repr__(self) -> str:
        kind, shape = type(self.layout).__name__, f"{self.pre.shape[1]}×{self.post.shape[1]}"
        return f"{kind} {shape}, {self.n_ticks}×{self.n_steps} steps, delay {self.delay}, bounds {self.bounds}"

    @property
    def n_ticks(self) -> int:
        return len(self.pre) // self.n_steps

    @property
    def arrivals(self) -> Any:
        return np.concatenate([np.zeros_like(self.pre[:1]).repeat(self.delay, 0), self.pre])[: len(self.pre)]


@st.composite
def cases(draw, limited=False):
    """Small networks; some neurons are busy and others hardly ever fire, so that work can be put off for long."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["dense", "sparse", "pairs", "one to one"]))
    n_pre, n_steps = draw(st.integers(1, 5)), draw(st.sampled_from([1, 3, 20]))
    n_post = n_pre if kind == "one to one" else draw(st.integers(1, 5))
    duration = n_steps * draw(st.integers(1, 400 // n_steps))
    rates = st.sampled_from([0.01, 0.1, 0.6])
    pre = rng.random((duration, n_pre)) < draw(rates) * rng.choice([0.05, 0.5, 1.0], n_pre)
    post = rng.random((duration, n_post)) < draw(rates) * rng.choice([0.05, 0.5, 1.0], n_post)
    post[0] = False
    size = rng.integers(1, 12)
    layout = {
        "dense": AllToAll(), "sparse": FixedProbability(probability=0.6), "one to one": OneToOne(),
        "pairs": Pairs(pre=rng.integers(n_pre, size=size), post=rng.integers(n_post, size=size)),
    }[kind]  # fmt: skip
    bounds = (-0.2, 0.9) if limited or draw(st.booleans()) else (-math.inf, math.inf)
    looks = rng.random(duration // n_steps) < draw(st.sampled_from([0.0, 0.05, 1.0]))
    looks[-1] = True
    return Case(pre, post, n_steps, layout, draw(st.integers(0, 4)), bounds, looks, rng)


def clip(w, dw, low, high):
    return np.clip(w + dw, low, high)


def memristive(w, dw, low, high):
    g = (w - low) / (high - low)
    return np.clip(w + dw * np.where(dw > 0, np.exp(-3.0 * g), np.exp(-2.0 * (1.0 - g))), low, high)


class Traces:
    """All the traces of spikes on both sides."""

    def __init__(self, case, rule):
        self.case, self.rule = case, rule
        self.x, self.x2 = np.zeros((2, case.pre.shape[1]))
        self.y, self.y2 = np.zeros((2, case.post.shape[1]))

    def decay(self):
        self.x *= math.exp(-DT / self.rule.tau_plus)
        self.y *= math.exp(-DT / self.rule.tau_minus)
        self.x2 *= math.exp(-DT / getattr(self.rule, "tau_x", 1.0))
        self.y2 *= math.exp(-DT / getattr(self.rule, "tau_y", 1.0))

    def count(self, k):
        for trace, spikes in ((self.x, self.case.arrivals[k]), (self.x2, self.case.arrivals[k]),
                              (self.y, self.case.post[k]), (self.y2, self.case.post[k])):  # fmt: skip
            trace[spikes] = 1.0 if getattr(self.rule, "pairs", "all") == "nearest" else trace[spikes] + 1.0


def slow_stdp(case, rule, w, pre, post, write=clip):
    """The weights after each control step."""
    t, (low, high) = Traces(case, rule), case.bounds
    for k in range(len(case.pre)):
        t.decay()
        x, y, x2, y2 = t.x[pre], t.y[post], t.x2[pre], t.y2[post]
        if isinstance(rule, TripletSTDP):
            up, down = x * (rule.a2_plus + rule.a3_plus * y2), y * (rule.a2_minus + rule.a3_minus * x2)
        else:
            up, down = rule.a_plus * x, rule.a_minus * y
        multiplicative = getattr(rule, "dependence", "") == "multiplicative"
        w = np.where(case.post[k][post], write(w, up * (high - w) if multiplicative else up, low, high), w)
        w = np.where(case.arrivals[k][pre], write(w, -down * (w - low) if multiplicative else -down, low, high), w)
        t.count(k)
        if (k + 1) % case.n_steps == 0:
            yield w


def slow_rewarded(case, rule, w, pre, post, answers, write=clip):
    """Weights and eligibility after each control step, and how large they would be if nothing of them had cancelled.

    A late answer meets the eligibility of the control step before the last, and that of the last one is not shown yet.

    `answers`: the modulators, shape (n_ticks, n_post).
    """
    t, (e, before, gross_w, gross_e) = Traces(case, rule), np.zeros((4, w.size))
    for tick, answer in enumerate(answers):
        w, before = write(w, rule.rate * answer[post] * (before if rule.late else e), *case.bounds), e
        gross_w = gross_w + np.abs(rule.rate * answer[post] * gross_e)
        for k in range(tick * case.n_steps, (tick + 1) * case.n_steps):
            t.decay()
            plus, minus = rule.a_plus * t.x[pre] * case.post[k][post], rule.a_minus * t.y[post] * case.arrivals[k][pre]
            e = e * math.exp(-DT / rule.tau_elig) + plus - minus
            gross_e = np.maximum(gross_e, gross_e * math.exp(-DT / rule.tau_elig) + plus + minus)
            t.count(k)
        yield w, before if rule.late else e, 1.0 + np.max(gross_w, initial=0.0), 1.0 + np.max(gross_e, initial=0.0)


def slow_pes(case, rule, w, pre, post, errors):
    """The weights after each control step; `errors`: shape (n_ticks, n_post)."""
    activity = np.zeros(case.pre.shape[1])
    for tick, error in enumerate(errors):
        w = np.clip(w + rule.rate * case.n_steps * DT * activity[pre] * error[post], *case.bounds)
        for k in range(tick * case.n_steps, (tick + 1) * case.n_steps):
            activity = activity * math.exp(-DT / rule.tau) + case.arrivals[k] / rule.tau
        yield w


def slow_gains(case, rule):
    """What each arriving spike is passed on with, shape (n steps, n_pre): u x, or 0 where none arrives."""
    u, x, last = np.zeros(case.pre.shape[1]), np.ones(case.pre.shape[1]), np.full(case.pre.shape[1], -np.inf)
    gains = np.zeros(case.pre.shape)
    for k, i in zip(*np.nonzero(case.arrivals), strict=True):
        since, last[i] = (k - last[i]) * DT, k
        u[i] *= math.exp(-since / rule.tau_fac) if rule.tau_fac else 0.0
        u[i] += rule.u * (1.0 - u[i])
        x[i] = 1.0 - (1.0 - x[i]) * math.exp(-since / rule.tau_rec)
        gains[k, i] = u[i] * x[i]
        x[i] -= gains[k, i]
    return gains


def connected(network, case, **options):
    """Connect the populations of a case by random weights: the projection, the weights, and who is connected to whom."""
    plastic = network.connect(0.4, layout=case.layout, delay=case.delay, bounds=case.bounds, **options)
    plastic.weights = np.clip(case.rng.uniform(-0.3, 1.0, plastic.weights.shape), -0.2, 0.9)
    return plastic, plastic.weights.ravel().astype(float), *plastic.pairs


def close(case, found, expected, scale=None):
    """A step rounds a trace by 2^-24 at most, and by half of that on average; `scale`: the largest number met."""
    scale = 1.0 + np.max(np.abs(expected), initial=0.0) if scale is None else scale
    np.testing.assert_allclose(found.ravel(), expected, rtol=0, atol=2**-25 * (len(case.pre) + 8) * scale)


times = st.sampled_from([0.002, 0.020, 0.200])
amplitudes = st.sampled_from([0.0, 0.01, 0.1])
pairs = st.sampled_from(["all", "nearest"])
additive = st.builds(STDP, a_plus=amplitudes, a_minus=amplitudes, tau_plus=times, tau_minus=times, pairs=pairs)
triplets = st.builds(
    TripletSTDP, a2_plus=amplitudes, a3_plus=amplitudes, a2_minus=amplitudes, a3_minus=amplitudes, tau_plus=times,
    tau_minus=times, tau_x=times, tau_y=times, pairs=pairs,
)  # fmt: skip
towards = st.builds(
    STDP, a_plus=amplitudes, a_minus=amplitudes, tau_plus=times, tau_minus=times, pairs=pairs,
    dependence=st.just("multiplicative"),
)  # fmt: skip
rewarded = st.fixed_dictionaries({
    "rate": st.sampled_from([0.002, -0.02, 1.0]), "a_plus": st.sampled_from([0.0, 1.0]), "a_minus": st.sampled_from([0.5, 1.0]),
    "tau_plus": times, "tau_minus": times, "tau_elig": st.sampled_from([0.001, 0.005, 0.2, 10.0]),
})  # fmt: skip


@FEW
@given(case=cases(), rule=additive | triplets)
def test_stdp(scripted, case, rule):
    follow_stdp(scripted, case, rule)


@FEW
@given(case=cases(limited=True), rule=towards)
def test_multiplicative_stdp(scripted, case, rule):
    follow_stdp(scripted, case, rule)


@FEW
@given(case=cases(limited=True), rule=additive)
def test_stdp_on_a_memristive_device(scripted, case, rule):
    follow_stdp(scripted, case, rule, memristive, device=Memristive(up=3.0, down=2.0))


def follow_stdp(scripted, case, rule, write=clip, **options):
    network = scripted(case.pre, case.post, n_steps=case.n_steps)
    plastic, *start = connected(network, case, plasticity=rule, **options)
    for tick, w in enumerate(slow_stdp(case, rule, *start, write)):
        network.net.run()
        if case.looks[tick]:
            close(case, plastic.weights, w)


@FEW
@given(case=cases(), chosen=rewarded, how=st.integers(0, 2))
def test_rewarded_stdp_by_a_late_answer(scripted, case, chosen, how):
    follow_rewarded(scripted, case, chosen | {"late": True}, "by activity", how)


@FEW
@given(case=cases(), chosen=rewarded, schedule=st.sampled_from(["lazy", "dense", "by activity"]), how=st.integers(0, 2))
def test_rewarded_stdp(scripted, case, chosen, schedule, how):
    """`how` the modulator comes: as the reward, as one number, or as one for each postsynaptic neuron."""
    follow_rewarded(scripted, case, chosen, "dense" if how == 2 else schedule, how)


@FEW
@given(case=cases(limited=True), chosen=rewarded, how=st.integers(0, 2))
def test_rewarded_stdp_on_a_memristive_device(scripted, case, chosen, how):
    follow_rewarded(scripted, case, chosen, "by activity", how, memristive, device=Memristive(up=3.0, down=2.0))


def follow_rewarded(scripted, case, chosen, schedule, how, write=clip, **options):
    network = scripted(case.pre, case.post, n_steps=case.n_steps)
    n_post = case.post.shape[1]
    modulator = None if how == 0 else network.net.modulator("dopamine", 1 if how == 1 else n_post)
    rule = RSTDP(modulator=modulator, schedule=schedule, **chosen)
    plastic, *start = connected(network, case, plasticity=rule, **options)
    answers = case.rng.normal(size=(case.n_ticks, n_post if how == 2 else 1)) * case.rng.choice(
        [0, 1], (case.n_ticks, 1)
    )
    every = np.broadcast_to(answers, (case.n_ticks, n_post))
    for tick, (w, e, scale_w, scale_e) in enumerate(slow_rewarded(case, rule, *start, every, write)):
        if modulator is not None:
            modulator.value = answers[tick]
        network.net.run(reward=answers[tick, 0] if modulator is None else 0.0)
        if case.looks[tick]:
            close(case, plastic.eligibility, e, scale_e)
            close(case, plastic.weights, w, scale_w)


@FEW
@given(case=cases(), tau=times, rate=st.sampled_from([0.001, -0.01]))
def test_pes(scripted, case, tau, rate):
    network = scripted(case.pre, case.post, n_steps=case.n_steps)
    error = network.net.modulator("error", case.post.shape[1])
    rule = PES(error=error, rate=rate, tau=tau)
    plastic, *start = connected(network, case, plasticity=rule)
    errors = case.rng.normal(size=(case.n_ticks, error.n))
    for tick, w in enumerate(slow_pes(case, rule, *start, errors)):
        error.value = errors[tick]
        network.net.run()
        close(case, plastic.weights, w)


@FEW
@given(case=cases(), u=st.sampled_from([0.0, 0.1, 0.5, 1.0]), tau_rec=times, tau_fac=times | st.just(0.0))
def test_short_term_plasticity(case, u, tau_rec, tau_fac):
    rule, net = ShortTerm(u=u, tau_rec=tau_rec, tau_fac=tau_fac), Network(dt=DT, n_steps=case.n_steps)
    steps, ids = np.nonzero(case.pre)
    pre = net.population(SpikeTrain(times=(steps + 0.5) * DT, ids=ids), case.pre.shape[1])
    post = net.population(Readout(tau_mem=0.010), case.post.shape[1])
    plastic = net.connect(pre, post, 0.7, layout=case.layout, delay=case.delay * DT, synapse=Delta(), short_term=rule)
    membrane = net.record(post, "v")
    net.simulate(len(case.pre) * DT)
    v, expected = np.zeros(post.n), []
    for gains in slow_gains(case, rule):
        expected.append(v)
        v = (v + 0.7 * np.bincount(plastic.pairs[1], gains[plastic.pairs[0]], post.n)) * math.exp(-DT / 0.010)
    close(case, membrane.values, np.ravel(expected))
