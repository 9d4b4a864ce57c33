"""ZeroMQ sockets as both sides use them. No heartbeats: they abort processes, and a hung one answers them all the same."""

from __future__ import annotations

import functools
from typing import Any

import zmq
from zmq.auth.thread import ThreadAuthenticator

from ..errors import BadInput, LinkError
from .endpoint import Endpoint, own_folder
from .keys import Keys

MOST_BYTES = 1 << 28  # of a frame
QUEUE = 64  # messages
# a tcp peer of which nothing was heard for so long, or that took nothing, is gone: its plant is free for others
ALIVE = {
    zmq.TCP_KEEPALIVE: 1,
    zmq.TCP_KEEPALIVE_IDLE: 5,
    zmq.TCP_KEEPALIVE_INTVL: 1,
    zmq.TCP_KEEPALIVE_CNT: 5,
    zmq.TCP_MAXRT: 10_000,
}


def socket_of(kind: int, endpoint: Endpoint) -> zmq.Socket[bytes]:
    """A socket that neither lingers nor takes messages without end."""
    made: Any = zmq.Context.instance().socket(kind)
    made.setsockopt(zmq.LINGER, 0)
    made.setsockopt(zmq.MAXMSGSIZE, MOST_BYTES)
    made.setsockopt(zmq.RCVHWM, QUEUE)
    made.setsockopt(zmq.SNDHWM, QUEUE)
    for option, value in ALIVE.items():
        made.setsockopt(option, value)
    made.setsockopt(zmq.IPV6, int("[" in endpoint.url))
    return made  # type: ignore[no-any-return]


def bound(socket: zmq.Socket[bytes], endpoint: Endpoint, keys: Keys | None = None) -> str:
    """Bind; returns where. Raises `BadInput` for a place that is taken, or not ours to open."""
    if endpoint.path is not None:
        own_folder(endpoint.path)
    elif not endpoint.loopback and keys is None:
        raise BadInput(
            f"{endpoint.url}: other machines could drive the plant; use tcp://127.0.0.1:PORT, or keys (`neuroloop keys new`)"
        )
    if keys is not None:
        _lock(socket, endpoint, keys)
    try:
        socket.bind(endpoint.url)
    except zmq.ZMQError as error:
        raise BadInput(f"{endpoint.url}: {error.strerror}; is another plant served there?") from None
    return str(socket.get_string(zmq.LAST_ENDPOINT))


def _lock(socket: Any, endpoint: Endpoint, keys: Keys) -> None:
    """Let in only those whose keys are allowed."""
    if endpoint.path is not None:
        raise BadInput(f"{endpoint.url}: keys are for tcp; a socket's folder keeps others out")
    if not keys.allowed:
        raise BadInput("keys: nobody is allowed; `neuroloop keys allow KEY --name NAME` lets somebody in")
    doorman = _doorman()
    doorman.configure_curve_callback("*", _Guests(frozenset(keys.allowed.values())))
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)


class _Guests:
    """Whom the authenticator lets in."""

    def __init__(self, allowed: frozenset[bytes]) -> None:
        self._allowed = allowed

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether the owner of a public key may come in."""
        return key in self._allowed


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
        raise LinkError(f"{endpoint.url}: {error.strerror}") from None
