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
        self.env, self._endpoint = env, endpoint_of(endpoint)
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

    def serve(self) -> None:
        """Answer until `stop` is called, from another thread or a signal."""
        serving = Serving(self.env, self._name, self._connected)
        self._socket.setsockopt(zmq.RCVTIMEO, POLL_MS)
        while not self._stopped.is_set():
            if message := receive(self._socket):
                identity, *frames = message
                self._send([identity, *serving.answer(identity, frames)])

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
    ) -> LivePlant:
        """Keep the plant's own time until `stop` is called; the plant's last action is its fail-safe one.

        `period` (s) of a tick: what the environment says its steps last. `deadline` (s) and `fail_safe`: see `LivePlant`;
        `policy`: see `Clock`; `amplitude` and `slew`: see `Guard`. Raises `BadInput`.
        """
        seconds = period if period is not None else step_time(self.env)
        if seconds is None:
            raise BadInput(f"{self._name}: does not say how long its steps last; give a period in s")
        clock, guard = Clock(seconds, policy), Guard(self.env.action_space, seconds, amplitude, slew)
        plant = LivePlant(self.env, self._name, self._connected, deadline=deadline, guard=guard, fail_safe=fail_safe)
        with undisturbed(fifo) as self.refused:
            clock.start()
            while not self._stopped.is_set():
                late, left_out = clock.wait()
                begun = time.monotonic_ns()
                self._turn(plant, clock.tick_ns)
                self.timing.note(begun, late, left_out, time.monotonic_ns() - begun, 0)
            plant.rest()
        return plant

    def _turn(self, plant: LivePlant, now_ns: int) -> None:
        """Read all that came, move the plant by a tick that was due then, tell of it."""
        for _ in range(MOST_READ):
            message = receive(self._socket, NOW)
            if not message:
                break
            identity, *frames = message
            if answer := plant.take(identity, frames, now_ns):
                self._send([identity, *answer])
        if post := plant.tick(now_ns):
            self._send([post[0], *post[1]])

    def stop(self) -> None:
        """Have `serve` return soon."""
        self._stopped.set()

    def close(self) -> None:
        """Close the socket, and take away its file. The environment stays open."""
        self.stop()
        if not self._socket.closed:
            self._socket.close()
            if self._endpoint.path is not None:
                self._endpoint.path.unlink(missing_ok=True)

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
