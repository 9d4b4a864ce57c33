"""Who has the plant: one controller at a time, from its hello until it says bye or its connection is gone."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium

from ..errors import LinkError, PlantError
from ..loop.plant import step_time
from ..loop.safety import endless, finite
from . import messages
from .messages import PROTOCOL, Bye, Hello, Mode, Refused, Render, Reset, Step, Welcome
from .spaces import describe
from .values import Values

Frames = list[Any]
Alive = Callable[[bytes], bool]
Numbered = Reset | Step | Render | Bye
LONGEST = 1000  # letters of a reason
MOST_OF_STRANGERS = 1 << 12  # bytes of a header: a hello has less
REMEMBERED = 256  # sessions that are over, whose messages may still come


class Refusal(Exception):
    """Nothing is applied; `code` and text go back to who asked."""

    def __init__(self, code: Any, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Session:
    """The controller that has a plant, and the numbers of its messages. `alive(identity)`: whether a peer is connected."""

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        env_id: str,
        alive: Alive,
        mode: Mode = "lockstep",
        deadline_ns: int = 0,
        period_ns: int = 0,
    ) -> None:
        self.env, self._id, self._alive, self._mode, self._deadline_ns = env, env_id, alive, mode, deadline_ns
        self._period_ns = period_ns or round(1e9 * (step_time(env) or 0.0))
        self.plant = secrets.randbits(62)
        self.controller: bytes | None = None
        self.number, self.seq, self.sent = 0, 0, 0
        self._over: deque[int] = deque(maxlen=REMEMBERED)
        self.episodes, self.running = 0, False  # that began here, and whether the latest of them runs
        self.refused = 0  # messages, since the plant was served

    @property
    def taken(self) -> bool:
        """Whether somebody has the plant."""
        return self.controller is not None

    def leave(self) -> None:
        """Nobody has it any more."""
        self._over.append(self.number)
        self.controller, self.number, self.seq = None, 0, 0

    def begin(self) -> None:
        """An episode begins."""
        self.episodes, self.running = self.episodes + 1, True

    def greet(self, identity: bytes, hello: Hello, n_frames: int = 0, idle: bool = False) -> bool:
        """Give the plant to who asks; returns whether that is a new session. Raises `Refusal`.

        `n_frames` came behind the header. `idle`: who has it keeps silent, and loses it to who asks.
        """
        if n_frames:
            raise Refusal("message", f"a hello has no frames, got {n_frames}")
        if hello.protocol != PROTOCOL:
            raise Refusal(
                "protocol", f"this plant speaks version {PROTOCOL}, got {hello.protocol}; install matching versions"
            )
        if self.controller not in (None, identity) and not idle and self._alive(self.controller):
            raise Refusal("busy", "another controller has the plant; one at a time")
        if hello.session in self._over:
            raise Refusal("session", "this session is over; say hello with another number")
        new = hello.session != self.number
        if new:
            self.leave()
            self.number = hello.session
        self.controller = identity
        return new

    def check(self, identity: bytes, header: Numbered) -> None:
        """Raise `Refusal` for who has not got the plant. Who has it may come back by another connection."""
        if header.session == self.number and identity != self.controller and not self._alive(self.controller or b""):
            self.controller = identity
        if identity != self.controller or header.session != self.number:
            raise Refusal("session", "this session is not, or no longer, the plant's; say hello")

    def welcome(self, fail_safe: Frames) -> Frames:
        """What the controller needs to know of the plant; `fail_safe`: the frames of that action, if there is one."""
        spec = self.env.spec
        threshold = None if spec is None or spec.reward_threshold is None else float(spec.reward_threshold)
        welcome = Welcome(
            protocol=PROTOCOL, session=self.number, plant=self.plant, episode=self.episodes if self.running else None,
            env=self._id, mode=self._mode,
            observation_space=describe(self.env.observation_space), action_space=describe(self.env.action_space),
            period_ns=self._period_ns, deadline_ns=self._deadline_ns, criterion=threshold,
            max_steps=None if spec is None else spec.max_episode_steps, render=self.env.render_mode == "rgb_array",
        )  # fmt: skip
        return [messages.packed(welcome), *fail_safe]

    def is_stranger(self, identity: bytes) -> bool:
        """Whether somebody else has the plant."""
        return self.controller is not None and identity != self.controller

    def overlong(self, identity: bytes, frames: Sequence[Any]) -> Frames:
        """The answer to a stranger's header that is too long to be read while who has the plant is there; nothing for one that
        is to be read."""
        if not self.is_stranger(identity) or not frames or len(frames[0]) <= MOST_OF_STRANGERS:
            return []
        if not self._alive(self.controller or b""):
            return []  # who had it may be back by another connection
        return self.refuse(LinkError(f"header: of who has not got the plant it has at most {MOST_OF_STRANGERS} bytes"))

    def refuse(self, why: Refusal | LinkError, session: int = 0, ack: int = 0) -> Frames:
        """The answer to a message of which nothing is applied. `why` is not kept: with it, frames would wait for the garbage
        collection, which rests while time is kept."""
        self.refused += 1
        code: Any = why.code if isinstance(why, Refusal) else "message"
        return [messages.packed(Refused(code=code, reason=str(why)[:LONGEST], session=session, ack=ack))]


class Actions(Values):
    """Actions as frames. Those that come are within their space, and finite."""

    def __init__(self, space: gymnasium.Space[Any]) -> None:
        super().__init__(space)
        self._endless = endless(space)

    def read(self, frames: Frames) -> Any:
        """The action that frames hold. Raises `Refusal`, or `LinkError` for frames that are none."""
        action = super().read(frames)
        if not self.holds(action) or (self._endless and not finite(action)):
            raise Refusal("value", f"the action must lie within {self.space}, and be finite, got {action!r}")
        return action


def failed(what: str, error: Exception) -> Refusal:
    """What to say of a plant that raises."""
    kind = "" if isinstance(error, PlantError) else f"{type(error).__name__}: "
    return Refusal("plant", f"{what}: {kind}{error}")
