"""A plant that keeps its own time: at every tick it does the newest valid command or, if none came, its fail-safe action.

Once it had to help itself, commands count again only after a new handshake: who was silent must first learn what happened.
An episode that ended rests until the controller asks for the next one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gymnasium

from ..errors import LinkError
from ..loop.safety import Guard, fail_safe_of
from . import messages
from .messages import Bye, Hello, Outcome, Render, Reset, Step
from .session import Alive, Frames, Numbered, Refusal, Session, failed
from .values import Values

Post = tuple[bytes, Frames]  # to whom, what


class LivePlant:
    """`deadline` (s): without a fresh valid command for so long, the plant helps itself. Raises `BadInput`."""

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        env_id: str,
        alive: Alive,
        *,
        deadline: float,
        guard: Guard,
        fail_safe: Any = None,
    ) -> None:
        self.env, self.guard, self.fail_safe = env, guard, fail_safe_of(env, fail_safe)
        self.deadline_ns = round(1e9 * deadline)
        self.session = Session(env, env_id, alive, "real-time", self.deadline_ns)
        self._actions, self._observations = Values(env.action_space), Values(env.observation_space)
        self._asked: Reset | None = None
        self._command: Any = None  # the action that was asked for last
        self._heard_ns = 0  # when the controller last said something valid
        self._last: tuple[int, int] = (0, 0)  # seq and time of the latest message, which outcomes echo
        self.running, self.ticks = False, 0  # of the episode
        self.helped, self.lapses = 0, 0  # ticks of the fail-safe action, and how often it took over

    def take(self, identity: bytes, frames: Sequence[Any], now_ns: int) -> Frames:
        """A message of `identity`; what goes back at once, if anything."""
        session = seq = 0
        try:
            header = messages.from_controller(bytes(frames[0]) if frames else b"")
            if isinstance(header, Hello):
                if self.session.greet(identity, header):
                    self._command, self._asked, self._last = None, None, (0, 0)
                self._heard_ns = now_ns
                return self.session.welcome()
            session, seq = header.session, header.seq
            self.session.check(identity, header)
            if seq <= self.session.seq:
                raise Refusal("order", f"seq must be above {self.session.seq}, got {seq}")
            self.session.seq = seq
            self._apply(header, list(frames[1:]))
        except Refusal as refusal:
            return self.session.refuse(refusal, session, seq)
        except LinkError as error:
            return self.session.refuse(Refusal("message", str(error)), session, seq)
        self._heard_ns, self._last = now_ns, (seq, header.t_ns)
        return []

    def tick(self, now_ns: int) -> Post | None:
        """The plant's time goes on by a tick; what the controller is told of it."""
        to = self.session.controller
        try:
            if self._asked is not None:
                frames, info = self._reset(self._asked)
                return None if to is None else (to, self._outcome(frames, 0.0, False, False, info))
            if not self.running:
                return None
            action = self._choose(now_ns)
            observation, reward, terminated, truncated, info = self.env.step(self.guard(action))
            self.ticks += 1
            self.running = not (terminated or truncated)
            frames = self._observations.write(observation)
        except Exception as error:
            self.running, self._asked = False, None
            return (
                None
                if to is None
                else (to, self.session.refuse(failed("step", error), self.session.number, self._last[0]))
            )
        to = self.session.controller
        return None if to is None else (to, self._outcome(frames, float(reward), terminated, truncated, info))

    def rest(self) -> None:
        """Do the fail-safe action once more: the plant is about to be left alone."""
        if self.running:
            self.env.step(self.guard(self.fail_safe))
            self.helped += 1

    def _choose(self, now_ns: int) -> Any:
        """The command, if it is fresh; else the fail-safe action."""
        if self.session.taken and now_ns - self._heard_ns >= self.deadline_ns:
            self.session.leave()
            self._command, self._asked = None, None
            self.lapses += 1
        if self._command is None:
            self.helped += 1
            return self.fail_safe
        return self._command

    def _apply(self, header: Numbered, frames: Frames) -> None:
        if not isinstance(header, Step) and frames:
            raise Refusal("message", f"a {header.__struct_config__.tag} has no frames, got {len(frames)}")
        match header:
            case Step():
                action = self._actions.read(frames)
                if not self._actions.holds(action):
                    raise Refusal("value", f"the action must lie within {self.env.action_space}, got {action!r}")
                if not self.running and self._asked is None:
                    raise Refusal("plant", "the episode is over, or none began; reset first")
                self._command = action
            case Reset():
                self._asked = header
            case Render():
                raise Refusal("plant", "a plant that keeps its time does not stop to draw; look at it by its camera")
            case Bye():
                self.session.leave()
                self._command, self._asked = None, None

    def _reset(self, asked: Reset) -> tuple[Frames, dict[str, Any]]:
        self._asked, self._command = None, None
        observation, info = self.env.reset(seed=asked.seed, options=asked.options)
        self.guard.reset()
        self.running, self.ticks = True, 0
        self._heard_ns = time.monotonic_ns()  # resets may take long: the deadline begins when the controller can see
        return self._observations.write(observation), info

    def _outcome(
        self, frames: Frames, reward: float, terminated: bool, truncated: bool, info: dict[str, Any]
    ) -> Frames:
        self.session.sent += 1
        outcome = Outcome(
            session=self.session.number, seq=self.session.sent, ack=self._last[0], t_ns=time.monotonic_ns(),
            echo_ns=self._last[1], tick=self.ticks, reward=reward, terminated=bool(terminated), truncated=bool(truncated),
            live=self._command is not None, info=info,
        )  # fmt: skip
        return [messages.told(outcome), *frames]
