"""A plant at the other end of a link, as a Gymnasium environment: `RemoteEnv`.

    env = RemoteEnv("ipc:///tmp/plant/plant.ipc")

Any agent can be trained through it. In lockstep the bits are those of one process. A plant that keeps its own time answers at
its own ticks: `step` gives the command and waits for the next tick; the rewards of those that passed meanwhile are summed.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from .. import arguments
from ..errors import LinkError
from . import messages
from .endpoint import endpoint_of
from .keys import key_of, read
from .line import Line, SessionLost
from .messages import Outcome, Picture, Render, Reset, Step
from .spaces import rebuild
from .values import Values

LINK = "link"  # the key of `info` that tells of it


class RemoteEnv(gymnasium.Env[Any, Any]):
    """The environment that a `PlantServer` serves at `endpoint`.

    `timeout`: s without an answer after which a `LinkError` says so. In real time, `info["link"]` of a step holds the plant's
    `tick`, how many were `skipped`, whether a command was `live`, and the `round_trip_ns` of the latest that the plant knows.
    `keys` (the folder of our own) and the plant's public `server_key` open a link that is locked (`keys.py`).
    Raises `BadInput` for an endpoint that is none, and `LinkError` if nobody is there, if another controller has the plant, or
    if it speaks another version.
    """

    def __init__(
        self, endpoint: str, timeout: float = 10.0, keys: str | Path | None = None, server_key: str | None = None
    ) -> None:
        place, patience = endpoint_of(endpoint), arguments.positive("timeout", timeout, "s")
        own = None if keys is None else read(Path(keys))
        self._line = Line(place, patience, own, None if server_key is None else key_of(server_key, "server_key"))
        self._tick = 0
        try:
            welcome = self._line.greet()
            self.observation_space, self.action_space = (
                rebuild(welcome.observation_space),
                rebuild(welcome.action_space),
            )
        except BaseException:
            self._line.close()
            raise
        self.real_time = welcome.mode == "real-time"
        self._observations, self._actions = Values(self.observation_space), Values(self.action_space)
        self.render_mode = "rgb_array" if welcome.render else None
        self.metadata = {"render_modes": ["rgb_array"] if welcome.render else []}
        if welcome.period_ns:
            self.dt = 1e-9 * welcome.period_ns
        self.spec = EnvSpec(
            id=welcome.env,
            reward_threshold=welcome.criterion,
            max_episode_steps=welcome.max_steps,
            disable_env_checker=True,
        )

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode there. A plant that was started anew, or that had to help itself, is greeted anew."""
        self._check_open()
        self._tick, whole = 0, None if seed is None else int(seed)
        try:
            answer = self._line.ask(Reset(**self._line.numbers(), seed=whole, options=options), [], Outcome)
        except SessionLost:
            self._line.greet()
            answer = self._line.ask(Reset(**self._line.numbers(), seed=whole, options=options), [], Outcome)
        outcome, frames = answer
        return self._observations.read(frames), outcome.info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do an action there. Raises `PlantError` for what the plant refuses, or where it fails."""
        self._check_open()
        frames = self._actions.write(action)
        if self.real_time:
            return self._command(frames)
        outcome, seen = self._line.ask(Step(**self._line.numbers(), tick=self._tick), frames, Outcome)
        self._tick += 1
        return self._observations.read(seen), outcome.reward, outcome.terminated, outcome.truncated, outcome.info

    def _command(self, frames: list[Any]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Hand over a command, and wait for the plant's next tick."""
        found: list[tuple[Outcome, list[bytes]]] = []
        try:
            while not _ended(found) and (passed := self._line.next(self._is_later, 0.0)):
                found.append(passed)  # while we were thinking
            if not _ended(found):
                found.append(self._hand_over(frames))
        except SessionLost:
            self._line.greet()
            found.append(self._hand_over(frames))
        (outcome, seen), reward = found[-1], sum(one.reward for one, _ in found)
        skipped, self._tick = outcome.tick - self._tick - 1, outcome.tick
        trip = time.monotonic_ns() - outcome.echo_ns if outcome.ack else None
        facts = {"tick": outcome.tick, "skipped": skipped, "live": outcome.live, "round_trip_ns": trip}
        return (
            self._observations.read(seen), reward, outcome.terminated, outcome.truncated, {**outcome.info, LINK: facts},
        )  # fmt: skip

    def _hand_over(self, frames: list[Any]) -> tuple[Outcome, list[bytes]]:
        message = [messages.packed(Step(**self._line.numbers(), tick=self._tick)), *frames]
        if self._line.send(message) and (answer := self._line.next(self._is_later)):
            return answer
        raise self._line.silence()

    def _is_later(self, header: Any) -> bool:
        return isinstance(header, Outcome) and header.tick > self._tick

    def render(self) -> NDArray[np.uint8] | None:
        """The picture that the plant draws, if it was made to."""
        self._check_open()
        if self.render_mode is None:
            return None
        picture, frames = self._line.ask(Render(**self._line.numbers()), [], Picture)
        if picture.shape is None:
            return None
        if len(frames) != 1 or len(frames[0]) != int(np.prod(picture.shape)):
            raise LinkError(f"{self._line.url}: the picture does not have its shape, {picture.shape}")
        return np.frombuffer(frames[0], np.uint8).reshape(picture.shape).copy()

    def close(self) -> None:
        """Say bye; the plant goes on without us. A second call does nothing."""
        self._line.close()

    def _check_open(self) -> None:
        if self._line.closed:
            raise gymnasium.error.ClosedEnvironmentError(f"{self._line.url}: the environment is closed")


def _ended(found: list[tuple[Outcome, list[bytes]]]) -> bool:
    return bool(found) and (found[-1][0].terminated or found[-1][0].truncated)
