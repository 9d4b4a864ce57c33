"""Who has the plant: one controller at a time, from its hello until it says bye or its connection is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium

from ..errors import PlantError
from ..loop.plant import step_time
from . import messages
from .messages import PROTOCOL, Bye, Hello, Mode, Refused, Render, Reset, Step, Welcome
from .spaces import describe

Frames = list[Any]
Alive = Callable[[bytes], bool]
Numbered = Reset | Step | Render | Bye
LONGEST = 1000  # letters of a reason


class Refusal(Exception):
    """Nothing is applied; `code` and text go back to who asked."""

    def __init__(self, code: Any, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Session:
    """The controller that has a plant, and the numbers of its messages. `alive(identity)`: whether a peer is connected."""

    def __init__(
        self, env: gymnasium.Env[Any, Any], env_id: str, alive: Alive, mode: Mode = "lockstep", deadline_ns: int = 0
    ) -> None:
        self.env, self._id, self._alive, self._mode, self._deadline_ns = env, env_id, alive, mode, deadline_ns
        self.controller: bytes | None = None
        self.number, self.seq, self.sent = 0, 0, 0
        self.refused = 0  # messages, since the plant was served

    @property
    def taken(self) -> bool:
        """Whether somebody has the plant."""
        return self.controller is not None

    def leave(self) -> None:
        """Nobody has it any more."""
        self.controller, self.number, self.seq = None, 0, 0

    def greet(self, identity: bytes, hello: Hello) -> bool:
        """Give the plant to who asks; returns whether that is a new session. Raises `Refusal`."""
        if hello.protocol != PROTOCOL:
            raise Refusal(
                "protocol", f"this plant speaks version {PROTOCOL}, got {hello.protocol}; install matching versions"
            )
        if self.controller not in (None, identity) and self._alive(self.controller):
            raise Refusal("busy", "another controller has the plant; one at a time")
        new = (identity, hello.session) != (self.controller, self.number)
        if new:
            self.controller, self.number, self.seq = identity, hello.session, 0
        return new

    def check(self, identity: bytes, header: Numbered) -> None:
        """Raise `Refusal` for who has not got the plant."""
        if identity != self.controller or header.session != self.number:
            raise Refusal("session", "this session is not, or no longer, the plant's; say hello")

    def welcome(self) -> Frames:
        """What the controller needs to know of the plant."""
        spec, seconds = self.env.spec, step_time(self.env)
        threshold = None if spec is None or spec.reward_threshold is None else float(spec.reward_threshold)
        welcome = Welcome(
            protocol=PROTOCOL, session=self.number, env=self._id, mode=self._mode,
            observation_space=describe(self.env.observation_space), action_space=describe(self.env.action_space),
            period_ns=round(1e9 * (seconds or 0.0)), deadline_ns=self._deadline_ns, criterion=threshold,
            max_steps=None if spec is None else spec.max_episode_steps, render=self.env.render_mode == "rgb_array",
        )  # fmt: skip
        return [messages.packed(welcome)]

    def refuse(self, refusal: Refusal, session: int = 0, ack: int = 0) -> Frames:
        """The answer to a message of which nothing is applied."""
        self.refused += 1
        return [messages.packed(Refused(code=refusal.code, reason=str(refusal)[:LONGEST], session=session, ack=ack))]


def failed(what: str, error: Exception) -> Refusal:
    """What to say of a plant that raises."""
    kind = "" if isinstance(error, PlantError) else f"{type(error).__name__}: "
    return Refusal("plant", f"{what}: {kind}{error}")
