"""A plant behind a ROUTER socket: `PlantServer`, which `neuroloop serve` runs."""

from __future__ import annotations

import threading
import time
from typing import Any

import gymnasium
import zmq

from ..errors import BadInput
from ..loop.clock import Clock, Policy
from ..loop.plant import step_time
from ..loop.priority import undisturbed
from ..loop.safety import Guard
from ..loop.timing import Timing
from .endpoint import endpoint_of
from .frames import NOW, receive, send_now
from .keys import Keys
from .live import LivePlant
from .serving import Serving
from .sockets import bound, socket_of
from .telemetry.plant_tap import tapped

POLL_MS = 100  # between looks at whether to stop
MOST_READ = 256  # messages a tick
DEADLINE = 0.1  # s


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
        self._socket = socket_of(zmq.ROUTER, self._endpoint)
        try:
            self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            self.url = bound(self._socket, self._endpoint, keys)
        except BaseException:
            self._socket.close()
            raise
        self._stopped = threading.Event()
        self.timing, self.refused = Timing(), list[str]()
        self._looked_ns = 0  # when the queue was last seen empty

    def serve(self, fail_safe: Any = None) -> None:
        """Answer until `stop` is called, from another thread or a signal; an episode that runs then ends in the fail-safe
        action."""
        serving = Serving(self.env, self._name, self._connected, fail_safe)
        self._socket.setsockopt(zmq.RCVTIMEO, POLL_MS)
        while not self._stopped.is_set():
            if message := receive(self._socket):
                identity, *frames = message
                self._send([identity, *serving.answer(identity, frames)])
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
    ) -> LivePlant:
        """Keep the plant's own time until `stop` is called; the plant's last action is its fail-safe one.

        `period` (s) of a tick: what the environment says its steps last. `deadline` (s) and `fail_safe`: see `LivePlant`;
        `policy`: see `Clock`; `amplitude` and `slew`: see `Guard`; `tap`: an endpoint at which every tick is published.
        Raises `BadInput`.
        """
        seconds = period if period is not None else step_time(self.env)
        if seconds is None:
            raise BadInput(f"{self._name}: does not say how long its steps last; give a period in s")
        clock, guard = Clock(seconds, policy), Guard(self.env.action_space, seconds, amplitude, slew)
        plant = LivePlant(
            self.env, self._name, self._connected, deadline=deadline, guard=guard, fail_safe=fail_safe, period=seconds,
            hold=policy == "hold",
        )  # fmt: skip
        with (
            tapped(tap, plant, self._name, seconds, self._keys) as watched,
            undisturbed(fifo) as self.refused,
        ):
            clock.start()
            self._looked_ns = time.monotonic_ns()
            while not self._stopped.is_set():
                late, left_out = clock.wait()
                begun = time.monotonic_ns()
                self._turn(plant, clock.tick_ns, late, left_out)
                self.timing.note(begun, late, left_out, time.monotonic_ns() - begun, plant.age_ns)
                if watched is not None:
                    watched.put(late, left_out)
            while not plant.rest():
                clock.wait()
        return plant

    def _turn(self, plant: LivePlant, now_ns: int, late_ns: int, left_out: int) -> None:
        """Read all that came, move the plant by a tick that was due then, tell of it.

        What is read came after the queue was last seen empty: from then on it ages, so that a deadline is never overrun by the
        time that a command lay there, be it because the plant was stopped or because it is flooded.
        """
        for _ in range(MOST_READ):
            message = receive(self._socket, NOW)
            if not message:
                self._looked_ns = now_ns
                break
            identity, *frames = message
            if answer := plant.take(identity, frames, self._looked_ns):
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
        """Whether a peer's connection stands: an empty message, which peers ignore, finds its way."""
        return self._send([identity, b""])
