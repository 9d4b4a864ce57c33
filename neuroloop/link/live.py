"""A plant that keeps its own time: at every tick it does the newest valid command or, if none came, its fail-safe action.

Once it had to help itself, commands count again only after a new handshake: who was silent must first learn what happened.
Between a handshake and the first command it does the fail-safe action too, but nothing lapsed then. An episode that ended rests
until the controller asks for the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gymnasium
import numpy as np

from ..errors import LinkError
from ..loop.clock import MOST_HELD, seconds
from ..loop.safety import Guard, fail_safe_of
from . import messages
from .messages import Bye, Hello, Outcome, Render, Reset, Step
from .session import Actions, Alive, Frames, Numbered, Refusal, Session, failed
from .values import Values

Post = tuple[bytes, Frames]  # to whom, what
IDLE_NS = 10_000_000_000  # after such a silence, who has the plant and commands nothing loses it to who asks
TOLD = 1 << 12  # latest ticks of which is known when their outcomes were sent


class Command(NamedTuple):
    """What was asked for."""

    action: Any
    came_ns: int
    seen_ns: int  # when the observation was sent on which it was decided


class LivePlant:
    """`deadline` (s): without a fresh valid command for so long, and at least for two ticks of `period` s, the plant helps
    itself. `hold`: ticks whose time went by are made up for, with what was done before. Raises `BadInput`.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        env_id: str,
        alive: Alive,
        *,
        deadline: float,
        guard: Guard,
        fail_safe: Any = None,
        period: float = 0.0,
        hold: bool = False,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.env, self.guard, self.fail_safe = env, guard, fail_safe_of(env, fail_safe)
        guard.check_fail_safe(self.fail_safe)
        self._period_ns, self._hold, self._clock = round(1e9 * period), hold, clock
        self.deadline_ns = max(round(1e9 * seconds("deadline", deadline)), 2 * self._period_ns)
        self.session = Session(env, env_id, alive, "real-time", self.deadline_ns, self._period_ns)
        self._actions, self._observations = Actions(env.action_space), Values(env.observation_space)
        self._asked: Reset | None = None
        self._command: Command | None = None  # what was asked for last
        self._doing: Command | None = None  # what the latest tick did; None: the fail-safe action
        self._heard_ns = 0  # when the controller last said something valid
        self._before: Frames = []  # the answer to the latest message
        self._last: tuple[int, int] = (0, 0)  # seq and time of the latest valid one, which outcomes echo
        self._told = np.zeros(TOLD, np.int64)
        self.ticks = 0  # of the episode
        self.age_ns: int | None = None  # of what the latest tick's command was decided on; None: there was no command
        self.held = 0  # ticks before the latest one that were made up for
        self.done: Any = None  # the action of the latest tick; None: no episode ran
        self.helped, self.lapses = 0, 0  # ticks of the fail-safe action, and how often it took over from a command

    @property
    def running(self) -> bool:
        """Whether an episode runs."""
        return self.session.running

    def take(self, identity: bytes, frames: Sequence[Any], came_ns: int) -> Frames:
        """A message of `identity`, which came at `came_ns` or later; what goes back at once, if anything."""
        session = seq = 0
        try:
            header = messages.from_controller(frames[0] if frames else b"")
            if isinstance(header, Hello):
                return self._greet(identity, header, len(frames) - 1, came_ns)
            session, seq = header.session, header.seq
            self.session.check(identity, header)
            if seq == self.session.seq > 0:
                return self._before  # the latest message again
            if seq <= self.session.seq:
                raise Refusal("order", f"seq must be above {self.session.seq}, got {seq}")
            self.session.seq = seq
            self._before = self._apply(header, list(frames[1:]), came_ns)
        except (Refusal, LinkError) as error:
            answer = self.session.refuse(error, session, seq)
            if seq and seq == self.session.seq:
                self._before = answer
            return answer
        return self._before

    def tick(self, now_ns: int, late_ns: int = 0, left_out: int = 0) -> Post | None:
        """The plant's time goes on by a tick, which begins so late; what the controller is told of it.

        `left_out`: ticks before it whose time went by.
        """
        self.age_ns, self.done, self.held = None, None, 0
        what = "step" if self._asked is None else "reset"
        try:
            if self._asked is not None:
                told = self._reset(self._asked)
            elif self.running:
                told = self._moved(now_ns, late_ns, left_out)
            else:
                return None
        except Exception as error:
            self.session.running, self._asked = False, None
            told = self.session.refuse(failed(what, error), self.session.number)
        to = self.session.controller
        return None if to is None else (to, told)

    def rest(self) -> bool:
        """A tick of the fail-safe action: the plant is about to be left alone. Whether it is reached: slew may delay it."""
        if not self.running:
            return True
        try:
            self._step(None)
        except Exception:  # nothing more can be done for it
            self.session.running = False
        return not self.running or self.guard.arrived(self.fail_safe)

    def _greet(self, identity: bytes, hello: Hello, n_frames: int, came_ns: int) -> Frames:
        idle = came_ns - self._heard_ns > max(IDLE_NS, self.deadline_ns)
        if self.session.greet(identity, hello, n_frames, idle):
            self._forget()
        self._heard_ns = came_ns
        return self.session.welcome(self._actions.write(self.fail_safe))

    def _forget(self) -> None:
        """Nothing is asked for."""
        self._command, self._asked, self._last, self._before = None, None, (0, 0), []

    def _apply(self, header: Numbered, frames: Frames, came_ns: int) -> Frames:
        if not isinstance(header, Step) and frames:
            raise Refusal("message", f"a {header.__struct_config__.tag} has no frames, got {len(frames)}")
        match header:
            case Step():
                self._command = self._commanded(header, frames, came_ns)
            case Reset():
                self._asked, self._command = header, None
            case Render():
                raise Refusal("plant", "a plant that keeps its time does not stop to draw; look at it by its camera")
            case Bye():
                farewell = self._outcome([], header=header)
                self.session.leave()
                self._forget()
                return farewell
        self._heard_ns, self._last = came_ns, (header.seq, header.t_ns)
        return []

    def _commanded(self, header: Step, frames: Frames, came_ns: int) -> Command:
        action = self._actions.read(frames)
        if self._asked is not None:
            raise Refusal("episode", "an episode is about to begin; wait for its first outcome")
        if not self.running:
            raise Refusal("episode", "the episode is over, or none began; reset first")
        if header.tick > self.ticks:
            raise Refusal("value", f"tick must be at most {self.ticks}, the latest of this episode, got {header.tick}")
        seen_ns = int(self._told[max(header.tick, self.ticks - TOLD + 1) % TOLD])
        return Command(action, max(came_ns, seen_ns), seen_ns)  # it was not there before what it answers

    def _reset(self, asked: Reset) -> Frames:
        self._asked, self._command, self._doing = None, None, None
        self.session.running = False  # unless that succeeds
        observation, info = self.env.reset(seed=asked.seed, options=asked.options)
        frames = self._observations.write(observation)
        self.guard.reset()
        self.session.begin()
        self.ticks = 0
        self._heard_ns = self._clock()  # resets may take long
        return self._outcome(frames, info)

    def _moved(self, now_ns: int, late_ns: int, left_out: int) -> Frames:
        """Ticks whose time went by are made up for, if so wished; then comes this one."""
        left_out *= self.ticks > 0  # the episode's time began with it
        newest, doing = self._chosen(now_ns), self._doing
        held, total, done = min(left_out, MOST_HELD) if self._hold else 0, 0.0, 0
        for ago in range(held, -1, -1):
            now = now_ns - ago * self._period_ns
            command = newest if ago == 0 else doing if doing and now - doing.came_ns < self.deadline_ns else None
            observation, reward, terminated, truncated, info = self._step(command)
            total, done = total + float(reward), done + 1
            if not self.running:
                break
        self._doing, self.held = command, done - 1
        self.age_ns = None if command is None else max(0, now - command.seen_ns)
        return self._outcome(
            self._observations.write(observation), info, total, bool(terminated), bool(truncated),
            live=command is not None, age_ns=self.age_ns or 0, late_ns=max(0, late_ns), held=self.held,
            left_out=left_out - self.held,
        )  # fmt: skip

    def _chosen(self, now_ns: int) -> Command | None:
        """The command, if it is fresh. If it is no more, its controller loses the plant."""
        if self._command is not None and now_ns - self._command.came_ns >= self.deadline_ns:
            self.session.leave()
            self._forget()
            self.lapses += 1
        return self._command

    def _step(self, command: Command | None) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """A tick, of a command or of the fail-safe action."""
        self.helped += command is None
        self.done = self.guard(self.fail_safe if command is None else command.action)
        answer = self.env.step(self.done)
        self.ticks += 1
        self._told[self.ticks % TOLD] = self._clock()
        self.session.running = not (answer[2] or answer[3])
        return answer

    def _outcome(
        self,
        frames: Frames,
        info: dict[str, Any] | None = None,
        reward: float = 0.0,
        terminated: bool = False,
        truncated: bool = False,
        header: Bye | None = None,
        live: bool = False,
        **told: int,
    ) -> Frames:
        ack, echo_ns = self._last if header is None else (header.seq, header.t_ns)
        self.session.sent += 1
        now_ns = self._clock()
        self._told[self.ticks % TOLD] = now_ns
        outcome = Outcome(
            session=self.session.number, seq=self.session.sent, ack=ack, t_ns=now_ns, echo_ns=echo_ns,
            episode=self.session.episodes, tick=self.ticks, reward=reward, terminated=terminated, truncated=truncated,
            live=live, info=info or {}, **told,
        )  # fmt: skip
        return [messages.told(outcome), *frames]
