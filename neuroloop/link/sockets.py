"""ZeroMQ sockets as both sides use them. No heartbeats: they abort processes, and a hung one answers them all the same."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import time
from typing import Any

import zmq
from zmq.auth.thread import ThreadAuthenticator

from ..errors import BadInput, LinkError
from .connection import Connection
from .endpoint import Endpoint, taking
from .keys import Keys, allowed_now

MOST_BYTES = 1 << 28  # of a frame
QUEUE = 64  # messages
_doors = itertools.count(1)  # locked sockets of this process
# a tcp peer of which nothing was heard for so long, or that took nothing, is gone: its plant is free for others
ALIVE = {
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 5,
    zmq.TCP_KEEPALIVE_INTVL: 1,
    zmq.TCP_KEEPALIVE_CNT: 5,
    zmq.TCP_MAXRT: 10_000,
}


def socket_of(kind: int, endpoint: Endpoint, most_bytes: int = MOST_BYTES) -> zmq.Socket[bytes]:
    """A socket that neither lingers nor takes messages without end; whoever sends a frame that is larger is cut off."""
    made: Any = zmq.Context.instance().socket(kind)
    made.setsockopt(zmq.LINGER, 0)
    made.setsockopt(zmq.MAXMSGSIZE, most_bytes)
    made.setsockopt(zmq.RCVHWM, QUEUE)
    made.setsockopt(zmq.SNDHWM, QUEUE)
    for option, value in ALIVE.items():
        made.setsockopt(option, value)
    made.setsockopt(zmq.IPV6, int("[" in endpoint.url))
    return made  # type: ignore[no-any-return]


def ms_until(moment: float) -> int:
    """How many ms are left until then, for `poll`."""
    return max(0, math.ceil(1000 * (moment - time.monotonic())))


def bound(socket: zmq.Socket[bytes], endpoint: Endpoint, keys: Keys | None = None) -> str:
    """Bind; returns where. Raises `BadInput` for a place that is taken, or not ours to open."""
    if endpoint.path is None and not endpoint.loopback and keys is None:
        could = "drive the plant" if socket.getsockopt(zmq.TYPE) == zmq.ROUTER else "read along"
        raise BadInput(
            f"{endpoint.url}: other machines could {could}; use tcp://127.0.0.1:PORT, or keys (`neuroloop keys new`)"
        )
    if keys is not None:
        _lock(socket, endpoint, keys)
    try:
        with contextlib.nullcontext() if endpoint.path is None else taking(endpoint.path):
            socket.bind(endpoint.url)
    except zmq.ZMQError as error:
        why = zmq.strerror(error.errno or 0)
        raise BadInput(f"{endpoint.url}: {why}; stop what runs there, or name another place") from None
    return str(socket.get_string(zmq.LAST_ENDPOINT))


def _lock(socket: Any, endpoint: Endpoint, keys: Keys) -> None:
    """Let in only those whose keys are allowed."""
    if endpoint.path is not None:
        raise BadInput(f"{endpoint.url}: keys are for tcp; a socket's folder keeps others out")
    if not keys.allowed:
        raise BadInput("keys: nobody is allowed; `neuroloop keys allow KEY --name NAME` lets somebody in")
    doorman = _doorman()
    domain = f"{next(_doors)}"  # so that several sockets of a process let in whom each of them allows
    doorman.configure_curve_callback(domain, _Guests(keys))
    socket.setsockopt(zmq.ZAP_DOMAIN, domain.encode())
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)


class _Guests:
    """Whom the authenticator lets in: who is allowed when they come, so that `neuroloop keys allow` counts at once."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether the owner of a public key may come in."""
        return key in allowed_now(self._keys)


@functools.cache
def _doorman() -> ThreadAuthenticator:
    """The one authenticator of this process, which ZeroMQ asks about every newcomer to a locked socket."""
    doorman = ThreadAuthenticator(zmq.Context.instance())
    doorman.start()
    return doorman


def connected(socket: Any, endpoint: Endpoint, keys: Keys | None = None, server_key: bytes | None = None) -> None:
    """Connect. Raises `LinkError`, or `BadInput` where one of the keys is missing."""
    if (keys is None) != (server_key is None):
        raise BadInput("keys: needs both our own (a folder) and the plant's public key, or neither")
    if keys is not None:
        socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
        socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
        socket.setsockopt(zmq.CURVE_SERVERKEY, server_key)
    try:
        socket.connect(endpoint.url)
    except zmq.ZMQError as error:
        raise LinkError(f"{endpoint.url}: {zmq.strerror(error.errno or 0)}") from None


class Subscriber:
    """A SUB socket to everything that is published at an endpoint. Raises `LinkError`, or `BadInput`."""

    def __init__(self, endpoint: Endpoint, keys: Keys | None = None, server_key: bytes | None = None) -> None:
        self._socket = socket_of(zmq.SUB, endpoint)
        self.connection = Connection(self._socket)  # before it connects, so that nothing is missed
        try:
            self._socket.setsockopt(zmq.SUBSCRIBE, b"")
            connected(self._socket, endpoint, keys, server_key)
        except BaseException:
            self.close()
            raise

    def comes(self, wait_ms: int) -> bool:
        """Whether a message is there by then."""
        return bool(self._socket.poll(wait_ms))

    def take(self) -> list[bytes]:
        """The next message."""
        return self._socket.recv_multipart(copy=True)

    def close(self) -> None:
        """Close the socket."""
        self.connection.close()
        self._socket.close()
