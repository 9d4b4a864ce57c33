"""What a plant answers in lockstep: no sockets here, one message in and one answer out.

A message that comes again is answered as before and not applied again; one out of order, of another session, damaged or out of
range is refused. A plant in lockstep has no time of its own: where its episode is broken off by a bye, or by its own end, it
does its fail-safe action as one last step.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np

from ..errors import BadInput, LinkError, PlantError
from ..loop.safety import Guard, fail_safe_of
from . import messages
from .messages import Bye, Hello, Outcome, Picture, Render, Reset, Step
from .session import Actions, Alive, Frames, Numbered, Refusal, Session, failed
from .values import Values


class Serving:
    """An environment that does what its controller asks, in turn, as far as its `guard` lets it; `period` (s) of a step.

    Raises `BadInput`.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        env_id: str,
        alive: Alive,
        fail_safe: Any = None,
        guard: Guard | None = None,
        period: float = 0.0,
    ) -> None:
        self.env, self.session = env, Session(env, env_id, alive, period_ns=round(1e9 * period))
        self.guard = Guard(env.action_space, 1.0) if guard is None else guard
        self._actions, self._observations = Actions(env.action_space), Values(env.observation_space)
        self._fail_safe = _if_any(env, fail_safe)
        for action in self._fail_safe:
            self.guard.check_fail_safe(action)
        self._ticks = 0
        self._before: Frames = []  # the latest answer

    def answer(self, identity: bytes, frames: Sequence[Any]) -> Frames:
        """What goes back for a message of `identity`; `frames` begin with the header."""
        session = seq = 0
        try:
            header = messages.from_controller(frames[0] if frames else b"")
            if isinstance(header, Hello):
                return self._greet(identity, header, len(frames) - 1)
            session, seq = header.session, header.seq
            self.session.check(identity, header)
            if not self._is_next(header):
                return self._before
            self.session.seq = seq
            self._before = self._done(header, list(frames[1:]))
        except (Refusal, LinkError) as error:
            answer = self.session.refuse(error, session, seq)
            if seq and seq == self.session.seq:
                self._before = answer
            return answer
        return self._before

    def rest(self) -> None:
        """Do the fail-safe action, if an episode runs and there is one: the plant is left alone. Raises `PlantError`."""
        if self.session.running and self._fail_safe:
            try:
                self.env.step(self.guard(self._fail_safe[0]))
            except Exception as error:
                raise PlantError(f"fail-safe: {type(error).__name__}: {error}") from None
            finally:
                self.session.running = False

    def _greet(self, identity: bytes, hello: Hello, n_frames: int) -> Frames:
        if self.session.greet(identity, hello, n_frames):
            self.session.running, self._before = False, []
        return self.session.welcome([frame for action in self._fail_safe for frame in self._actions.write(action)])

    def _is_next(self, header: Numbered) -> bool:
        """Whether a message is to be applied; not, if it is the latest one again."""
        if header.seq == self.session.seq and self._before:
            return False
        if header.seq != self.session.seq + 1:
            raise Refusal("order", f"seq must be {self.session.seq + 1}, got {header.seq}")
        return True

    def _done(self, header: Numbered, frames: Frames) -> Frames:
        if not isinstance(header, Step) and frames:
            raise Refusal("message", f"a {header.__struct_config__.tag} has no frames, got {len(frames)}")
        match header:
            case Reset():
                return self._reset(header)
            case Step():
                return self._step(header, frames)
            case Render():
                return self._render(header)
            case Bye():
                return self._part(header)

    def _part(self, header: Bye) -> Frames:
        answer = self._outcome(header, [], {})
        self.session.leave()
        try:
            self.rest()
        except PlantError as error:
            raise failed("bye", error) from None
        return answer

    def _reset(self, header: Reset) -> Frames:
        self.session.running = False  # unless that succeeds
        try:
            observation, info = self.env.reset(seed=header.seed, options=header.options)
            frames = self._observations.write(observation)
        except Exception as error:
            raise failed("reset", error) from None
        self.guard.reset()
        self.session.begin()
        self._ticks = 0
        return self._outcome(header, frames, info)

    def _step(self, header: Step, frames: Frames) -> Frames:
        action = self._actions.read(frames)
        if not self.session.running:
            raise Refusal("episode", "the episode is over, or none began; reset first")
        if header.tick > self._ticks:
            raise Refusal("value", f"tick must be at most {self._ticks}, the latest of this episode, got {header.tick}")
        self.session.running = False  # unless that succeeds
        try:
            observation, reward, terminated, truncated, info = self.env.step(self.guard(action))
            seen, total = self._observations.write(observation), float(reward)
        except Exception as error:
            raise failed("step", error) from None
        self.session.running = not (terminated or truncated)
        self._ticks += 1
        return self._outcome(header, seen, info, total, bool(terminated), bool(truncated))

    def _render(self, header: Render) -> Frames:
        try:
            picture = self.env.render() if self.env.render_mode == "rgb_array" else None
        except Exception as error:
            raise failed("render", error) from None
        shown = picture if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 else None
        self.session.sent += 1
        answer = Picture(
            session=self.session.number, seq=self.session.sent, ack=header.seq, t_ns=time.monotonic_ns(),
            shape=None if shown is None else shown.shape,
        )  # fmt: skip
        return [messages.packed(answer), *([] if shown is None else [np.ascontiguousarray(shown)])]

    def _outcome(
        self, header: Numbered, frames: Frames, info: dict[str, Any], reward: float = 0.0,
        terminated: bool = False, truncated: bool = False,
    ) -> Frames:  # fmt: skip
        self.session.sent += 1
        outcome = Outcome(
            session=self.session.number, seq=self.session.sent, ack=header.seq, t_ns=time.monotonic_ns(),
            echo_ns=header.t_ns, episode=self.session.episodes, tick=self._ticks, reward=reward, terminated=terminated,
            truncated=truncated, info=info,
        )  # fmt: skip
        return [messages.told(outcome), *frames]


def _if_any(env: gymnasium.Env[Any, Any], given: Any) -> tuple[Any, ...]:
    """The fail-safe action; none, where none is named and the space has no rest."""
    try:
        return (fail_safe_of(env, given),)
    except BadInput:
        if given is not None or getattr(env.unwrapped, "fail_safe", None) is not None:
            raise
        return ()
