"""A plant behind a ROUTER socket: `PlantServer`, which `neuroloop serve` runs."""

from __future__ import annotations

import threading
from typing import Any

import gymnasium
import zmq

from .endpoint import endpoint_of
from .serving import Serving
from .sockets import bound, socket_of

POLL_MS = 100  # between looks at whether to stop


class PlantServer:
    """Serves an environment at an endpoint, in lockstep, to one controller at a time.

        with PlantServer(env, "ipc:///tmp/plant/plant.ipc") as server:
            server.serve()

    Raises `BadInput` for an endpoint that is none, or taken.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], endpoint: str, env_id: str | None = None) -> None:
        self._endpoint = endpoint_of(endpoint)
        name = env_id or (env.spec.id if env.spec is not None else type(env.unwrapped).__name__)
        self._socket = socket_of(zmq.ROUTER, self._endpoint)
        try:
            self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            self._socket.setsockopt(zmq.ROUTER_HANDOVER, 0)
            self.url = bound(self._socket, self._endpoint)
        except BaseException:
            self._socket.close()
            raise
        self.serving = Serving(env, name, self._connected)
        self._stopped = threading.Event()

    def serve(self) -> None:
        """Answer until `stop` is called, from another thread or a signal."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        while not self._stopped.is_set():
            if poller.poll(POLL_MS):
                self._answer()

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

    def _answer(self) -> None:
        identity, *frames = self._socket.recv_multipart(copy=True)
        self._send([identity, *self.serving.answer(identity, frames)])

    def _send(self, frames: list[Any]) -> bool:
        """Whether somebody is there to take it."""
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK, copy=True)
        except zmq.ZMQError:  # gone, or does not read
            return False
        return True

    def _connected(self, identity: bytes) -> bool:
        """Whether a peer's connection stands: an empty message, which peers ignore, finds its way."""
        return self._send([identity, b""])
