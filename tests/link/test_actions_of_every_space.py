"""Whatever frames come for an action of whatever space: what is done is an action, and everything else is refused."""

from __future__ import annotations

import random
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.link import messages
from neuroloop.link.messages import PROTOCOL, Hello, Outcome, Refused, Reset, Step
from neuroloop.link.serving import Serving
from neuroloop.link.values import Values
from neuroloop.loop.safety import finite
from neuroloop.sensors.space import EventSpace

FREE = spaces.Box(-np.inf, np.inf, (2,), np.float32)
SPACES = [
    FREE, spaces.Box(0, 255, (2, 3), np.uint8), spaces.Box(-1.0, 1.0, (), np.float64), spaces.Discrete(5, start=-2),
    spaces.MultiDiscrete([3, 4], start=[1, -1]), spaces.MultiBinary(3), spaces.Text(6, min_length=1, charset="abcé"),
    spaces.Tuple([spaces.Discrete(2), FREE]), spaces.Dict({"b": FREE, "a": spaces.Dict({"x": spaces.Discrete(3)})}),
    spaces.Sequence(FREE), spaces.Sequence(FREE, stack=True), spaces.Sequence(spaces.Tuple([])),
    spaces.OneOf([spaces.Discrete(3), FREE]), spaces.Graph(FREE, spaces.Discrete(4)), spaces.Graph(spaces.Discrete(3), None),
    EventSpace(32, 24, most_events=2000),
]  # fmt: skip


class World(gymnasium.Env[Any, Any]):
    """Does what it can check."""

    observation_space = spaces.Discrete(2)
    render_mode = None

    def __init__(self, space: Any) -> None:
        self.action_space, self.done = space, list[Any]()

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: Any) -> Any:
        self.done.append(action)
        return 0, 0.0, False, False, {}


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_only_actions_are_done(space: Any) -> None:
    rng, env = random.Random(0), World(space)
    serving, seq, answers = Serving(env, "World", lambda who: True), 1, list[Any]()
    serving.answer(b"", [messages.packed(Hello(protocol=PROTOCOL, session=1))])
    serving.answer(b"", [messages.packed(Reset(session=1, seq=1, t_ns=0))])
    space.seed(0)
    for _ in range(300):
        frames = [
            np.frombuffer(frame, np.uint8).tobytes() for frame in map(memoryview, Values(space).write(space.sample()))
        ]
        match rng.randrange(5):
            case 0:
                k = rng.randrange(len(frames) + 1)
                frames[k:k] = [rng.randbytes(rng.randrange(20))]
            case 1 if frames:
                del frames[rng.randrange(len(frames))]
            case 2 | 3 if frames:
                k = rng.randrange(len(frames))
                frames[k] = (
                    rng.randbytes(len(frames[k])) if rng.random() < 0.5 else b"\x00\x00\xc0\x7f" * (len(frames[k]) // 4)
                )
            case 4:
                frames = [rng.randbytes(rng.randrange(40)) for _ in range(rng.randrange(6))]
        seq += 1
        first, *_ = serving.answer(b"", [messages.packed(Step(session=1, seq=seq, t_ns=0, tick=0)), *frames])
        answers.append(messages.from_plant(bytes(first)))
    assert all(isinstance(answer, Outcome | Refused) for answer in answers)
    assert len(env.done) == sum(isinstance(answer, Outcome) for answer in answers)
    assert any(isinstance(answer, Refused) for answer in answers)
    assert all(space.contains(action) and finite(action) for action in env.done)
