"""Copies side by side: each does, bit for bit, what the network alone would do."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from neuroloop import (
    LIF,
    RSTDP,
    BadInput,
    ConfigError,
    Delta,
    DivergedError,
    Network,
    Pairs,
    Poisson,
    Spikes,
    Uniform,
)

N_STEPS, N_IN = 5, 12


def network(seed: int = 3) -> Network:
    """Input and noise onto cells that learn by reward, with delays in flight."""
    net = Network(seed=seed, n_steps=N_STEPS)
    eyes, noise = net.input(N_IN, "eyes"), net.population(Poisson(rate=50.0), 10, "noise")
    cells = net.population(LIF(), 6, "cells")
    learns = {"plasticity": RSTDP(rate=0.05), "bounds": (0.0, 1.0), "synapse": Delta()}
    net.connect(eyes, cells, Uniform(low=0.2, high=0.8), name="wire", **learns)
    net.connect(noise, cells, 0.4, probability=0.5, delay=3e-3, synapse=Delta())
    net.connect(
        noise, cells, 0.3, layout=Pairs(pre=[0, 1, 2], post=[0, 1, 2]), delay=[0.0, 0.01, 0.02], synapse=Delta()
    )
    return net


def given(tick: int, copy: int) -> tuple[Spikes | None, float]:
    """Input and reward of a copy at a control step."""
    rng = np.random.default_rng([tick, copy])
    fires = rng.random((N_STEPS, N_IN)) < 0.15
    return (Spikes.of(*np.nonzero(fires), N_STEPS) if tick % 7 else None), rng.normal()


def heard(out: Spikes) -> Any:
    return out.ids[: out.n].tolist(), out.offsets.tolist()


@pytest.mark.parametrize("n", [1, 2, 7])
def test_a_copy_does_what_the_network_alone_would_do(n):
    alone = []
    for b in range(n):
        net = network()
        net.run(*given(0, 99))
        alone.append([heard(net.run(*given(tick, b))) for tick in range(1, 41)])
        weights, v = net.projections["wire"].weights, net.populations["cells"]["v"]
        alone[-1].append((weights.tolist(), v.tolist()))
    net = network()
    net.run(*given(0, 99))  # a batch takes the network as it stands
    batch = net.batch(n)
    together: list[list[Any]] = [[] for _ in range(n)]
    for tick in range(1, 41):
        spikes, rewards = zip(*(given(tick, b) for b in range(n)), strict=True)
        for b, out in enumerate(batch.run(spikes, rewards)):
            together[b].append(heard(out))
    weights, v = batch.view(net.projections["wire"], "weights"), batch.view(net.populations["cells"], "v")
    for b in range(n):
        together[b].append((weights[b].tolist(), v[b].tolist()))
    assert together == alone
    assert sum(len(ids) for ids, _ in alone[0][:-1]) > 20


def test_nothing_of_a_copys_state_differs_from_the_networks_not_even_counters():
    net, copied = network(), network()
    net.run(*given(0, 99))
    copied.run(*given(0, 99))
    batch = copied.batch(2)
    for tick in range(1, 11):
        spikes, reward = given(tick, 0)
        net.run(spikes, reward)
        batch.run([spikes, None], [reward, 0.0])
    pools = net.build().engine.pools
    assert {name for name, pool in pools.items() if pool.tobytes() != batch._pools[name][0].tobytes()} == set()


def test_seeds_give_each_copy_its_own_noise():
    def run(seeds: list[int] | None) -> list[Any]:
        batch = network().batch(3, seeds)
        out = [[heard(one) for one in batch.run([None] * 3)] for _ in range(60)]
        return [[tick[b] for tick in out] for b in range(3)]

    a, b, c = run([3, 4, 3])
    assert a == c
    assert a != b
    assert a == run(None)[0]  # the seed of the network
    assert run([3, 4, 3]) == [a, b, c]


def test_weights_of_copies_are_live_views_apart_from_each_other_and_the_network():
    net = network()
    batch = net.batch(2)
    weights = batch.view(net.projections["wire"], "weights")
    before = net.projections["wire"].weights.copy()
    assert weights.shape == (2, N_IN, 6)
    weights[0], weights[1] = 0.0, 1.0
    loud = Spikes.of(np.zeros(N_IN, int), np.arange(N_IN), N_STEPS)
    silent, fires = (out.n for out in batch.run([loud, loud]))
    assert silent < fires >= 6
    np.testing.assert_array_equal(net.projections["wire"].weights, before)
    assert net.time == 0.0


def test_a_bad_input_names_the_copy_and_leaves_it_where_it_was():
    net = network()
    batch = net.batch(3)
    good = Spikes.of([0], [1], N_STEPS)
    offsets = np.array([0, 1, 1, 1, 1, 1], np.int32)
    cases = [
        (Spikes(np.array([N_IN], np.int32), offsets), "copy 1: eyes: ids must be from 0 to 11"),
        (Spikes(np.array([2, 1], np.int32), 2 * offsets), "copy 1: eyes: ids must rise within a step"),
        (Spikes(np.array([1], np.int32), 2 * offsets), "copy 1: offsets must be 6 rising numbers"),
        (Spikes(np.array([1], np.int32), offsets[:-1]), "copy 1: offsets must be 6 rising numbers"),
        (Spikes(np.array([1, 2], np.int32), offsets[::-1]), "copy 1: eyes: offsets must be 6 rising numbers"),
        (Spikes(np.array([1.5]), offsets), "copy 1: ids must be whole numbers"),
        (Spikes(["1"], offsets), "copy 1: ids must be whole numbers"),
        ([0, 1], "copy 1: needs Spikes, got list"),
        ("spikes", "copy 1: needs Spikes, got str"),
    ]
    v = batch.view(net.populations["cells"], "v")[1].copy()
    for bad, says in cases:
        with pytest.raises(BadInput) as refused:
            batch.run([good, bad, None])
        assert str(refused.value).startswith(says)
    np.testing.assert_array_equal(batch.view(net.populations["cells"], "v")[1], v)


@pytest.mark.parametrize("spikes", [None, 5, [None], [None] * 4, Spikes.none(N_STEPS), {0: None, 1: None, 2: None}])
def test_a_batch_takes_a_list_of_spikes_one_for_each_copy(spikes):
    with pytest.raises(BadInput, match=r"^run: needs a list of Spikes, one for each of 3 copies"):
        network().batch(3).run(spikes)


@pytest.mark.parametrize("rewards", [np.nan, [0, 0, np.inf], [0, 0], [[0, 0, 0]], "1", None, True, object()])
def test_rewards_are_finite_one_or_one_for_each_copy(rewards):
    with pytest.raises(BadInput, match=r"^rewards: must be "):
        network().batch(3).run([None] * 3, rewards)


@pytest.mark.parametrize("n", [0, -1, 1.0, "2", None, True])
def test_the_number_of_copies_is_a_whole_number(n):
    with pytest.raises(ConfigError, match=r"^batch: must be a whole number"):
        network().batch(n)


@pytest.mark.parametrize(
    "seeds", [[1], [1, 2, 3], [1, -1], [1, 2.0], ["1", "2"], [None, 1], 5, "12", [1, 2**53], [True, 1]]
)
def test_seeds_are_whole_numbers_one_for_each_copy(seeds):
    with pytest.raises(BadInput, match=r"^seeds(\[\d\])?: must be "):
        network().batch(2, seeds)


def test_a_copy_that_diverges_is_named_with_its_part_and_can_be_put_right():
    net = network()
    batch = net.batch(3)
    v = batch.view(net.populations["cells"], "v")
    v[2, 4] = -np.inf
    with pytest.raises(DivergedError, match=r"^copy 2: cells: v of neuron 4 is no longer finite"):
        batch.run([None] * 3)
    v[2, 4] = 0.0
    batch.run([None] * 3)


def test_what_a_batch_cannot_do_is_said_at_once():
    recorded = network()
    recorded.record(recorded.populations["cells"])
    with pytest.raises(BadInput, match="batch: copies are not recorded"):
        recorded.batch(2)
    two = Network()
    two.input(1, "left"), two.input(1, "right")
    with pytest.raises(BadInput, match="batch: needs a network with at most one input, got left, right"):
        two.batch(2)
    net = network()
    batch = net.batch(2)
    with pytest.raises(BadInput, match="cells: unknown array 'vv'"):
        batch.view(net.populations["cells"], "vv")
    with pytest.raises(TypeError, match="a batch cannot be pickled"):
        pickle.dumps(batch)
