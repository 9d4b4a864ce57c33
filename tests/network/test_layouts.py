"""Which neurons a projection connects, and what arrives where: every layout against a plain sum over its synapses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroloop as nl
from neuroloop import (
    AllToAll,
    AllToOthers,
    Convolution,
    Delta,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    Network,
    Normal,
    OneToOne,
    Pairs,
    Readout,
    Spikes,
    Uniform,
)

ADDS_UP = Readout(tau_mem=1e30)  # forgets nothing: exp(-dt / tau_mem) is 1 exactly


def random_spikes(n_steps: int, n: int, share: float = 0.3) -> Any:
    """Who fires when, shape (n_steps, n); nobody in the last step, whose arrivals no membrane would show any more."""
    fires = np.random.default_rng(n_steps + n).random((n_steps, n)) < share
    fires[-1] = False
    return fires


def deliver(fires: Any, n_post: int, weights: Any, same: bool = False, **options: Any) -> tuple[Any, Any]:
    """What arrives at the end of each step, shape (n_steps − 1, n_post), and the projection."""
    n_steps, n_pre = fires.shape
    net = Network(n_steps=n_steps, seed=1)
    pre, post = net.input(n_pre), net.population(ADDS_UP, n_post)
    projection = net.connect(pre, post, weights, synapse=Delta(), **options)
    monitor = net.record(post, "v")
    net.run(Spikes.of(*np.nonzero(fires), n_steps))
    return np.diff(monitor.values, axis=0), projection


def matrix(projection: Any) -> Any:
    """Weights as a dense (n_pre, n_post), those of repeated pairs added up."""
    dense = np.zeros((projection.asked.pre.n, projection.asked.post.n))
    pre, post = projection.pairs
    np.add.at(dense, (pre, post), np.broadcast_to(np.ravel(projection.weights), pre.shape))
    return dense


def eighths(*shape: int) -> Any:
    """Weights whose sums are exact in float32, in whatever order they are added."""
    return np.random.default_rng(0).integers(-8, 9, shape) / 8


@pytest.mark.parametrize(
    ("n_pre", "n_post", "layout", "weights"),
    [
        (7, 5, AllToAll(), 0.25),
        (7, 5, AllToAll(), eighths(7, 5)),
        (6, 6, OneToOne(), -0.5),
        (6, 6, OneToOne(), eighths(6)),
        (6, 6, AllToOthers(), -0.375),
        (7, 5, FixedProbability(probability=0.4), 0.5),
        (7, 5, FixedOutDegree(n=3), 0.5),
        (7, 5, FixedInDegree(n=3), 0.5),
        (7, 5, Pairs(pre=[6, 0, 3, 3, 3], post=[4, 1, 2, 0, 2]), [1.0, 2.0, 3.0, 4.0, 5.0]),
        (7, 5, Pairs(pre=[], post=[]), 1.0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_arrives_is_the_sum_of_weights_over_the_synapses_of_those_who_fired(n_pre, n_post, layout, weights):
    fires = random_spikes(30, n_pre)
    arrived, projection = deliver(fires, n_post, weights, layout=layout)
    np.testing.assert_array_equal(arrived, (fires.astype(float) @ matrix(projection))[:-1])
    assert projection.network.counters.synaptic_events == fires.sum(0) @ np.bincount(
        projection.pairs[0], minlength=n_pre
    )


@pytest.mark.parametrize("layout", [AllToAll(), FixedProbability(probability=0.5)])
def test_drawn_weights_arrive_as_they_were_drawn(layout):
    fires = random_spikes(30, 20)
    arrived, projection = deliver(fires, 8, Normal(mean=0.1, sd=0.5), layout=layout)
    # the membrane holds at most 30 × 20 weights of about 0.5, each rounded to 6e-8 of it
    np.testing.assert_allclose(arrived, (fires.astype(float) @ matrix(projection))[:-1], rtol=0, atol=2e-4)


def test_all_to_others_is_all_to_all_less_the_diagonal():
    net = Network(n_steps=10)
    cells, post = net.population(nl.LIF(bias=1.5), 6, current=np.linspace(0, 3, 6)), net.population(ADDS_UP, 6)
    lateral = net.connect(cells, post, -0.5, layout=AllToOthers(), synapse=Delta())
    spikes, monitor = net.record(cells), net.record(post, "v")
    net.simulate(0.2)
    counts = np.zeros((200, 6))
    counts[spikes.steps, spikes.ids] = 1
    dense = np.full((6, 6), -0.5) - np.diag(np.full(6, -0.5))
    np.testing.assert_array_equal(np.diff(monitor.values, axis=0), (counts @ dense)[:-1])
    np.testing.assert_array_equal(matrix(lateral), dense)


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize("autapses", [False, True])
@pytest.mark.parametrize(
    "make", [lambda a: FixedOutDegree(n=12, autapses=a), lambda a: FixedInDegree(n=12, autapses=a)], ids=["out", "in"]
)
def test_fixed_degrees_are_exact_without_repeats_and_spread_evenly(make, autapses, same):
    net = Network(seed=4)
    pre = net.population(nl.LIF(), 200)
    post = pre if same else net.population(nl.LIF(), 200)
    layout = make(autapses)
    sources, targets = net.connect(pre, post, layout=layout).pairs
    fixed, free = (sources, targets) if isinstance(layout, FixedOutDegree) else (targets, sources)
    assert set(np.bincount(fixed, minlength=200)) == {12}
    assert len({*zip(sources, targets, strict=True)}) == 200 * 12
    n_self = np.count_nonzero(sources == targets)
    if same and not autapses:
        assert n_self == 0
    else:  # a pair is connected with probability 0.06; five standard errors
        assert abs(n_self - 12) < 5 * math.sqrt(12)
    counts = np.bincount(
        free, minlength=200
    )  # binomial of variance 12 × 0.94; the largest of 200 lies within five of its sd
    assert np.abs(counts - 12).max() < 5 * math.sqrt(12)
    assert counts.var() == pytest.approx(12 * 0.94, rel=5 * math.sqrt(2 / 200))


@pytest.mark.parametrize("p", [0.0, 0.003, 0.1, 0.9, 1.0])
def test_pairs_are_connected_with_the_probability_asked_for_each_at_most_once(p):
    net = Network(seed=2)
    pre, post = net.input(300), net.population(nl.LIF(), 400)
    sources, targets = net.connect(pre, post, probability=p).pairs
    spread = math.sqrt(120_000 * p * (1 - p))
    assert abs(sources.size - 120_000 * p) <= 5 * spread
    assert len({*zip(sources, targets, strict=True)}) == sources.size
    for ids, n, among in ((sources, 300, 400), (targets, 400, 300)):  # rows and columns alike
        counts = np.bincount(ids, minlength=n)
        assert np.abs(counts - among * p).max() <= 6 * math.sqrt(among * p * (1 - p))


def test_without_autapses_nobody_is_connected_to_itself():
    net = Network()
    cells = net.population(nl.LIF(), 100)
    pre, post = net.connect(cells, cells, layout=FixedProbability(probability=0.5, autapses=False)).pairs
    assert pre.size > 4000
    assert not np.any(pre == post)


def test_another_seed_draws_another_network_and_the_same_seed_the_same():
    def pairs(seed: int) -> Any:
        net = Network(seed=seed)
        return np.stack(net.connect(net.input(50), net.population(nl.LIF(), 50), probability=0.2).pairs).tolist()

    assert pairs(0) == pairs(0)
    assert pairs(0) != pairs(1)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=12))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_pairs_in_any_order_and_repeated_keep_their_weights(pairs):
    weights = np.arange(1, len(pairs) + 1) / 8
    fires = random_spikes(12, 4)
    pre, post = [p for p, _ in pairs], [q for _, q in pairs]
    arrived, projection = deliver(fires, 5, weights, layout=Pairs(pre=pre, post=post))
    assert sorted(zip(*projection.pairs, projection.weights, strict=True)) == sorted(
        zip(pre, post, weights, strict=True)
    )
    dense = np.zeros((4, 5))
    for i, j, w in zip(pre, post, weights, strict=True):
        dense[i, j] += w
    np.testing.assert_array_equal(arrived, (fires.astype(float) @ dense)[:-1])


def correlation(image: Any, kernel: Any, stride: int, padding: int) -> Any:
    """The plainest correlation there is: image (channels, height, width), kernel (filters, channels, height, width)."""
    image = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    n_filters, _, high, wide = kernel.shape
    height, width = ((size - k) // stride + 1 for size, k in zip(image.shape[1:], (high, wide), strict=True))
    out = np.zeros((n_filters, height, width))
    for f in range(n_filters):
        for y in range(height):
            for x in range(width):
                window = image[:, y * stride : y * stride + high, x * stride : x * stride + wide]
                out[f, y, x] = np.sum(window * kernel[f])
    return out


@given(data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_convolution_is_a_correlation_of_who_fired(data):
    channels, filters, stride = (data.draw(st.integers(1, 3)) for _ in range(3))
    high, wide = (data.draw(st.integers(1, 4)) for _ in range(2))
    padding = data.draw(st.integers(0, max(high, wide) - 1))
    height, width = (data.draw(st.integers(max(1, k - 2 * padding), 7)) for k in (high, wide))
    kernel = eighths(filters, channels, high, wide)
    layout = Convolution(shape=(channels, height, width), kernel=kernel, stride=stride, padding=padding)
    fires = random_spikes(4, channels * height * width, 0.5)
    arrived, _ = deliver(fires, math.prod(layout.output_shape), 2.0, layout=layout)
    for step in range(3):
        expected = 2 * correlation(fires[step].reshape(channels, height, width), kernel, stride, padding)
        assert expected.shape == layout.output_shape
        np.testing.assert_array_equal(arrived[step], expected.ravel())


@pytest.mark.parametrize(
    ("weights", "bounds"), [(Uniform(low=-0.2, high=0.6), (-1, 1)), (Normal(mean=0.2, sd=0.3), (-0.5, 0.7))]
)
def test_drawn_weights_follow_their_distribution_within_the_bounds(weights, bounds):
    net = Network(seed=3)
    w = net.connect(net.input(200), net.population(nl.LIF(), 200), weights, bounds=bounds).weights
    if isinstance(weights, Uniform):
        assert -0.2 <= w.min() < -0.199
        assert 0.599 < w.max() <= 0.6
        assert w.std() == pytest.approx(0.8 / math.sqrt(12), rel=0.02)
    else:
        assert (w.min(), w.max()) == (np.float32(-0.5), np.float32(0.7))
        assert np.median(w) == pytest.approx(
            0.2, abs=5 * 1.25 * 0.3 / 200
        )  # the median's standard error is 1.25 the mean's
    assert np.mean(w) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("weights", [Normal(sd=1.0), Normal(mean=0.5, sd=0.1)])
def test_drawn_weights_keep_to_the_sign_of_their_neurons(weights):
    net = Network()
    pre, post = net.input(30), net.population(nl.LIF(), 30)
    assert net.connect(pre, post, weights, sign="excitatory", name="up").weights.min() >= 0
    inhibitory = Network()
    pre, post = inhibitory.input(30), inhibitory.population(nl.LIF(), 30)
    assert inhibitory.connect(pre, post, weights, sign="inhibitory").weights.max() == 0


@pytest.mark.parametrize("weights", [-0.1, Uniform(low=-1, high=0.5), [[0.5] * 30] * 29 + [[-1e-9] * 30]])
def test_given_weights_of_the_wrong_sign_are_refused(weights):
    net = Network()
    with pytest.raises(nl.ConfigError, match=r"^up\.weights: must lie within 0 and inf, got -"):
        net.connect(net.input(30), net.population(nl.LIF(), 30), weights, sign="excitatory", name="up")


def test_a_million_synapses_are_drawn_and_all_of_them_deliver():
    net = Network(n_steps=2)
    pre, post = net.input(2000), net.population(ADDS_UP, 2000)
    net.connect(pre, post, 0.5, layout=FixedOutDegree(n=500), synapse=Delta())
    net.run(Spikes.of(np.zeros(2000, int), np.arange(2000), 2))
    assert net.counters.synaptic_events == 1_000_000
    assert post["v"].sum(dtype=float) == 500_000
