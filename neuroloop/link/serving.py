"""What a plant answers to whoever talks to it, in lockstep: no sockets here, one message in and one answer out.

One controller at a time has the plant: who said hello first, until it says bye or its connection is gone. A message that comes
again is answered as before and not applied again; one out of order, of another session, damaged or out of range is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium
import numpy as np

from ..errors import LinkError, PlantError
from ..loop.plant import step_time
from . import messages
from .messages import (
    PROTOCOL,
    Bye,
    FromController,
    Hello,
    Mode,
    Outcome,
    Picture,
    Refused,
    Render,
    Reset,
    Step,
    Welcome,
)
from .spaces import describe
from .values import Values

Frames = list[Any]
Alive = Callable[[bytes], bool]


class Refusal(Exception):
    """Nothing is applied; `code` and text go back to who asked."""

    def __init__(self, code: Any, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Serving:
    """An environment and the controller that has it. `alive(identity)` says whether a peer is still connected."""

    def __init__(
        self, env: gymnasium.Env[Any, Any], env_id: str, alive: Alive, mode: Mode = "lockstep", deadline_ns: int = 0
    ) -> None:
        self.env, self._id, self._alive, self._mode, self._deadline_ns = env, env_id, alive, mode, deadline_ns
        self._actions, self._observations = Values(env.action_space), Values(env.observation_space)
        self.controller: bytes | None = None
        self._session, self._seq, self._sent, self._ticks = 0, 0, 0, 0
        self._before: Frames = []  # the latest answer
        self._running = False
        self.refused = 0

    def answer(self, identity: bytes, frames: Sequence[Any]) -> Frames:
        """What goes back for a message of `identity`; `frames` begin with the header."""
        session = seq = 0
        try:
            if not frames:
                raise Refusal("message", "a message has at least a header")
            header = messages.from_controller(bytes(frames[0]))
            if isinstance(header, Hello):
                return self._welcome(identity, header)
            session, seq = header.session, header.seq
            if not self._is_next(identity, header):
                return self._before
        except Refusal as refusal:
            return self._refused(refusal.code, str(refusal), session, seq)
        except LinkError as error:
            return self._refused("message", str(error), session, seq)
        self._seq = seq
        try:
            self._before = self._done(header, list(frames[1:]))
        except Refusal as refusal:
            self._before = self._refused(refusal.code, str(refusal), session, seq)
        except LinkError as error:
            self._before = self._refused("message", str(error), session, seq)
        return self._before

    def _refused(self, code: Any, reason: str, session: int, seq: int) -> Frames:
        self.refused += 1
        return [messages.packed(Refused(code=code, reason=reason[:1000], session=session, ack=seq))]

    def leave(self) -> None:
        """Nobody has the plant any more."""
        self.controller, self._session, self._running, self._before = None, 0, False, []

    def _is_next(self, identity: bytes, header: Reset | Step | Render | Bye) -> bool:
        """Whether a message is to be applied; not, if it is the latest one again."""
        if identity != self.controller or header.session != self._session:
            raise Refusal("session", "this session is not, or no longer, the plant's; say hello")
        if header.seq == self._seq and self._before:
            return False
        if header.seq != self._seq + 1:
            raise Refusal("order", f"seq must be {self._seq + 1}, got {header.seq}")
        return True

    def _welcome(self, identity: bytes, hello: Hello) -> Frames:
        if hello.protocol != PROTOCOL:
            raise Refusal(
                "protocol", f"this plant speaks version {PROTOCOL}, got {hello.protocol}; install matching versions"
            )
        if self.controller not in (None, identity) and self._alive(self.controller):
            raise Refusal("busy", "another controller has the plant; one at a time")
        if (identity, hello.session) != (self.controller, self._session):
            self.leave()
            self.controller, self._session, self._seq = identity, hello.session, 0
        spec, seconds = self.env.spec, step_time(self.env)
        limit = None if spec is None else spec.max_episode_steps
        threshold = None if spec is None or spec.reward_threshold is None else float(spec.reward_threshold)
        welcome = Welcome(
            protocol=PROTOCOL, session=hello.session, env=self._id, mode=self._mode,
            observation_space=describe(self.env.observation_space), action_space=describe(self.env.action_space),
            period_ns=round(1e9 * (seconds or 0.0)), deadline_ns=self._deadline_ns, criterion=threshold, max_steps=limit,
            render=self.env.render_mode == "rgb_array",
        )  # fmt: skip
        return [messages.packed(welcome)]

    def _done(self, header: Reset | Step | Render | Bye, frames: Frames) -> Frames:
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
                answer = self._outcome(header, [], Outcome, {})
                self.leave()
                return answer

    def _reset(self, header: Reset) -> Frames:
        try:
            observation, info = self.env.reset(seed=header.seed, options=header.options)
            frames = self._observations.write(observation)
        except Exception as error:
            raise _failed("reset", error) from None
        self._running, self._ticks = True, 0
        return self._outcome(header, frames, Outcome, info)

    def _step(self, header: Step, frames: Frames) -> Frames:
        action = self._actions.read(frames)
        if not self.env.action_space.contains(action):
            raise Refusal("value", f"the action must lie within {self.env.action_space}, got {action!r}")
        if not self._running:
            raise Refusal("plant", "the episode is over, or none began; reset first")
        try:
            observation, reward, terminated, truncated, info = self.env.step(action)
            seen = self._observations.write(observation)
        except Exception as error:
            self._running = False
            raise _failed("step", error) from None
        self._running = not (terminated or truncated)
        self._ticks += 1
        return self._outcome(header, seen, Outcome, info, float(reward), bool(terminated), bool(truncated))

    def _render(self, header: Render) -> Frames:
        picture = self.env.render() if self.env.render_mode == "rgb_array" else None
        shown = picture if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 else None
        self._sent += 1
        header_out = Picture(
            session=self._session, seq=self._sent, ack=header.seq, t_ns=time.monotonic_ns(),
            shape=None if shown is None else shown.shape,
        )  # fmt: skip
        return [messages.packed(header_out)] + ([] if shown is None else [np.ascontiguousarray(shown)])

    def _outcome(
        self, header: Any, frames: Frames, kind: type[Outcome], info: dict[str, Any], reward: float = 0.0,
        terminated: bool = False, truncated: bool = False,
    ) -> Frames:  # fmt: skip
        self._sent += 1
        outcome = kind(
            session=self._session, seq=self._sent, ack=header.seq, t_ns=time.monotonic_ns(), echo_ns=header.t_ns,
            tick=self._ticks, reward=reward, terminated=terminated, truncated=truncated, info=messages.info_of(info),
        )  # fmt: skip
        return [messages.packed(outcome), *frames]


def _failed(what: str, error: Exception) -> Refusal:
    kind = "" if isinstance(error, PlantError) else f"{type(error).__name__}: "
    return Refusal("plant", f"{what}: {kind}{error}")


__all__ = ["FromController", "Refusal", "Serving"]
