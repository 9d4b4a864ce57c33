"""What only a picture of a run asks for: weights, and what an event camera sees."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.agent import load_agent
from neuroloop.errors import LinkError
from neuroloop.link.telemetry.facts import MOST_SIDE, SIGHT, TELEMETRY, WEIGHTS, RunFacts
from neuroloop.link.telemetry.hearing import Hearing
from neuroloop.link.telemetry.listening import Listener
from neuroloop.link.telemetry.looks import (
    BETWEEN_SIGHTS,
    BETWEEN_WEIGHTS,
    Looks,
    camera_of,
    displayed,
    picked,
    weights_of,
)
from neuroloop.link.telemetry.tap import Tap
from neuroloop.sensors.event_frames import EventFrames
from neuroloop.sensors.wrapper import EventCameraWrapper
from neuroloop.types import EVENT

RUN = RunFacts(
    protocol=TELEMETRY, run=7, seq=1, t_ns=0, source="agent", by="test", unix_ns=0, agent="a", env="e", seed=0,
    observation_space=None, action_space=None, populations={}, cells={}, numbers=(), period_ns=0,
)  # fmt: skip


class Flicker(gymnasium.Env[Any, Any]):
    """A world of light that comes and goes, 10 px wide and 6 high."""

    observation_space = spaces.Box(0.0, 1.0, (1,), np.float32)
    action_space = spaces.Discrete(2)
    metadata = {"render_fps": 50}  # noqa: RUF012

    def __init__(self) -> None:
        self._n = 0

    def camera_frames(self) -> list[tuple[int, Any]]:
        return [(20_000 * self._n, np.full((6, 10), 0.2 if self._n % 2 else 0.9, np.float32))]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._n = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._n += 1
        return np.zeros(1, np.float32), 0.0, False, False, {}


class Told:
    """A publisher that keeps what it is told."""

    def __init__(self, *wanted: bytes) -> None:
        self.wanted = frozenset(wanted)
        self.messages: list[list[Any]] = []

    def head(self, topic: bytes) -> dict[str, int]:
        return {"protocol": TELEMETRY, "run": 7, "seq": len(self.messages) + 1, "t_ns": 0}

    def send(self, frames: list[Any]) -> bool:
        self.messages.append(frames)
        return True


def seen(messages: list[list[Any]]) -> list[Any]:
    hearing = Hearing()
    hearing._begin(RUN)
    return [heard for message in messages if (heard := hearing.take(message)) is not None]


def looking(env: gymnasium.Env[Any, Any]) -> Looks:
    return Looks(SimpleNamespace(controller=None, env=env))  # type: ignore[arg-type]


def test_events_hidden_by_frames_are_seen_by_who_looks() -> None:
    env = EventFrames(EventCameraWrapper(Flicker(), size=(10, 6), only=True))
    env.reset(seed=0)
    env.step(0)
    told = Told(SIGHT)
    looking(env).show(told, 3, BETWEEN_SIGHTS + 10**9)  # type: ignore[arg-type]
    (heard,) = seen(told.messages)
    assert heard.facts.tick == 3
    assert (heard.facts.width, heard.facts.height) == (10, 6)
    assert heard.events.dtype == EVENT
    assert heard.events.size >= 60  # every pixel became darker by far more than one threshold
    assert not heard.events["p"].any()
    assert heard.picture.shape == (6, 10)


def test_events_that_the_observation_holds_are_not_told_twice() -> None:
    env = EventCameraWrapper(Flicker(), size=(10, 6), only=True)
    env.reset(seed=0)
    env.step(0)
    told = Told(SIGHT)
    looking(env).show(told, 0, 10**9)  # type: ignore[arg-type]
    (heard,) = seen(told.messages)
    assert heard.events.size == 0
    assert heard.picture is not None


def test_who_looks_is_told_no_more_often_than_anybody_sees() -> None:
    env = EventFrames(EventCameraWrapper(Flicker(), size=(10, 6), only=True))
    env.reset(seed=0)
    told, looks = Told(SIGHT), looking(env)
    for k in range(100):
        env.step(0)
        looks.show(told, k, 10**9 + k * BETWEEN_SIGHTS // 10)  # type: ignore[arg-type]
    assert len(told.messages) == 10


def test_nothing_is_told_while_nobody_looks() -> None:
    env = EventFrames(EventCameraWrapper(Flicker(), size=(10, 6), only=True))
    env.reset(seed=0)
    told = Told()
    looking(env).show(told, 0, 10**9)  # type: ignore[arg-type]
    assert told.messages == []


def test_weights_are_picked_evenly_where_they_are_many() -> None:
    weights = np.arange(1000 * 300, dtype=np.float32).reshape(1000, 300)
    some = picked(weights)
    assert max(some.shape) <= MOST_SIDE
    assert np.array_equal(some, weights[::4, ::2])
    assert np.array_equal(picked(weights[:5, :7]), weights[:5, :7])


def test_light_is_shown_as_a_byte_and_broken_light_as_dark() -> None:
    shown = displayed(np.array([[0.0, 0.5, 1.0, np.nan]], np.float32))
    assert shown.tolist() == [[0, 186, 255, 0]]


def test_a_sight_that_does_not_fit_is_refused() -> None:
    env = EventFrames(EventCameraWrapper(Flicker(), size=(10, 6), only=True))
    env.reset(seed=0)
    env.step(0)
    told = Told(SIGHT)
    looking(env).show(told, 0, 10**9)  # type: ignore[arg-type]
    topic, header, body = told.messages[0]
    with pytest.raises(LinkError, match="sight: the body must have"):
        seen([[topic, header, body[:-1]]])
    outside = np.frombuffer(body[: EVENT.itemsize], EVENT).copy()
    outside["x"] = 10
    with pytest.raises(LinkError, match="within the camera's picture"):
        seen([[topic, header, outside.tobytes() + body[EVENT.itemsize :]]])


def test_the_camera_is_found_behind_other_wrappers() -> None:
    env = EventFrames(EventCameraWrapper(Flicker(), size=(10, 6), only=True))
    assert isinstance(camera_of(env), EventCameraWrapper)
    assert camera_of(Flicker()) is None


def test_weights_of_a_run_are_heard_of_as_they_are(tmp_path: Any) -> None:
    agent = load_agent("cartpole")
    agent.learn(200)
    place = f"ipc://{tmp_path}/tap"
    with Listener(place, ("weights",)) as listener, Tap(place, agent) as tap, agent.watched(tap):
        heard = None
        for _ in range(200):
            agent.learn(20)
            found = listener.next(0.02)
            if found is not None and found.weights:
                heard = found
                break
    assert heard is not None
    network = agent.controller.network  # type: ignore[attr-defined]
    assert heard.weights.keys() == weights_of(network).keys() == {"policy", "value"}
    assert heard.facts.whole["policy"][1] == 16
    assert heard.weights["policy"].shape[1] == 16


def test_weights_are_told_every_two_seconds_at_most() -> None:
    agent = load_agent("cartpole")
    agent.learn(50)
    told, looks = Told(WEIGHTS), Looks(agent)
    for k in range(40):
        looks.show(told, k, 10**10 + k * BETWEEN_WEIGHTS // 10)  # type: ignore[arg-type]
    assert len(told.messages) == 4


def test_looking_does_not_change_the_run() -> None:
    states = []
    for watched in (False, True):
        agent = load_agent("cartpole", seed=3)
        told, looks = Told(WEIGHTS, SIGHT), Looks(agent)
        for k in range(10):
            agent.learn(50)
            if watched:
                looks.show(told, k, 10**10 * (k + 1))  # type: ignore[arg-type]
        states.append(agent.controller.state())
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])
