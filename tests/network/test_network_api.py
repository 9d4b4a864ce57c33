"""What a network is asked and what it answers: names, inputs, outputs, running, counting."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from neuroloop import (
    LIF,
    RSTDP,
    STDP,
    BadInput,
    ConfigError,
    Delta,
    Network,
    NeuroloopError,
    OneToOne,
    Pairs,
    Poisson,
    Readout,
    Spikes,
)

ADDS_UP = Readout(tau_mem=1e30)  # forgets nothing: exp(-dt / tau_mem) is 1 exactly


def relay(n: int = 3, n_steps: int = 4, **options: object) -> Network:
    """Input that makes as many neurons fire a step later."""
    net = Network(n_steps=n_steps)
    net.connect(
        net.input(n, "eyes"), net.population(LIF(), n, "cells"), 2.0, layout=OneToOne(), synapse=Delta(), **options
    )
    return net


# -- names


def test_parts_without_a_name_are_called_after_what_they_are():
    net = Network()
    parts = [net.input(2), net.input(2), net.population(LIF(), 2), net.population(LIF(), 2)]
    assert [part.name for part in parts] == ["input", "input_1", "lif", "lif_1"]
    assert [net.connect(parts[0], parts[2]).name for _ in range(2)] == ["input_lif", "input_lif_1"]


@pytest.mark.parametrize("name", ["", "two words", "3rd", "a.b", 5, b"x"])
def test_names_are_identifiers(name):
    with pytest.raises(ConfigError, match=r"^name: must be an identifier, got "):
        Network().input(2, name)


def test_no_two_parts_share_a_name():
    net = Network()
    a, b = net.input(2, "a"), net.population(LIF(), 2, "b")
    for again in (lambda: net.input(2, "b"), lambda: net.connect(a, b, name="a"), lambda: net.modulator("b")):
        with pytest.raises(ConfigError, match=r"^name: '[ab]' is taken"):
            again()


@pytest.mark.parametrize("unknown", ["vv", "weights", "", 3, None])
def test_an_unknown_variable_is_named_with_what_is_known(unknown):
    net = Network()
    cells = net.population(LIF(), 2, "cells")
    with pytest.raises(BadInput, match=rf"^cells: unknown array '{unknown}': (did you mean 'v'|known: .*v_reset)"):
        cells[unknown]


def test_an_unknown_input_is_named_with_the_closest_match():
    net = relay()
    with pytest.raises(BadInput, match=r"^run: unknown input 'eye': did you mean 'eyes'\?"):
        net.run({"eye": Spikes.none(4)})


# -- building


@pytest.mark.parametrize(
    "add",
    [
        lambda net, cells: net.input(2),
        lambda net, cells: net.population(LIF(), 2),
        lambda net, cells: net.connect(cells, cells),
        lambda net, cells: net.modulator("m"),
        lambda net, cells: net.record(cells),
        lambda net, cells: net.output(cells),
        lambda net, cells: net.adjust(None, cells),
    ],
)
@pytest.mark.parametrize("looked", [lambda net: net.run(), lambda net: net.state(), lambda net: net.time])
def test_nothing_is_added_to_a_network_that_has_run(add, looked):
    net = relay()
    looked(net)
    with pytest.raises(NeuroloopError, match="can no longer be added to"):
        add(net, net.populations["cells"])


def test_an_empty_network_says_so():
    with pytest.raises(NeuroloopError, match="the network is empty: add a population"):
        Network().run()


def test_parts_of_another_network_are_refused():
    mine, other = Network(), relay()
    a, cells = mine.input(2), other.populations["cells"]
    for use in (
        lambda: mine.connect(a, cells),
        lambda: mine.connect(cells, a),
        lambda: mine.record(cells),
        lambda: mine.output(cells),
    ):
        with pytest.raises(ConfigError, match="of this network, got Population"):
            use()


def test_a_network_is_neither_copied_nor_pickled():
    net = relay()
    net.run()
    for attempt in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="network cannot be"):
            attempt(net)


# -- spikes in and out


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


# -- running


def test_simulate_is_run_again_and_again():
    def network() -> Network:
        net = Network(seed=3, n_steps=5)
        noise, cells = net.population(Poisson(rate=200.0), 20, "noise"), net.population(LIF(), 10, "cells")
        net.connect(noise, cells, 0.4, synapse=Delta(), plasticity=STDP(), bounds=(0.0, 1.0), delay=2e-3, name="wire")
        return net

    ran, simulated = network(), network()
    for _ in range(100):
        ran.run()
    simulated.simulate(0.3)
    simulated.simulate(0.2)
    assert ran.time == simulated.time == pytest.approx(0.5)
    assert ran.counters == simulated.counters
    assert ran.counters.spikes > 100
    for name, array in ran.state().items():
        np.testing.assert_array_equal(array, simulated.state()[name])


def test_counters_count_what_was_done_in_all_and_in_the_latest_control_step():
    net = Network(n_steps=4)
    eyes, cells = net.input(3), net.population(LIF(), 3, "cells")
    net.connect(eyes, cells, 2.0, layout=OneToOne(), synapse=Delta())
    net.connect(eyes, cells, 0.0, layout=Pairs(pre=[0, 0, 1], post=[0, 1, 2]), synapse=Delta())
    net.connect(cells, cells, 0.0, synapse=Delta(), plasticity=RSTDP())
    net.run(Spikes.of([0, 0, 1], [0, 2, 1], 4))
    assert net.counters == net.counters_of_tick
    # 3 + (2 + 1 + 0) synapses of the input, 3 × 3 of the cells, whose three spikes pair both ways
    assert net.counters[:3] == (3, 3 + 3 + 9, 12)
    assert net.counters.plasticity_events > 0
    net.run()
    assert net.counters[:3] == (3, 15, 24)
    assert net.counters_of_tick[:3] == (0, 0, 12)
    assert net.time == pytest.approx(0.008)


def test_a_current_can_be_changed_between_runs():
    net = Network()
    cells = net.population(LIF(tau_mem=0.001), 3, "cells", current=[0.0, 5.0, 0.0])
    assert net.run().at(0).tolist() == [1]
    cells["current"] = [5.0, 0.0, 5.0]
    assert net.run().at(0).tolist() == [0, 2]


def test_weights_and_modulators_are_live():
    net = Network()
    eyes, cells = net.input(2), net.population(ADDS_UP, 2, "cells")
    wire = net.connect(eyes, cells, np.zeros((2, 2)), synapse=Delta())
    dopamine = net.modulator("dopamine", 2)
    wire.weights[0, 1] = 5.0
    dopamine.value = [1.0, 2.0]
    net.run(Spikes.of([0], [0], 1))
    wire.weights = [[0.0, 1.0], [1.0, 1.0]]
    net.run(Spikes.of([0], [0], 1))
    net.run()
    assert cells["v"].tolist() == [0.0, 6.0]
    assert dopamine.value.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("weights", [0.5, [0.5, 0.5, 0.5]])
def test_weights_of_every_kind_can_be_read_and_set(weights):
    net = Network()
    wire = net.connect(net.input(3), net.population(LIF(), 3), weights, layout=OneToOne())
    assert wire.weights.tolist() == weights
    wire.weights = 0.25
    assert set(wire.weights.ravel()) == {0.25}
