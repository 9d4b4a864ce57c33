"""Decoders by themselves: the same as in an agent, for a network's spikes, and told apart from what is none."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import LIF, Network
from neuroloop.decoders import make
from neuroloop.errors import BadInput, CheckpointError, ConfigError
from neuroloop.settings import Rate, WinnerTakeAll
from neuroloop.testing.spikes import of
from neuroloop.types import Spikes

BOX = spaces.Box(np.array([-1.0, 0.0]), np.array([1.0, 5.0]), dtype=np.float64)
TABLES = [
    {"kind": "winner-take-all", "levels": 5}, {"kind": "first-spike", "levels": 5}, {"kind": "population-vector"},
    {"kind": "rate", "limits": {"step": 0.3}}, {"kind": "leaky-integrator"}, {"kind": "pwm"},
    {"kind": "pwm", "modulation": "carrier", "cycle": 3}, {"kind": "linear"},
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_the_spikes_of_an_agent_mean_the_same_outside_of_it(open_controller, small_agent, table):
    agent = small_agent(decoder={"population": "actor", **table}, projection={"policy": {"weights_spread": 1.0}})
    controller, graph = open_controller(agent, spaces.Box(-1.0, 1.0, (2,)), BOX, 3)
    if table["kind"] == "linear":
        table = table | {"weights": controller.network.view("decoder.weights").tolist()}
    outside, rng, same = make(table, BOX, neurons=4), np.random.default_rng(0), 0
    names = sorted(name for name in graph.logs if name.startswith("actor"))
    outside.reset(0)
    for tick in range(60):
        action = controller.act(rng.uniform(-1, 1, 2), rng.normal(), first=tick == 0)
        fires = np.concatenate([graph.log(name) for name in names], axis=1) > 0
        assert fires.shape == (20, outside.n_inputs)
        same += np.array_equal(outside.decode(of(fires)), action)
    assert same >= (50 if table["kind"] == "winner-take-all" else 60)  # its ties are drawn by lot, elsewhere than here


def test_it_reads_a_network():
    decoder = make("rate", spaces.Box(-1, 1, (1,)), neurons=5)
    net = Network(dt=1e-3, n_steps=decoder.n_steps)
    cells = net.population(LIF(tau_mem=0.005), decoder.n_inputs, current=0.0)
    seen = []
    for up, down in ((2.0, 0.0), (0.0, 2.0), (1.5, 1.5)):
        cells["current"] = np.repeat([up, down], 5)
        seen.append([float(decoder.decode(net.run())[0]) for _ in range(3)][-1])
    assert seen == [1.0, -1.0, 0.0]


def test_settings_are_a_kind_a_table_or_a_struct():
    made = [make(one, BOX) for one in ("rate", {"kind": "rate"}, Rate(population="mine"))]
    spikes = Spikes.of([0, 5, 9], [0, 3, 17], 20)
    assert len({decoder.decode(spikes).tobytes() for decoder in made}) == 1


@pytest.mark.parametrize("kind", ["winner-take-all", "first-spike"])
@pytest.mark.parametrize(("n_steps", "dt"), [(2, 1e-3), (10, 1e-3), (20, 1e-3), (25, 1e-4), (300, 1e-3)])
def test_choices_are_made_after_half_a_control_step_unless_said_otherwise(kind, n_steps, dt):
    assert make(kind, BOX, n_steps=n_steps, dt=dt).settings.decide_after == n_steps // 2 * dt
    assert make({"kind": kind, "decide_after": dt}, BOX, n_steps=n_steps, dt=dt).settings.decide_after == dt
    with pytest.raises(ConfigError, match=r"decoder\.decide_after: must be at least"):
        make({"kind": kind, "decide_after": n_steps * dt}, BOX, n_steps=n_steps, dt=dt)


def test_kinds_of_numbers_and_lists_are_taken_as_a_network_takes_them():
    decoder = make("rate", BOX)
    ids, offsets = Spikes.of([0, 5, 9], [0, 3, 17], 20)
    expected = decoder.decode(Spikes(ids, offsets))
    for kind in (np.int64, np.uint16):
        np.testing.assert_array_equal(decoder.decode(Spikes(ids.astype(kind), offsets.astype(kind))), expected)
    with pytest.raises(BadInput, match="needs Spikes, got list"):
        decoder.decode([1, 2, 3])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"settings": "rat"}, ConfigError, r"decoder\.kind: unknown kind 'rat': did you mean 'rate'\?"),
        (
            {"settings": {"kind": "rate", "fullrate": 1.0}},
            ConfigError,
            r"decoder\.fullrate: .* did you mean 'full_rate'",
        ),
        ({"settings": Rate(population="x", noise=-1.0)}, ConfigError, r"decoder\.noise"),
        ({"settings": WinnerTakeAll(population="x"), "n_steps": 5}, ConfigError, r"decoder\.decide_after"),
        ({"settings": 3}, BadInput, "must be a decoder's table"),
        ({"neurons": 0}, BadInput, "neurons: must be at least 1"),
        ({"n_steps": 2.5}, BadInput, "n_steps"),
        ({"dt": float("nan")}, ConfigError, r"clock\.dt"),
        ({"period": 0.0}, ConfigError, r"clock\.period"),
        ({"seed": -1}, BadInput, "seed"),
    ],
    ids=str,
)
def test_what_cannot_be_made_is_refused_by_name(change, error, message):
    with pytest.raises(error, match=message):
        make(**{"settings": "rate", "action_space": BOX} | change)


@pytest.mark.parametrize("episode", [-1, 2**32, 0.5])
def test_an_episode_is_a_whole_number(episode):
    with pytest.raises(BadInput, match="episode"):
        make("rate", BOX).reset(episode)


def test_the_state_of_another_decoder_is_refused_and_changes_nothing():
    decoder, other = make("leaky-integrator", BOX), make("leaky-integrator", BOX, neurons=3)
    decoder.decode(Spikes.of([0, 5, 9], [0, 3, 17], 20))
    before = decoder.state()
    for state in (other.state(), before | {"begins": np.zeros(2, bool)}, before | {"f8": before["f8"] * np.nan}, None):
        with pytest.raises(CheckpointError):
            decoder.restore(state)
        assert {k: v.tobytes() for k, v in decoder.state().items()} == {k: v.tobytes() for k, v in before.items()}


def test_arrays_can_be_read_by_name():
    decoder = make({"kind": "linear"}, BOX, neurons=3)
    assert decoder.read("decoder.weights").shape == (2, 12)
    with pytest.raises(BadInput, match=r"unknown array 'decoder\.weight': did you mean 'decoder\.weights'"):
        decoder.read("decoder.weight")
