"""Spikes on their way into a network and out of it, and everything that is refused on the way."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from neuroloop import LIF, BadInput, Delta, Network, OneToOne, Readout, Spikes

ADDS_UP = Readout(tau_mem=1e30)  # forgets nothing: exp(-dt / tau_mem) is 1 exactly


def relay(n: int = 3, n_steps: int = 4, **options: object) -> Network:
    """Input that makes as many neurons fire a step later."""
    net = Network(n_steps=n_steps)
    net.connect(
        net.input(n, "eyes"), net.population(LIF(), n, "cells"), 2.0, layout=OneToOne(), synapse=Delta(), **options
    )
    return net


def test_the_last_population_is_the_output_unless_another_is_chosen():
    def output(chosen: str | None) -> list[int]:
        net = relay()
        net.population(LIF(bias=50.0), 1, "noisy")
        net.population(Readout(), 1)
        if chosen:
            net.output(net.populations[chosen])
        return net.run(Spikes.of([0], [2], 4)).ids[:2].tolist()

    assert output(None) == [0, 0]
    assert output("cells") == [2, 0]
    assert output("eyes") == [2, 0]


def test_a_network_that_never_fires_returns_silence():
    net = Network(n_steps=3)
    net.population(Readout(), 2)
    assert net.run().n == 0


def test_spikes_that_are_returned_are_views_that_the_next_run_overwrites():
    net = relay()
    first = net.run(Spikes.of([0, 1], [2, 0], 4))
    kept = (first.ids.copy(), first.offsets.copy())
    assert [first.at(k).tolist() for k in range(4)] == [[], [2], [0], []]
    second = net.run(Spikes.of([2], [1], 4))
    assert first.ids is second.ids
    assert [first.at(k).tolist() for k in range(4)] == [[], [], [], [1]]
    assert kept[0][:2].tolist() == [2, 0]
    assert kept[1].tolist() == [0, 0, 1, 2, 2]


def test_several_inputs_are_handed_over_by_name_and_those_left_out_are_silent():
    net = Network(n_steps=2)
    left, right = net.input(2, "left"), net.input(3, "right")
    post = net.population(ADDS_UP, 1)
    net.connect(left, post, 1.0, synapse=Delta())
    net.connect(right, post, 10.0, synapse=Delta())
    net.run({"left": Spikes.of([0], [1], 2), "right": Spikes.of([0, 0], [0, 2], 2)})
    assert post["v"].tolist() == [21.0]
    net.run({"right": Spikes.of([0], [0], 2)})
    assert post["v"].tolist() == [31.0]
    for _ in range(20):
        net.run()  # nothing from before comes back
        net.run({})
    net.simulate(0.1)
    assert post["v"].tolist() == [31.0]
    with pytest.raises(BadInput, match="run: needs a dictionary of Spikes by input: left, right"):
        net.run(Spikes.of([0], [1], 2))
    with pytest.raises(BadInput, match=r"^right: ids must be from 0 to 2"):
        net.run({"left": Spikes.of([0], [1], 2), "right": Spikes.of([0], [3], 2)})


def test_one_input_may_be_handed_over_by_name_as_well():
    assert relay().run({"eyes": Spikes.of([0], [1], 4)}).n == 1
    assert relay().run({}).n == 0


def test_arrays_of_other_kinds_are_taken_for_what_they_hold():
    ids, offsets = np.array([2, 0]), np.array([0, 1, 2, 2, 2])
    frozen = ids.astype(np.int32)
    frozen.flags.writeable = False
    for kind in (
        Spikes(ids.astype(np.int64), offsets.astype(np.uint8)),
        Spikes(np.repeat(ids, 2).astype(np.int32)[::2], offsets.astype(np.int32)),
        Spikes(ids.tolist(), offsets.tolist()),
        Spikes(frozen, offsets.astype(">i4")),
    ):
        assert relay().run(kind).ids[:2].tolist() == [2, 0]


def test_spikes_are_sorted_by_step_and_neuron():
    spikes = Spikes.of(steps=[2, 0, 2, 0], ids=[1, 7, 0, 3], n_steps=4)
    assert [spikes.at(k).tolist() for k in range(4)] == [[3, 7], [], [0, 1], []]
    assert spikes.n == 4
    assert Spikes.of([], [], 3).n == Spikes.none(3).n == 0


@pytest.mark.parametrize(
    ("steps", "ids", "n_steps", "says"),
    [
        ([4], [0], 4, "steps must be from 0 to 3, got 4 to 4"),
        ([-1, 2], [0, 0], 4, "steps must be from 0 to 3, got -1 to 2"),
        ([0], [-1], 4, "ids must be from 0 to"),
        ([0], [2**31], 4, "ids must be from 0 to"),
        ([0], [2**70], 4, "ids must be a list of whole numbers, got object"),
        ([0, 1], [0], 4, "steps and ids must be of one length, got 2 and 1"),
        ([0, 0], [5, 5], 4, "neuron 5 fires twice in step 0"),
        ([0.5], [0], 4, "steps must be a list of whole numbers, got float64"),
        ([0], [np.nan], 4, "ids must be a list of whole numbers, got float64"),
        (["0"], [0], 4, "steps must be a list of whole numbers, got <U1"),
        ([True], [0], 4, "steps must be a list of whole numbers, got bool"),
        (0, 0, 4, "steps must be a list of whole numbers, got int64 of shape []"),
        (None, [0], 4, "steps must be a list of whole numbers, got object"),
        ([[0]], [[0]], 4, "steps must be a list of whole numbers, got int64 of shape [1, 1]"),
        ([[0], [0, 1]], [0], 4, "steps must be a list of whole numbers"),
        ([0], [0], 0, "n_steps must be a whole number"),
        ([0], [0], 1.0, "n_steps must be a whole number"),
        ([0], [0], None, "n_steps must be a whole number"),
        ([0], [0], True, "n_steps must be a whole number"),
    ],
)
def test_spikes_that_cannot_be_are_refused_where_they_are_made(steps, ids, n_steps, says):
    with pytest.raises(BadInput) as refused:
        Spikes.of(steps, ids, n_steps)
    assert str(refused.value).startswith("Spikes: " + says)


@pytest.mark.parametrize(
    ("ids", "offsets", "says"),
    [
        ([3], [0, 1, 1, 1, 1], "eyes: ids must be from 0 to 2"),
        ([-1], [0, 1, 1, 1, 1], "eyes: ids must be from 0 to 2"),
        ([-(2**31)], [0, 1, 1, 1, 1], "eyes: ids must be from 0 to 2"),
        ([2**31 - 1], [0, 1, 1, 1, 1], "eyes: ids must be from 0 to 2"),
        ([2**40], [0, 1, 1, 1, 1], "run: ids are out of range"),
        ([2, 1], [0, 2, 2, 2, 2], "eyes: ids must rise within a step"),
        ([1, 1], [0, 2, 2, 2, 2], "eyes: ids must rise within a step"),
        ([1, 2], [0, 3, 3, 3, 3], "eyes: offsets must be 5 rising numbers"),
        ([1, 2], [1, 2, 2, 2, 2], "eyes: offsets must be 5 rising numbers"),
        ([1, 2], [0, 2, 1, 2, 2], "eyes: offsets must be 5 rising numbers"),
        ([1, 2], [0, -1, 2, 2, 2], "eyes: offsets must be 5 rising numbers"),
        ([1, 2], [0, 1, 2], "eyes: offsets must be 5 rising numbers"),
        ([1, 2], [0, 1, 2, 2, 2, 2], "eyes: offsets must be 5 rising numbers"),
        ([1], [], "eyes: offsets must be 5 rising numbers"),
        ([], [0, 0, 0, 0, -1], "eyes: offsets must be 5 rising numbers"),
        ([1.0], [0, 1, 1, 1, 1], "run: ids must be whole numbers in one dimension, got float64"),
        ([np.nan], [0, 1, 1, 1, 1], "run: ids must be whole numbers in one dimension, got float64"),
        (["1"], [0, 1, 1, 1, 1], "run: ids must be whole numbers in one dimension"),
        ([[1]], [0, 1, 1, 1, 1], "run: ids must be whole numbers in one dimension"),
        ([[1], [1, 2]], [0, 1, 1, 1, 1], "run: ids and offsets must be whole numbers in one dimension"),
        (None, [0, 1, 1, 1, 1], "run: ids must be whole numbers in one dimension"),
        ([1], 1, "run: offsets must be whole numbers in one dimension"),
        ([1], [0, 1, 1, 1, 1.5], "run: offsets must be whole numbers in one dimension"),
        ([1], [[0, 1, 1, 1, 1]], "run: offsets must be whole numbers in one dimension"),
    ],
)
@pytest.mark.parametrize("as_int32", [False, True])
def test_spikes_that_cannot_be_are_refused_by_run_and_nothing_moves(ids, offsets, says, as_int32):
    net = relay()
    net.run()
    before = net.state()
    spikes = Spikes(ids, offsets)
    with contextlib.suppress(ValueError):  # of lists that are no arrays
        if as_int32 and all(np.asarray(a).dtype == np.int64 and np.max(a, initial=0) < 2**31 for a in spikes):
            spikes = Spikes(*(np.asarray(a, np.int32) for a in spikes))
    with pytest.raises(BadInput) as refused:
        net.run(spikes)
    assert str(refused.value).startswith(says)
    for name, array in net.state().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    "spikes", [5, "spikes", [0, 1], np.zeros(4), {"eyes": [0]}, {"eyes": None}, {3: Spikes.none(4)}]
)
def test_what_are_no_spikes_at_all_is_refused(spikes):
    with pytest.raises(BadInput, match=r"^(run|eyes): (needs Spikes|unknown input)"):
        relay().run(spikes)


def test_a_network_without_input_takes_no_spikes():
    net = Network()
    net.population(LIF(), 2)
    assert net.run(Spikes.none(1)).n == 0
    with pytest.raises(BadInput, match="run: the network has no input"):
        net.run(Spikes.of([0], [0], 1))


@pytest.mark.parametrize("reward", [np.nan, np.inf, -np.inf, "1", None, [1.0, 2.0], 1j, True + 1j, object()])
def test_rewards_are_finite_numbers(reward):
    with pytest.raises(BadInput, match=r"^reward: must be "):
        relay().run(reward=reward)
