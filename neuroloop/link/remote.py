"""A plant at the other end of a link, as a Gymnasium environment: `RemoteEnv`.

    env = RemoteEnv("ipc:///tmp/plant/plant.ipc")

Any agent can be trained through it. In lockstep the bits are those of one process. A plant that keeps its own time answers at
its own ticks: `step` gives the command and waits for the next tick; the rewards of those that passed meanwhile are summed.
A plant that is gone is looked for again. Where its episode is gone too, the step ends it: truncated, with the observation seen
last, no reward, and `info["link"]["lost"]`; the next `reset` begins another one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from .. import arguments
from ..errors import LinkError
from ..loop.timing import TIMING, Timing
from ..types import LINK
from . import messages
from .endpoint import endpoint_of
from .keys import key_of, read
from .line import MOST_READ, Answer, EpisodeOver, Line, SessionLost, Silent, log
from .messages import Outcome, Picture, Render, Reset, Step, Welcome
from .spaces import dtype_of, rebuild
from .sparing import Sparing
from .values import Values

PATIENCE = 30.0  # s
SHORTEST_WAIT, MOST_PERIODS = (
    0.05,
    5,
)  # s or ticks without word of a plant in real time, after which a command is given again
Stepped = tuple[Any, float, bool, bool, dict[str, Any]]


class RemoteEnv(gymnasium.Env[Any, Any]):
    """The environment that a `PlantServer` serves at `endpoint`.

    `timeout`: s without an answer after which the plant counts as gone; `patience`: s that it is looked for then, until a
    `LinkError` says so (0: at once). In real time, `info["link"]` of a step holds the plant's `tick`, how many were
    `skipped`, whether a command was `live`, and the `round_trip_ns` of the latest that the plant knows; `info["timing"]` is
    a `Timed`.
    `keys` (the folder of our own) and the plant's public `server_key` open a link that is locked (`keys.py`).
    Raises `BadInput` for an endpoint that is none, and `LinkError` if nobody is there, if another controller has the plant, or
    if it speaks another version.
    """

    def __init__(
        self,
        endpoint: str,
        timeout: float = 10.0,
        keys: str | Path | None = None,
        server_key: str | None = None,
        patience: float = PATIENCE,
    ) -> None:
        place, limit = endpoint_of(endpoint), arguments.positive("timeout", timeout, "s")
        self._patience = 0.0 if patience == 0 else arguments.positive("patience", patience, "s")
        own = None if keys is None else read(Path(keys))
        self._line = Line(place, limit, own, None if server_key is None else key_of(server_key, "server_key"))
        try:
            self._know(*self._line.greet())
        except BaseException:
            self._line.close()
            raise
        self._tick, self._seen = 0, list[bytes]()  # of the latest outcome
        self._place: tuple[int, int | None] = (0, None)  # the plant, and the episode that we are in
        self._running, self._gone = False, False  # whether we are in an episode, and whether it is lost
        self._answered_ns = 0
        self._greetings = Sparing(log.warning)  # who learns slowly may lose a plant in real time every few steps
        self.timing = Timing() if self.real_time else None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode there."""
        self._check_open()
        whole = None if seed is None else int(seed)
        self._line.forget()  # what an episode left behind
        while (answer := self._tried(lambda: self._begin(whole, options))) is None:
            pass  # the plant is another one now
        outcome, frames = answer
        self._place, self._running, self._gone = (self._plant, outcome.episode), not _over(outcome), False
        self._tick, self._seen, self._answered_ns = outcome.tick, frames, time.monotonic_ns()
        return self._observations.read(frames), outcome.info

    def step(self, action: Any) -> Stepped:
        """Do an action there. Raises `PlantError` for what the plant refuses, or where it fails."""
        self._check_open()
        frames = self._actions.write(action)
        if self._gone:
            return self._lost()
        if self.real_time:
            return self._command(frames)
        answer = self._tried(lambda: self._line.ask(Step(**self._line.numbers(), tick=self._tick), frames, Outcome))
        if answer is None:
            return self._lost()
        outcome, self._seen = answer
        if outcome.tick != self._tick + 1:
            raise LinkError(f"{self._line.url}: expected the outcome of tick {self._tick + 1}, got {outcome.tick}")
        self._tick, self._running = self._tick + 1, not _over(outcome)
        observation = self._observations.read(self._seen)
        return observation, outcome.reward, outcome.terminated, outcome.truncated, outcome.info

    def render(self) -> NDArray[np.uint8] | None:
        """The picture that the plant draws, if it was made to."""
        self._check_open()
        if self.render_mode is None:
            return None
        answer = self._tried(lambda: self._line.ask(Render(**self._line.numbers()), [], Picture))
        if answer is None or answer[0].shape is None:
            return None
        picture, frames = answer
        dtype_of("u1", picture.shape)
        if len(frames) != 1 or len(frames[0]) != int(np.prod(picture.shape)):
            raise LinkError(f"{self._line.url}: the picture does not have its shape, {picture.shape}")
        return np.frombuffer(frames[0], np.uint8).reshape(picture.shape).copy()

    def close(self) -> None:
        """Say bye; the plant goes on without us. A second call does nothing."""
        self._greetings.flush()
        self._line.close()

    def _tried(self, ask: Callable[[], Answer]) -> Answer | None:
        """What `ask` brings. A plant that is gone, or knows us no more, is greeted anew and asked again; None: it is there,
        but the episode that we were in is not."""
        end = None
        while True:
            try:
                return ask()
            except EpisodeOver:
                if not self._running or not self.real_time:
                    raise
                self._gone = True  # it ended while nothing reached us
                return None
            except (SessionLost, Silent) as error:
                began, silent = time.monotonic(), isinstance(error, Silent)
                end = end or began + self._patience
                if began > end or (silent and not self._patience):
                    raise
            welcome, _ = self._line.regain(end - began)
            if _kind(welcome) != self._kind:
                raise LinkError(
                    f"{self._line.url}: another plant is served there now, {welcome.env[:80]!r}; connect anew"
                )
            place = welcome.plant, welcome.episode
            self._gone, self._plant = place != self._place, welcome.plant
            if silent or (self._gone and self._running):
                what = "its episode is lost" if self._gone else "the episode goes on"
                self._greetings.say(f"{self._line.url}: greeted anew, {what}")
            if self._gone:
                self._place = place
                return None

    def _lost(self) -> Stepped:
        """What a step brings whose plant went away with its episode."""
        self._running, self._gone = False, False
        facts = {"tick": self._tick, "skipped": 0, "live": False, "round_trip_ns": None, "lost": True}
        return self._observations.read(self._seen), 0.0, False, True, {LINK: facts}

    def _begin(self, seed: int | None, options: dict[str, Any] | None) -> Answer:
        return self._line.ask(Reset(**self._line.numbers(), seed=seed, options=options), [], Outcome)

    def _command(self, frames: list[Any]) -> Stepped:
        """Hand over a command, and wait for the plant's next tick."""
        compute, found = time.monotonic_ns() - self._answered_ns, list[Answer]()

        def turn() -> Answer:
            while len(found) < MOST_READ and not _ended(found) and (passed := self._line.next(self._is_later)):
                found.append(passed)  # while we were thinking
            return found.pop() if _ended(found) else self._hand_over(frames)

        answer = self._tried(turn)
        if answer is None:
            return self._lost()
        found.append(answer)
        (outcome, self._seen), reward = answer, sum(one.reward for one, _ in found)
        self._running = not _over(outcome)
        skipped, self._tick, self._answered_ns = outcome.tick - self._tick - 1, outcome.tick, time.monotonic_ns()
        trip = self._answered_ns - outcome.echo_ns if outcome.ack else None
        facts = {"tick": outcome.tick, "skipped": skipped, "live": outcome.live, "round_trip_ns": trip, "lost": False}
        missed = skipped + sum(one.left_out for one, _ in found)
        age = outcome.age_ns if outcome.live else None
        timed = self.timing.note(self._answered_ns, outcome.late_ns, missed, compute, age)  # type: ignore[union-attr]
        return (
            self._observations.read(self._seen), reward, outcome.terminated, outcome.truncated,
            {**outcome.info, LINK: facts, TIMING: timed},
        )  # fmt: skip

    def _hand_over(self, frames: list[Any]) -> Answer:
        """A command that nobody answers for some ticks is given again: it may be lost, or its session over."""
        return self._line.exchange(
            lambda: [messages.packed(Step(**self._line.numbers(), tick=self._tick)), *frames],
            self._is_later,
            self._again,
        )

    def _is_later(self, header: Any) -> bool:
        return isinstance(header, Outcome) and header.tick > self._tick

    def _know(self, welcome: Welcome, frames: list[bytes]) -> None:
        """What the plant says of itself. Raises `LinkError` for what makes no sense."""
        self.observation_space, self.action_space = rebuild(welcome.observation_space), rebuild(welcome.action_space)
        self._observations, self._actions = Values(self.observation_space), Values(self.action_space)
        self.fail_safe = self._actions.read(frames) if frames else None
        self._kind = _kind(welcome)
        self.real_time, self._plant = welcome.mode == "real-time", welcome.plant
        self._again = max(SHORTEST_WAIT, MOST_PERIODS * 1e-9 * welcome.period_ns)
        self.render_mode = "rgb_array" if welcome.render else None
        self.metadata = {"render_modes": ["rgb_array"] if welcome.render else []}
        if welcome.period_ns:
            self.dt = 1e-9 * welcome.period_ns
        try:
            self.spec = EnvSpec(
                id=welcome.env,
                reward_threshold=welcome.criterion,
                max_episode_steps=welcome.max_steps,
                disable_env_checker=True,
            )
        except gymnasium.error.Error as error:
            raise LinkError(f"{self._line.url}: is named {welcome.env[:80]!r}: {error}") from None

    def _check_open(self) -> None:
        if self._line.closed:
            raise gymnasium.error.ClosedEnvironmentError(f"{self._line.url}: the environment is closed")


def _kind(welcome: Welcome) -> tuple[Any, ...]:
    """What must be the same of a plant that comes back."""
    return welcome.env, welcome.mode, welcome.observation_space, welcome.action_space


def _over(outcome: Outcome) -> bool:
    return outcome.terminated or outcome.truncated


def _ended(found: list[Answer]) -> bool:
    return bool(found) and _over(found[-1][0])
