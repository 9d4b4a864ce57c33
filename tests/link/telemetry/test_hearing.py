"""What a reader makes of messages: valid ones mean what they say; of others nothing is taken over, whatever is wrong."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.errors import LinkError
from neuroloop.link.spaces import describe
from neuroloop.link.telemetry.facts import TELEMETRY, TOPICS, TickFacts
from neuroloop.link.telemetry.hearing import Heard, Hearing

Message = list[bytes]
SEEN, DONE = spaces.Box(-1.0, 1.0, (2,), np.float32), spaces.Discrete(3)


def facts(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "protocol": TELEMETRY, "run": 7, "seq": 1, "t_ns": 5, **more}


def message(header: dict[str, Any], body: bytes | None = None) -> Message:
    frames = [header["kind"].encode(), msgspec.msgpack.encode(header)]
    return frames if body is None else [*frames, body]


def run_told(**more: Any) -> Message:
    told = {
        "source": "agent", "by": "test", "unix_ns": 0, "agent": "a", "env": "E-v0", "seed": 0,
        "observation_space": describe(SEEN), "action_space": describe(DONE), "populations": {"actor": 2, "critic": 3},
        "cells": {"encoder": 1}, "numbers": ["value"], "period_ns": 0,
    }  # fmt: skip
    return message(facts("run", **told | more))


def tick_told(seq: int = 1, **more: Any) -> Message:
    told = {
        "tick": 4, "episode": 2, "first": False, "reward": 0.5, "answer": 1.0, "episode_return": 9.0,
        "spikes": {"actor": 3, "critic": 12}, "numbers": {"value": 0.25}, "observation": [8], "action": [8],
    }  # fmt: skip
    body = np.array([0.5, -0.5], "<f4").tobytes() + (2).to_bytes(8, "little")
    return message(facts("tick", **told | {"seq": seq} | more), body + np.arange(6, dtype="<i4").tobytes())


def hearing() -> Hearing:
    made = Hearing()
    assert made.take(run_told()) is not None
    return made


def test_a_tick_means_what_it_says() -> None:
    heard = hearing().take(tick_told())
    assert heard is not None
    assert heard.observation.tolist() == [0.5, -0.5]
    assert heard.action == 2
    assert {name: part.tolist() for name, part in heard.spikes.items()} == {"actor": [0, 1], "critic": [2, 3, 4]}
    assert heard.cells["encoder"].tolist() == [5]


def test_other_kinds_mean_what_they_say() -> None:
    ours = hearing()
    picture = ours.take(message(facts("picture", tick=3, shape=[1, 2, 3]), bytes(range(6))))
    assert picture is not None
    assert picture.picture is not None
    assert picture.picture.tolist() == [[[0, 1, 2], [3, 4, 5]]]
    plant = message(
        facts("plant", tick=1, mode="live", helped=0, lapses=0, refused=0, late_ns=-1, left_out=0, action=[8]),
        (1).to_bytes(8, "little"),
    )
    assert ours.take(plant).action == 1  # type: ignore[union-attr]
    episode = facts("episode", episode=1, episode_return=3.0, n_steps=2, mean_return=None, steps=9)
    assert isinstance(ours.take(message(episode)), Heard)
    bye = message(facts("bye", ticks=5, overflows=0))
    assert isinstance(ours.take(bye), Heard)
    assert ours.take(bye) is None  # is said several times


def test_gaps_are_counted_and_another_run_begins_anew() -> None:
    ours = Hearing()
    assert ours.take(tick_told(3)) is None  # of a run that nobody knows
    ours.take(run_told())
    for seq in (3, 4, 9):
        ours.take(tick_told(seq))
    assert (ours.lost, ours.early) == (4, 1)
    assert ours.take(tick_told(12), read=False) is None
    assert ours.lost == 6
    assert ours.take(run_told()) is None
    assert ours.lost == 6
    assert isinstance(ours.take(run_told(run=8)), Heard)
    assert ours.take(tick_told(13)) is None
    assert ours.lost == 0


def test_what_came_before_is_refused() -> None:
    ours = hearing()
    ours.take(tick_told(5))
    for seq in (5, 4, 0):
        with pytest.raises(LinkError, match="seq must be above 5"):
            ours.take(tick_told(seq))


def test_another_version_says_so_whatever_else_it_holds() -> None:
    for more in ({}, {"colour": "red"}):
        with pytest.raises(LinkError, match="speaks version 2"):
            hearing().take(tick_told(protocol=2, **more))


def test_a_plant_of_large_spaces_is_not_believed() -> None:
    for more in ({"populations": {"a": 1 << 26, "b": 1}}, {"populations": {"a": 1 << 40}}, {"cells": {"a": 0}}):
        with pytest.raises(LinkError):
            Hearing().take(run_told(**more))


@pytest.mark.parametrize(
    "more",
    [
        {"reward": np.nan}, {"episode_return": np.inf}, {"answer": -np.inf}, {"observation": [4]}, {"observation": [8, 8]},
        {"observation": [4, 4]}, {"action": []}, {"action": [1 << 30]}, {"spikes": {"actor": -1}}, {"tick": -1},
        {"seq": 2**63}, {"first": 1}, {"more": 1}, {"numbers": {"value": "x"}}, {"run": 0},
    ],
)  # fmt: skip
def test_fields_out_of_range_are_refused(more: dict[str, Any]) -> None:
    ours = hearing()
    frames = tick_told(**more)
    frames[0] = b"tick"
    with pytest.raises(LinkError):
        ours.take(frames)
    assert isinstance(ours.take(tick_told()), Heard)


def test_a_topic_must_be_that_of_the_header() -> None:
    with pytest.raises(LinkError, match="topic"):
        hearing().take([b"run", *tick_told()[1:]])


VALUE = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=8), st.binary(max_size=8)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
NAMES = (*TickFacts.__struct_fields__, "populations", "cells", "observation_space", "shape", "mode", "kind")


@given(
    kind=st.sampled_from([topic.decode() for topic in TOPICS]),
    fields=st.dictionaries(st.sampled_from(NAMES), VALUE, max_size=6),
    body=st.binary(max_size=64),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_fields_of_all_kinds_are_refused_or_read(kind: str, fields: dict[str, Any], body: bytes) -> None:
    ours = hearing()
    bases = (run_told(), tick_told(), message(facts(kind)))
    for base in bases:
        header = msgspec.msgpack.decode(base[1]) | fields
        with contextlib.suppress(LinkError):
            heard = ours.take([kind.encode(), msgspec.msgpack.encode(header), body])
            assert heard is None or heard.facts.protocol == TELEMETRY


@given(
    noise=st.lists(st.binary(max_size=64), max_size=5), frame=st.integers(0, 2), at=st.integers(0, 400),
    bit=st.integers(0, 7), cut=st.integers(0, 400),
)  # fmt: skip
@settings(max_examples=150, deadline=None, derandomize=True)
def test_noise_flipped_bits_and_cut_messages_never_crash_a_reader(
    noise: Message, frame: int, at: int, bit: int, cut: int
) -> None:
    for base in (tick_told(), [*run_told(run=8), b""]):
        ours = hearing()
        with pytest.raises(LinkError):
            ours.take(noise)
        flipped = bytearray(base[frame])
        if flipped:
            flipped[at % len(flipped)] ^= 1 << bit
        short = base[frame][: cut % (len(base[frame]) + 1)]
        for changed in (bytes(flipped), short):
            with contextlib.suppress(LinkError):
                ours.take([changed if n == frame else whole for n, whole in enumerate(base)])
        assert ours.run is not None
        if ours.run.run == 7:
            with contextlib.suppress(LinkError):  # a flipped bit may have made a later number of it
                assert isinstance(ours.take(tick_told(2**62)), Heard)
