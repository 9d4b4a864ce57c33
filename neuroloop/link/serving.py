"""What a plant answers in lockstep: no sockets here, one message in and one answer out.

A message that comes again is answered as before and not applied again; one out of order, of another session, damaged or out of
range is refused.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np

from ..errors import LinkError
from . import messages
from .messages import Bye, Hello, Outcome, Picture, Render, Reset, Step
from .session import Alive, Frames, Numbered, Refusal, Session, failed
from .values import Values


class Serving:
    """An environment that does what its controller asks, in turn."""

    def __init__(self, env: gymnasium.Env[Any, Any], env_id: str, alive: Alive) -> None:
        self.env, self.session = env, Session(env, env_id, alive)
        self._actions, self._observations = Values(env.action_space), Values(env.observation_space)
        self._ticks, self._running = 0, False
        self._before: Frames = []  # the latest answer

    def answer(self, identity: bytes, frames: Sequence[Any]) -> Frames:
        """What goes back for a message of `identity`; `frames` begin with the header."""
        session = seq = 0
        try:
            header = messages.from_controller(bytes(frames[0]) if frames else b"")
            if isinstance(header, Hello):
                if self.session.greet(identity, header):
                    self._running, self._before = False, []
                return self.session.welcome()
            session, seq = header.session, header.seq
            self.session.check(identity, header)
            if not self._is_next(header):
                return self._before
            self.session.seq = seq
            self._before = self._done(header, list(frames[1:]))
        except (Refusal, LinkError) as error:
            refusal = error if isinstance(error, Refusal) else Refusal("message", str(error))
            answer = self.session.refuse(refusal, session, seq)
            if seq and seq == self.session.seq:
                self._before = answer
            return answer
        return self._before

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
                answer = self._outcome(header, [], {})
                self.session.leave()
                self._running = False
                return answer

    def _reset(self, header: Reset) -> Frames:
        try:
            observation, info = self.env.reset(seed=header.seed, options=header.options)
            frames = self._observations.write(observation)
        except Exception as error:
            raise failed("reset", error) from None
        self._running, self._ticks = True, 0
        return self._outcome(header, frames, info)

    def _step(self, header: Step, frames: Frames) -> Frames:
        action = self._actions.read(frames)
        if not self._actions.holds(action):
            raise Refusal("value", f"the action must lie within {self.env.action_space}, got {action!r}")
        if not self._running:
            raise Refusal("plant", "the episode is over, or none began; reset first")
        try:
            observation, reward, terminated, truncated, info = self.env.step(action)
            seen = self._observations.write(observation)
        except Exception as error:
            self._running = False
            raise failed("step", error) from None
        self._running = not (terminated or truncated)
        self._ticks += 1
        return self._outcome(header, seen, info, float(reward), bool(terminated), bool(truncated))

    def _render(self, header: Render) -> Frames:
        picture = self.env.render() if self.env.render_mode == "rgb_array" else None
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
            echo_ns=header.t_ns, tick=self._ticks, reward=reward, terminated=terminated, truncated=truncated,
            info=info,
        )  # fmt: skip
        return [messages.told(outcome), *frames]
