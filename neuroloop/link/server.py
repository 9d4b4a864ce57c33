"""A plant behind a ROUTER socket: `PlantServer`, which `neuroloop serve` runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import zmq

from ..errors import BadInput
from ..loop.clock import Clock, Policy, seconds
from ..loop.plant import step_time
from ..loop.priority import undisturbed
from ..loop.safety import Guard
from ..loop.timing import Timing
from .endpoint import endpoint_of
from .frames import NOW, send_now
from .inbox import Inbox, most_bytes, room_of
from .keys import Keys
from .live import LivePlant
from .serving import Serving
from .sockets import bound, socket_of
from .telemetry.plant_tap import tapped

POLL_MS = 100  # between looks at whether to stop
MOST_READ, LEAST_READ = 256, 8  # messages a tick: after the least of them, for at most a quarter of it
MOST_HEARD = 16  # messages a tick of who has not got the plant; others are passed over
MOST_LOOKS, SECOND = 8, 1_000_000_000  # whether a controller is connected: so often a second (ns)
DEADLINE = 0.1  # s


def _nothing() -> None:
    pass


class PlantServer:
    """Serves an environment at an endpoint to one controller at a time, in lockstep: it waits for every action.

        with PlantServer(env, "ipc:///tmp/plant/plant.ipc") as server:
            server.serve()

    `keys`: needed where other machines can reach it. Raises `BadInput` for an endpoint that is none, or taken.
    """

    def __init__(
        self, env: gymnasium.Env[Any, Any], endpoint: str, env_id: str | None = None, keys: Keys | None = None
    ) -> None:
        self.env, self._endpoint, self._keys = env, endpoint_of(endpoint), keys
        self._name = env_id or (env.spec.id if env.spec is not None else type(env.unwrapped).__name__)
        room = room_of(env.action_space)
        self._socket = socket_of(zmq.ROUTER, self._endpoint, most_bytes(room))
        self._inbox = Inbox(self._socket, room)
        try:
            self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            self.url = bound(self._socket, self._endpoint, keys)
        except BaseException:
            self._socket.close()
            raise
        self._stopped = threading.Event()
        self.timing, self.refused = Timing(), list[str]()
        self._looked_ns = 0  # when the queue was last seen empty
        self._looks, self._looks_ns = 0, 0  # of this second, and when it began

    def serve(
        self,
        fail_safe: Any = None,
        *,
        period: float | None = None,
        amplitude: float | None = None,
        slew: float | None = None,
        ready: Callable[[], None] = _nothing,
    ) -> None:
        """Answer until `stop` is called, from another thread or a signal; an episode that runs then ends in the fail-safe
        action.

        `period` (s) of a step: what the environment says; `amplitude` and `slew`: see `Guard`; `ready` is called as soon as
        all of it was found right. Raises `BadInput`.
        """
        lasts = self._period(period, needed=slew is not None)
        guard = Guard(self.env.action_space, lasts or 1.0, amplitude, slew)
        serving = Serving(self.env, self._name, self._connected, fail_safe, guard, lasts)
        self._socket.setsockopt(zmq.RCVTIMEO, POLL_MS)
        ready()
        while not self._stopped.is_set():
            if message := self._inbox.take():
                identity, *frames = message
                answer = serving.session.overlong(identity, frames) or serving.answer(identity, frames)
                self._send([identity, *answer])
        serving.rest()

    def serve_in_real_time(
        self,
        *,
        period: float | None = None,
        deadline: float = DEADLINE,
        policy: Policy = "skip",
        fail_safe: Any = None,
        amplitude: float | None = None,
        slew: float | None = None,
        fifo: bool = False,
        tap: str | None = None,
        ready: Callable[[], None] = _nothing,
    ) -> LivePlant:
        """Keep the plant's own time until `stop` is called; the plant's last action is its fail-safe one.

        `period` (s) of a tick: what the environment says its steps last. `deadline` (s) and `fail_safe`: see `LivePlant`;
        `policy`: see `Clock`; `amplitude` and `slew`: see `Guard`; `tap`: an endpoint at which every tick is published;
        `ready` is called as soon as all of it was found right. Raises `BadInput`.
        """
        lasts = self._period(period, needed=True)
        clock, guard = Clock(lasts, policy), Guard(self.env.action_space, lasts, amplitude, slew)
        plant = LivePlant(
            self.env, self._name, self._connected, deadline=deadline, guard=guard, fail_safe=fail_safe, period=lasts,
            hold=policy == "hold",
        )  # fmt: skip
        with (
            tapped(tap, plant, self._name, lasts, self._keys) as watched,
            undisturbed(fifo) as self.refused,
        ):
            ready()
            clock.start()
            self._looked_ns = time.monotonic_ns()
            while not self._stopped.is_set():
                late, left_out = clock.wait()
                begun = time.monotonic_ns()
                self._turn(plant, clock.tick_ns, late, left_out, begun + clock.period_ns // 4)
                took, left_out = time.monotonic_ns() - begun, left_out - plant.held
                self.timing.note(begun, late, left_out, took, plant.age_ns, plant.held)
                if watched is not None:
                    watched.put(late, left_out)
            while not plant.rest():
                clock.wait()
        return plant

    def _turn(self, plant: LivePlant, now_ns: int, late_ns: int, left_out: int, until_ns: int) -> None:
        """Read what came, as long as there is time `until_ns`, move the plant by a tick that was due then, tell of it.

        What is read came after the queue was last seen empty: from then on it ages, so that a deadline is never overrun by the
        time that a command lay there, be it because the plant was stopped or because it is flooded.
        """
        session, strangers = plant.session, 0
        for n in range(MOST_READ):
            if n >= LEAST_READ and time.monotonic_ns() >= until_ns:
                break
            message = self._inbox.take(NOW, until_ns)
            if not message:
                if not self._inbox.unfinished:
                    self._looked_ns = now_ns
                break
            identity, *frames = message
            if session.is_stranger(identity):
                strangers += 1
                if strangers > MOST_HEARD:
                    session.refused += 1
                    continue
            answer = session.overlong(identity, frames) or plant.take(identity, frames, self._looked_ns)
            if answer:
                self._send([identity, *answer])
        if post := plant.tick(now_ns, late_ns, left_out):
            self._send([post[0], *post[1]])

    def stop(self) -> None:
        """Have `serve` return soon."""
        self._stopped.set()

    def close(self) -> None:
        """Close the socket, and take away its file. The environment stays open."""
        self.stop()
        if not self._socket.closed:
            if self._endpoint.path is not None:
                self._endpoint.path.unlink(missing_ok=True)  # before another one can lie there
            self._socket.close()

    def __enter__(self) -> PlantServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, frames: list[Any]) -> bool:
        """Whether somebody is there to take it."""
        try:
            send_now(self._socket, frames)
        except zmq.ZMQError:  # gone, or does not read
            return False
        return True

    def _connected(self, identity: bytes) -> bool:
        """Whether a peer's connection stands: an empty message, which peers ignore, finds its way, or a full queue of one that
        does not read. Where others ask all the time it is taken to stand, lest its queue be full of such messages."""
        now = time.monotonic_ns()
        if now - self._looks_ns >= SECOND:
            self._looks, self._looks_ns = 0, now
        if self._looks >= MOST_LOOKS:
            return True
        self._looks += 1
        try:
            send_now(self._socket, [identity, b""])
        except zmq.ZMQError as error:
            return error.errno != zmq.EHOSTUNREACH
        return True

    def _period(self, period: float | None, needed: bool) -> float:
        """How long a step lasts (s); 0 where that is neither known nor needed."""
        if period is not None:
            return seconds("period", period)
        known = step_time(self.env)
        if known is None and needed:
            raise BadInput(f"{self._name}: does not say how long its steps last; give a period in s (`serve --period`)")
        return known or 0.0
