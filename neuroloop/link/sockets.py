"""ZeroMQ sockets as both sides use them. No heartbeats: they abort processes, and a hung one answers them all the same."""

from __future__ import annotations

from typing import Any

import zmq

from ..errors import BadInput, LinkError
from .endpoint import Endpoint, own_folder

MOST_BYTES = 1 << 28  # of a frame
QUEUE = 64  # messages


def socket_of(kind: int, endpoint: Endpoint) -> zmq.Socket[bytes]:
    """A socket that neither lingers nor takes messages without end."""
    made: Any = zmq.Context.instance().socket(kind)
    made.setsockopt(zmq.LINGER, 0)
    made.setsockopt(zmq.MAXMSGSIZE, MOST_BYTES)
    made.setsockopt(zmq.RCVHWM, QUEUE)
    made.setsockopt(zmq.SNDHWM, QUEUE)
    made.setsockopt(zmq.IPV6, int("[" in endpoint.url))
    return made  # type: ignore[no-any-return]


def bound(socket: zmq.Socket[bytes], endpoint: Endpoint) -> str:
    """Bind; returns where. Raises `BadInput` for a place that is taken, or not ours to open."""
    if endpoint.path is not None:
        own_folder(endpoint.path)
    elif not endpoint.loopback:
        raise BadInput(f"{endpoint.url}: other machines could drive the plant; use tcp://127.0.0.1:PORT, or keys")
    try:
        socket.bind(endpoint.url)
    except zmq.ZMQError as error:
        raise BadInput(f"{endpoint.url}: {error.strerror}; is another plant served there?") from None
    return str(socket.get_string(zmq.LAST_ENDPOINT))


def connected(socket: zmq.Socket[bytes], endpoint: Endpoint) -> None:
    """Connect. Raises `LinkError`."""
    try:
        socket.connect(endpoint.url)
    except zmq.ZMQError as error:
        raise LinkError(f"{endpoint.url}: {error.strerror}") from None
