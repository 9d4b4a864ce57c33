"""What is no event packet, and settings that cannot be, are refused by name; the encoder keeps to its contract."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

import neuroloop as nl
from neuroloop.encoders.events import EventEncoder
from neuroloop.sensors.space import EventSpace
from neuroloop.settings import ClockConfig, EventPooling
from neuroloop.testing import ContractError, check_encoder
from neuroloop.types import EVENT

from .conftest import bound, events_of


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cell": (1, 1), "polarity": "merged"},
        {"regions": ((0, 0, 9, 9), (5, 5, 20, 10)), "max_rate": 3333.0, "events_per_spike": 3},
        {"bins": (3, 3), "polarity": "off", "on": ("events",)},
    ],
)
def test_it_keeps_to_the_contract(changes):
    config, space = EventPooling(**changes), EventSpace(32, 24)
    check_encoder(EventEncoder(config), space)
    check_encoder(EventEncoder(config), spaces.Dict({"events": space, "speed": spaces.Box(-1.0, 1.0, (2,))}))
    if "on" not in changes:
        check_encoder(config, space)


def test_the_contract_finds_an_encoder_that_takes_what_is_no_packet():
    class Careless(EventEncoder):
        def encode(self, observation, tick):
            return (
                super().encode(np.zeros(0, EVENT), tick)
                if observation.dtype != EVENT
                else super().encode(observation, tick)
            )

    with pytest.raises(ContractError, match="is no list of events, and was encoded all the same"):
        check_encoder(Careless(), EventSpace(8, 8))


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (
            events_of((5, 0, 0, 0), (4, 0, 0, 0)),
            r"^observation\[1\]: events must be sorted by time, got 4 µs after 5 µs",
        ),
        (events_of((5, 0, 0, 0), (6, 32, 0, 0)), r"^observation\[1\]: \{'x': 32, 'y': 0, 'p': 0\} lies outside Event"),
        (events_of((5, 0, 24, 0)), r"^observation\[0\]: \{'x': 0, 'y': 24"),
        (events_of((5, 0, 0, 2)), r"^observation\[0\]: .*'p': 2"),
        (np.zeros(3), "^observation: must be a list of events"),
        (np.zeros((1, 1), EVENT), "^observation: must be a list of events"),
        (np.zeros(1001, EVENT), "^observation: holds 1001 events, more than 1000"),
        (events_of((0, 0, 0, 0), (2**50, 0, 0, 0)), "^observation: time stamps from 0 to"),
        (events_of((2**63 - 1, 0, 0, 0)), "^observation: time stamps from"),
        (events_of((-(2**63), 0, 0, 0), (2**63 - 1, 0, 0, 0)), "^observation: time stamps from"),
    ],
)
def test_what_is_no_packet_is_refused_and_changes_nothing(events, message):
    encoder, _ = bound(EventSpace(32, 24, most_events=1000), events_per_spike=2, max_rate=75.0)
    encoder.encode(events_of(), 0)
    encoder.encode(events_of((1, 0, 0, 0)), 1)
    before = encoder.state()
    with pytest.raises(nl.PlantError, match=message):
        encoder.encode(events, 2)
    assert {name: array.tolist() for name, array in before.items()} == {
        name: array.tolist() for name, array in encoder.state().items()
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regions": ((20, 0, 13, 4),)}, r"^encoder\.regions\[0\]: reaches to \(33, 4\), outside the 32 × 24 pixels"),
        ({"bins": (40, 2)}, r"^encoder\.bins: \[40, 2\] are more than the 32 × 24 pixels of region 0"),
        ({"cell": (0, 2)}, r"^encoder\.cell\[0\]: Expected `int` >= 1"),
        ({"polarity": "onn"}, r"^encoder\.polarity: unknown value 'onn': did you mean 'on'"),
        ({"max_rate": -1.0}, r"^encoder\.max_rate: Expected `float` > 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(nl.ConfigError, match=message):
        bound(**changes)


def test_more_neurons_than_fit_are_refused():
    with pytest.raises(nl.ConfigError, match=r"^encoder\.cell: makes 1843200 neurons"):
        bound(EventSpace(1280, 720), ClockConfig(n_steps=100), cell=(1, 1))
