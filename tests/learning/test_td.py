"""The TD learner against plain Python, and what a change of its value range must leave alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.graph import Mode
from neuroloop.learning.td import Td
from neuroloop.network.decision.dense import Dense
from neuroloop.network.decision.from_cells import FromCells
from neuroloop.network.decision.lif import Population, spikes_of

SPACES = spaces.Box(-1.0, 1.0, (2,)), spaces.Discrete(3)
LEARNER = {"gamma": 0.9, "range_leak": 0.01, "error_rate": 0.05, "error_clip": 1.5, "error_floor": 0.1}
COUNTS = [spikes_of(drive, 20.0, 1.0, 20.0) for drive in (2.5, 8.0)]


class Plain:
    """The learner as one would write it in Python, for one critic of `n` neurons with weights of at most `most_weight`."""

    def __init__(self, value_range, error="normalised", most_weight=6.0):
        self.automatic, self.error, self.most_weight = value_range == "automatic", error, most_weight
        self.low, self.high = (0.0, 0.0) if self.automatic else value_range
        self.awake, self.unit, self.scale = not self.automatic, (self.high - self.low) / 5.5, 1.0
        self.discounted, self.seen, self.rms2, self.value, self.delta = 0.0, [], 0.0, 0.0, 0.0
        self.need_low = self.need_high = self.at_rest = self.start = 0.0
        self.for_critic = self.for_others = 0.0

    def step(self, mode, count, reward, first, ended):
        """A control step in which the critic fired `count` spikes a neuron."""
        if mode is Mode.CLOSE:
            self.for_critic = self.for_others = 0.0
            return
        self.discounted = 0.0 if first else 0.9 * self.discounted + reward
        if not first:
            self.seen.append(self.discounted)
        if mode in Mode.ACT | Mode.TERMINATE:
            if self.automatic:
                self.fit_range()
            fraction = (count - COUNTS[0]) / (COUNTS[1] - COUNTS[0])
            self.teach(0.0 if ended else self.low + (self.high - self.low) * fraction, reward, first)

    def fit_range(self):
        most, least = max(self.seen), min(self.seen)
        if not self.awake:
            self.at_rest, self.need_low, self.need_high = most, least, most
        self.need_high = max(self.need_high, most)
        need_low, need_high = min(self.need_low, self.at_rest), max(self.need_high, self.at_rest)
        span = max(need_high - need_low, 1e-3 * max(abs(most), abs(least)) + 1e-9)
        low, high = self.low, self.high
        if not self.awake or 1.3 * span < 0.7 * (high - low):
            low, high = need_low - 0.15 * span, need_high + 0.15 * span
        else:
            low = need_low - 0.15 * span if need_low < low else low
            high = need_high + 0.15 * span if need_high > high else high
        if (low, high) != (self.low, self.high):
            unit = (high - low) / 5.5
            self.scale *= self.unit / unit if self.awake else 1.0
            self.low, self.high, self.unit = low, high, unit
        self.start = float(np.clip((most - self.at_rest) / self.unit, -self.most_weight, self.most_weight))

    def teach(self, value, reward, first):
        self.for_critic = self.for_others = 0.0
        if not first or not self.awake:
            target = reward + 0.9 * value
            self.delta = target - self.value
            self.need_low = min(self.need_low + 0.01 * (self.value - self.need_low), target)
            self.need_high = max(self.need_high + 0.01 * (self.value - self.need_high), target)
            self.rms2 += 0.05 * (self.delta**2 - self.rms2) if self.rms2 > 0 else self.delta**2
            self.for_critic = self.delta / (self.unit * self.scale)
            self.for_others = self.delta
            if self.error == "normalised":
                size = math.sqrt(self.rms2) + 0.1 * (np.std(self.seen) + 1e-6 if self.seen else 1e-6)
                self.for_others = float(np.clip(self.delta / size, -1.5, 1.5))
        self.value, self.awake = value, True

    def signals(self):
        return {
            "return": self.discounted, "return.count": len(self.seen), "value.low": self.low, "value.high": self.high,
            "value.need_low": self.need_low, "value.need_high": self.need_high, "value.at_rest": self.at_rest,
            "value.unit": self.unit, "value.scale": self.scale, "value.start": self.start, "value": self.value,
            "td_error": self.delta, "td_error.mean_square": self.rms2, "awake": float(self.awake),
            "modulator.critic": self.for_critic, "modulator.others": self.for_others,
        }  # fmt: skip


@pytest.fixture
def make(open_controller, small_agent):
    def make(value_range, error="normalised", warm_up=15, **projection):
        agent = small_agent(
            learner={**LEARNER, "value_range": value_range, "error": error},
            projection={"value": projection},
            warm_up={"decisions": warm_up if value_range == "automatic" else 0},
        )
        return open_controller(agent, *SPACES, seed=2)

    return make


def follow(controller, plain):
    """Let a plain learner follow every control step of a controller."""
    network, run = controller.network, controller.network.run
    counts = network.view("population.critic.counts")

    def run_and_follow(mode, *, reward=0.0, first=False, ended=False, fresh=False):
        run(mode, reward=reward, first=first, ended=ended, fresh=fresh)
        plain.step(mode, counts.mean(), reward, first, ended)
        for name, expected in plain.signals().items():
            # both count in float64; the running mean and variance differ in the order of adding
            assert network.signal(name) == pytest.approx(expected, rel=1e-9, abs=1e-12), name

    network.run = run_and_follow


def live(controller, n_ticks, seed=5, scale=1.0):
    """Random observations, rewards and ends, whose size drifts so that ranges widen and narrow."""
    rng, first = np.random.default_rng(seed), True
    for n in range(n_ticks):
        reward = scale * rng.normal(0.2, 0.2 + 2.0 * (n % 100 > 50))
        controller.act(rng.uniform(-1, 1, 2).astype(np.float32), reward, first=first)
        first = rng.random() < 0.1
        if first:
            controller.finish(rng.uniform(-1, 1, 2).astype(np.float32), reward, terminated=bool(rng.random() < 0.5))


@pytest.mark.parametrize("error", ["normalised", "raw"])
@pytest.mark.parametrize("value_range", ["automatic", (-3.0, 2.0)])
def test_every_signal_equals_plain_python_at_every_control_step(make, value_range, error):
    controller, _ = make(value_range, error)
    follow(controller, Plain(value_range, error))
    live(controller, 400)
    network = controller.network
    if value_range == "automatic":
        assert network.signal("value.scale") != 1.0
    assert network.signal("td_error.mean_square") > 0.0


def test_nothing_is_learned_from_the_rewards_of_the_warm_up(make):
    controller, _ = make("automatic", warm_up=15)
    rng = np.random.default_rng(0)
    for tick in range(16):
        controller.act(rng.uniform(-1, 1, 2), 1.0, first=tick in (0, 8))
    assert controller.network.signal("awake") == 0.0
    assert controller.network.n_rows == 0
    controller.act(rng.uniform(-1, 1, 2), 1.0, first=False)
    assert controller.network.signal("awake") == 1.0
    assert controller.network.n_rows > 0


def test_the_warm_up_waits_for_a_whole_episode_but_not_for_ever(make):
    def decisions_until_awake(ends_at):
        controller, _ = make("automatic", warm_up=15)
        rng, first = np.random.default_rng(0), True
        for tick in range(1, 200):
            controller.act(rng.uniform(-1, 1, 2), 1.0, first=first)
            if controller.network.signal("awake"):
                return tick
            first = tick == ends_at
            if first:
                controller.finish(rng.uniform(-1, 1, 2), 1.0, terminated=True)
        return None

    assert decisions_until_awake(ends_at=10) == 16, "an episode ended in time"
    assert decisions_until_awake(ends_at=40) == 41, "it waits for the first one"
    assert decisions_until_awake(ends_at=1000) == 61, "but no longer than four times the warm-up"


@pytest.mark.parametrize("value_range", ["automatic", (-30.0, 20.0)])
def test_termination_bootstraps_nothing(make, value_range):
    controller, _ = make(value_range)
    live(controller, 100)
    controller.act(np.zeros(2), 0.0, first=True)
    before = controller.network.signal("value")
    controller.finish(np.ones(2), 0.7, terminated=True)
    assert controller.network.signal("td_error") == pytest.approx(0.7 - before)


@pytest.mark.parametrize("value_range", ["automatic", (-30.0, 20.0)])
def test_truncation_bootstraps_the_value_of_what_was_seen_last(make, value_range):
    controller, _ = make(value_range)
    live(controller, 100)
    controller.act(np.zeros(2), 0.0, first=True)
    before, network = controller.network.signal("value"), controller.network
    controller.finish(np.ones(2), 0.7, terminated=False)
    count = network.view("population.critic.counts").mean()  # of the control step that saw np.ones
    low, high = network.signal("value.low"), network.signal("value.high")
    after = low + (high - low) * (count - COUNTS[0]) / (COUNTS[1] - COUNTS[0])
    assert network.signal("value") == pytest.approx(after)
    assert network.signal("td_error") == pytest.approx(0.7 + 0.9 * after - before)
    assert network.signal("modulator.critic") == network.signal("modulator.others") == 0.0  # closed


def test_the_first_control_step_of_an_episode_has_no_error(make):
    controller, _ = make((-3.0, 2.0))
    live(controller, 50)
    controller.finish(np.zeros(2), 1.0, terminated=True)
    error = controller.network.signal("td_error")
    controller.act(np.zeros(2), 123.0, first=True)
    assert controller.network.signal("modulator.critic") == controller.network.signal("modulator.others") == 0.0
    assert controller.network.signal("td_error") == error


def predicted_value(controller, graph):
    """V as weights and bias alone predict it in the steady state: low + (drive − 2.5) × unit."""
    (row,) = graph.rows_of(Td)
    critic = graph.rows_of(Population)[0]
    drive = (graph.array("f4", row.bias, row.n) - graph.array("f4", row.spread, row.n)).mean(dtype=float)
    drive += graph.array("f4", critic.expected, row.n).mean(dtype=float)
    return controller.network.signal("value.low") + (drive - 2.5) * controller.network.signal("value.unit")


@pytest.mark.parametrize(("name", "value"), [("need_high", 60.0), ("need_low", -60.0), ("both", 0.3)])
def test_a_new_range_keeps_the_value_of_every_drive(make, name, value):
    frozen = {"gain": 0.0}  # so that nothing but the range changes
    controller, graph = make("automatic", warm_up=200, plasticity=frozen, weights_spread=0.8)
    network, f8 = controller.network, graph._pools["f8"]
    signal = {key: graph.place(symbol) for key, symbol in graph._signals.items()}
    live(controller, 230)
    controller.act(np.array([0.3, -0.4]), 0.0, first=True)
    before, scale, old = predicted_value(controller, graph), network.signal("value.scale"), network.signal("value")
    if name == "both":  # the range in use becomes far too wide, as if needs had leaked away
        middle = 0.5 * (network.signal("value.low") + network.signal("value.high"))
        f8[signal["value.need_low"]], f8[signal["value.need_high"]] = middle - value, middle + value
        f8[signal["return.most"]] = middle
    else:
        f8[signal[f"value.{name}"]] = value
    controller.act(np.array([0.3, -0.4]), 0.0, first=True)
    assert (network.signal("value.scale") > scale) == (name == "both")
    assert abs(network.signal("value.scale") / scale - 1) > 0.1
    # weights and biases are float32, and a drive of 8 stands for the whole range
    width = network.signal("value.high") - network.signal("value.low")
    assert predicted_value(controller, graph) == pytest.approx(before, abs=1e-5 * width)
    if name == "both":
        return
    # what is read from spikes follows as well as the f-I curve is linear: within 10 % of the range
    assert network.signal("value") == pytest.approx(old, abs=0.1 * width)


def test_a_critic_without_input_says_the_value_at_rest(make):
    controller, graph = make("automatic")
    live(controller, 300)
    (row,) = graph.rows_of(Td)
    bias = (graph.array("f4", row.bias, row.n) - graph.array("f4", row.spread, row.n)).mean(dtype=float)
    network = controller.network
    value = network.signal("value.low") + (bias - 2.5) * network.signal("value.unit")
    assert value == pytest.approx(network.signal("value.at_rest"), abs=1e-5 * (network.signal("value.high") + 1))


def test_the_range_never_leaves_out_the_value_at_rest(make):
    controller, _ = make("automatic")
    network = controller.network
    live(controller, 50)
    for f8, name in ((1e3, "value.need_low"), (1e3 + 1, "value.need_high"), (1e3 + 1, "return.most")):
        network.pools["f8"][network.place(name)] = f8  # as if all values were far above it by now
    controller.act(np.zeros(2), 1e3, first=False)
    assert network.signal("value.low") < network.signal("value.at_rest") < 10.0
    assert network.signal("value.high") > 1e3


def test_a_fixed_range_has_value_zero_at_rest(make):
    _, graph = make((-3.0, 2.0))
    (row,) = graph.rows_of(Td)
    assert np.mean(graph.array("f4", row.bias, row.n)) == pytest.approx(2.5 + 3.0 / 5.0 * 5.5, rel=1e-6)


@pytest.mark.parametrize(("form", "kind"), [("conjunctive", FromCells), ("gaussian", Dense)])
def test_weights_onto_a_critic_with_a_fixed_range_start_as_configured(open_controller, small_agent, form, kind):
    agent = small_agent(
        encoder={"kind": form}, projection={"value": {"weights": 0.7, "plasticity": {"gain": 0.0}}}
    )  # fmt: skip
    controller, graph = open_controller(agent, *SPACES, seed=0)
    controller.act(np.zeros(2), 0.0, first=True)
    weights = graph.array("f4", graph.rows_of(kind)[0].weights, 6, 20)  # six cells have fired
    np.testing.assert_allclose(weights, 0.7, rtol=1e-6)


def test_a_warm_up_is_kept_with_a_fixed_range_too(open_controller, small_agent):
    learner = {**LEARNER, "value_range": [-3.0, 2.0]}
    controller, _ = open_controller(small_agent(learner=learner, warm_up={"decisions": 15}), *SPACES, seed=2)
    for tick in range(16):
        controller.act(np.zeros(2), 1.0, first=tick in (0, 8))
        assert controller.network.signal("awake") == 0.0
    controller.act(np.zeros(2), 1.0, first=False)
    assert controller.network.signal("awake") == 1.0
