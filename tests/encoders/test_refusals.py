"""What encoders by themselves are given wrongly is refused with one clean sentence, and costs nothing that came before."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import BadInput, ConfigError, NeuroloopError, PlantError
from neuroloop.encoders import Encoder, make
from neuroloop.encoders.events import EventEncoder
from neuroloop.sensors.space import EventSpace
from neuroloop.settings import RateCode

BOX = spaces.Box(-1.0, 1.0, (2,), np.float64)
DICT = spaces.Dict(a=BOX, b=BOX)
REST, EVENTS = np.zeros(2), EventSpace(9, 9)
UNIT = {"kind": "fixed", "low": [0.0, 0.0], "high": [1.0, 1.0]}


def test_settings_are_a_kind_a_table_or_a_struct():
    made = [make(one, BOX) for one in ("rate", {"kind": "rate"}, RateCode())]
    assert len({np.array(encoder.encode([0.3, 0.9]).used).tobytes() for encoder in made}) == 1
    assert Encoder("rate").settings == RateCode()


@pytest.mark.parametrize("settings", [None, 3, [("kind", "rate")], object()])
def test_other_settings_are_refused(settings):
    with pytest.raises(BadInput, match="settings: must be an encoder's table, or its kind, got"):
        make(settings, BOX)
    with pytest.raises(BadInput, match="EventEncoder: needs EventPooling"):
        EventEncoder(settings or "x")


def test_a_kind_that_does_not_exist_is_named():
    with pytest.raises(ConfigError, match=r"encoder.kind: unknown kind 'ratte': did you mean 'rate'"):
        make("ratte", BOX)


def test_an_encoder_that_is_not_bound_says_so():
    calls = [
        lambda one: one.encode(REST, 0),
        lambda one: one.state(),
        lambda one: one.reset(0),
        lambda one: one.restore({}),
    ]
    for encoder in (Encoder("rate"), EventEncoder()):
        for call in calls:
            with pytest.raises(NeuroloopError, match="not bound to an observation space"):
                call(encoder)


@pytest.mark.parametrize("tick", ["a", -5, 1.5, 2**41, np.inf, REST])
def test_control_steps_are_whole_numbers(tick):
    encoder, twin = make("rate", BOX), make("rate", BOX)
    with pytest.raises(BadInput, match=r"^tick: must be"):
        encoder.encode(REST, tick)
    np.testing.assert_array_equal(encoder.encode(REST, np.int64(3)).used, twin.encode(REST, 3).used)


@pytest.mark.parametrize("episode", ["a", -1, 0.5])
def test_episodes_are_whole_numbers(episode):
    with pytest.raises(BadInput, match=r"^episode: must be"):
        make("rate", BOX).reset(episode)


@pytest.mark.parametrize(
    ("space", "value", "message"),
    [
        (BOX, np.zeros(2, complex), r"^observation should be numbers, got array"),
        (BOX, [0.0, 1j], r"^observation should be numbers"),
        (BOX, ["0", "1"], r"^observation should be numbers"),
        (DICT, {"a": REST, "b": 1j * REST}, r"^observation\['b'\] should be numbers"),
        (DICT, {"a": REST}, r"^observation: key 'b' is missing, only 'a' came$"),
        (DICT, {}, r"^observation: key 'a' is missing, nothing came$"),
        (spaces.Discrete(5), 2.5, r"2.5 lies outside its space: observation"),
        (spaces.Discrete(5), 2 + 0j, r"observation"),
        (spaces.Discrete(5), "2", r"observation"),
        (spaces.Discrete(5), np.inf, r"observation"),
        (spaces.MultiDiscrete([3, 3]), [1, 0.5], r"lies outside its space: observation\[1\]"),
    ],
)  # fmt: skip
def test_what_is_no_observation_is_refused(space, value, message):
    encoder = make("rate", space)
    before = {name: array.tobytes() for name, array in encoder.state().items()}
    with pytest.raises(PlantError, match=message):
        encoder.encode(value)
    assert {name: array.tobytes() for name, array in encoder.state().items()} == before


def test_whole_numbers_of_any_kind_are_levels():
    encoder = make({"kind": "rate", "max_rate": 1000.0}, spaces.Discrete(5, start=1))
    for level in (3, 3.0, np.int8(3), np.array(3)):
        assert set(encoder.encode(level).used) == {2}


@pytest.mark.parametrize(
    ("table", "space", "message"),
    [
        ({"kind": "events", "cell": [8, 0]}, EVENTS, r"^encoder.cell\[1\]: Expected `int` >= 1, got 0$"),
        ({"kind": "events", "regions": [[0, 0, 1, 1], [0, 0, 0, 1]]}, EVENTS, r"^encoder.regions\[1\]\[2\]: Expected"),
        ({"kind": "spindle", "low": [0.0, "a"]}, BOX, r"^encoder.low\[1\]: Expected `float`, got `str`, got 'a'$"),
        ({"kind": "spindle", "senses": ["positio"]}, BOX, r"^encoder.senses\[0\]: unknown value 'positio': did you mean"),
        ({"kind": "spindle", "senses": "position"}, BOX, r"^encoder.senses: Expected `array`, got `str`"),
        ({"kind": "rate", "spikes": "random"}, BOX, r"^encoder.spikes: unknown value 'random': known: poisson, regular"),
    ],
)  # fmt: skip
def test_an_entry_of_a_list_is_named_by_its_place(table, space, message):
    with pytest.raises(ConfigError, match=message):
        make(table, space)


def test_spikes_used_are_those_of_this_control_step_only():
    encoder = make({"kind": "rate", "channels": "value", "max_rate": 1000.0, "normalise": UNIT}, BOX)
    encoder.encode([1.0, 1.0])
    few = encoder.encode([0.1, 0.1])
    assert np.any(few.ids[few.n :] != 0), "spikes of the control step before are behind them"
    assert few.used.size == few.n == few.offsets[-1] < few.ids.size
    np.testing.assert_array_equal(few.used, np.concatenate([few.at(step) for step in range(20)]))
