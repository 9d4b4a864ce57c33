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
    Uniform,
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
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            attempt(net)


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


def plastic(**settings):
    """A plastic network with delays, currents and refractoriness: (network, its projection)."""
    net = Network(n_steps=10, seed=3)
    inputs, cells = net.input(12), net.population(LIF(t_ref=0.002), 6)
    learned = net.connect(
        inputs,
        cells,
        Uniform(low=0.2, high=0.6),
        delay=0.003,
        bounds=(0.0, 1.0),
        plasticity=RSTDP(rate=1e-2, **settings),
    )
    return net, learned


@pytest.mark.parametrize("settings", [{}, {"late": True}, {"schedule": "lazy"}], ids=str)
def test_an_episode_begins_as_if_nothing_had_been_but_for_the_weights(settings):
    net, learned = plastic(**settings)
    fresh, other = plastic(**settings)
    rng = np.random.default_rng(0)
    given = [Spikes.of(*np.nonzero(rng.random((10, 12)) < 0.2), n_steps=10) for _ in range(20)]
    for spikes in given:
        net.run(spikes, 0.3)
    before, clock = learned.weights.copy(), net.time
    net.reset()
    np.testing.assert_array_equal(learned.weights, before)
    assert not learned.eligibility.any()
    assert net.time == clock
    other.weights = before
    for spikes in given:
        mine, theirs = net.run(spikes, -0.2), fresh.run(spikes, -0.2)
        assert (mine.n, mine.ids[: mine.n].tolist()) == (theirs.n, theirs.ids[: theirs.n].tolist())
    np.testing.assert_allclose(learned.weights, other.weights, atol=1e-6)  # frames begin at other moments


def test_some_copies_begin_an_episode_while_others_go_on():
    net, learned = plastic()
    batch = net.batch(3)
    spikes = Spikes.of(np.arange(10), np.arange(10), n_steps=10)
    for _ in range(5):
        batch.run([spikes] * 3, 0.1)
    batch.reset([1])
    assert [bool(batch.view(learned, "eligibility")[b].any()) for b in range(3)] == [True, False, True]
    weights = batch.view(learned, "weights")
    np.testing.assert_array_equal(weights[0], weights[1])
