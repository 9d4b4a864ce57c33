"""A recording as an environment."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import neuroloop as nl
from neuroloop.sensors.files.playback import ENV_ID
from neuroloop.types import EVENT


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    events = np.array([(5_000, 1, 2, 1), (14_999, 3, 4, 0), (15_000, 5, 6, 1), (46_000, 7, 8, 0)], EVENT)
    return nl.write_events(tmp_path / "a.raw", events, 64, 48)


def played(env: Any, seed: int = 0) -> list[Any]:
    observation, info = env.reset(seed=seed)
    assert observation.size == 0
    assert info["events"]["end_us"] == 0
    steps = []
    for _ in range(100):
        steps.append(env.step(env.action_space.sample()))
        assert steps[-1][0] in env.observation_space
        if steps[-1][3]:
            break
    return steps


def test_steps_hold_the_events_of_their_period_in_the_time_since_reset(recording: Path) -> None:
    steps = played(nl.EventPlayback(recording, period=0.01))
    assert [step[0]["t_us"].tolist() for step in steps] == [[1, 10_000], [10_001], [], [], [41_001]]
    assert [step[0]["x"].tolist() for step in steps] == [[1, 3], [5], [], [], [7]]
    assert [(step[1], step[2], step[3]) for step in steps] == [(0.0, False, k == 4) for k in range(5)]
    assert steps[1][4]["events"] == {"start_us": 10_000, "end_us": 20_000, "file_us": 15_000, "dropped": 0}


def test_a_reset_begins_anew_even_in_the_middle(recording: Path) -> None:
    env = nl.EventPlayback(recording, period=0.01)
    once = played(env)
    env.reset(seed=1)
    env.step(0)
    again = played(env)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(once, again, strict=True))


def test_gymnasium_accepts_it(recording: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(nl.EventPlayback(recording, period=0.01), skip_render_check=True)
    env = gymnasium.make(ENV_ID, path=str(recording), period=0.01, actions=[3])
    assert env.action_space == gymnasium.spaces.Box(-1.0, 1.0, (3,))
    assert nl.EventPlayback(recording, actions=4).action_space == gymnasium.spaces.Discrete(4)
    space = gymnasium.spaces.MultiBinary(2)
    assert nl.EventPlayback(recording, actions=space).action_space is space


def test_a_packet_holds_at_most_what_was_allowed(tmp_path: Path, events_of: Callable[..., Any]) -> None:
    path = nl.write_events(tmp_path / "a.raw", events_of(5000), 64, 48)
    steps = played(nl.EventPlayback(path, period=0.001, most_events=100))
    assert max(step[0].size for step in steps) == 100
    assert sum(step[0].size + step[4]["events"]["dropped"] for step in steps) == 5000


def test_late_events_stay_within_their_packet_and_in_order(tmp_path: Path) -> None:
    events = np.array(
        [(100, 0, 0, 0), (20_000, 1, 0, 0), (19_000, 2, 0, 0), (5_000, 3, 0, 0), (25_000, 4, 0, 0)], EVENT
    )
    np.save(tmp_path / "a.npy", events)
    steps = played(nl.EventPlayback(tmp_path / "a.npy", period=0.01, width=64, height=48))
    assert [step[0]["x"].tolist() for step in steps] == [[0], [1, 2, 3], [4]]
    assert steps[1][0]["t_us"].tolist() == [19_901] * 3


def test_an_empty_recording_is_refused(kind: Any) -> None:
    path = nl.write_events(kind.path, np.zeros(0, EVENT), 64, 48, encoding=kind.encoding)
    with pytest.raises(nl.BadInput, match=r"events\.\w+: holds no events; there is nothing to play"):
        nl.EventPlayback(path, width=64, height=48)


def test_a_recording_that_lost_all_events_is_refused_once(recording: Path) -> None:
    recording.write_bytes(recording.read_bytes().partition(b"% end\n")[0] + b"% end\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(nl.BadInput, match=r"holds no events; lost: 0 bytes and \d+ known events"):
            nl.EventPlayback(recording)


def test_a_damaged_recording_plays_what_is_readable_and_says_so(recording: Path) -> None:
    recording.write_bytes(recording.read_bytes() + b"\0")
    with pytest.warns(nl.LostEvents, match="ends within a word"):
        assert len(played(nl.EventPlayback(recording, period=0.01))) == 5


@pytest.mark.parametrize(("arguments", "says"), [
    ({"period": 0.0}, "period: must be a time"),
    ({"period": float("nan")}, "period: must be a time"),
    ({"actions": 0}, "actions: must be at least 1"),
    ({"width": 640, "height": 480}, "is of 64 × 48 pixels"),
])  # fmt: skip
def test_bad_arguments_are_refused(recording: Path, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(nl.BadInput, match=says):
        nl.EventPlayback(recording, **arguments)


def test_a_file_that_does_not_say_its_size_needs_it(tmp_path: Path, events_of: Callable[..., Any]) -> None:
    path = nl.write_events(tmp_path / "a.npy", events_of(5), 64, 48)
    with pytest.raises(nl.BadInput, match="does not say how large the sensor was; give width and height"):
        nl.EventPlayback(path)


def test_playing_takes_constant_memory(tmp_path: Path, events_of: Callable[..., Any]) -> None:
    import tracemalloc

    env = nl.EventPlayback(nl.write_events(tmp_path / "a.raw", events_of(1_000_000), 64, 48), period=0.001)
    env.reset()
    env.step(0)
    tracemalloc.start()
    for _ in itertools.count():
        if env.step(0)[3]:
            break
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6  # 13 MB is what all events take
