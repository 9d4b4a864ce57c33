"""Whether a socket's connection stands, and why it does not: what ZeroMQ tells of it."""

from __future__ import annotations

from typing import Any

import zmq
from zmq.utils.monitor import parse_monitor_message

_UP = zmq.EVENT_HANDSHAKE_SUCCEEDED
_DOWN = zmq.EVENT_DISCONNECTED
_REASONS = {  # of us who have keys
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "our key is not allowed there (`neuroloop keys allow`)",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "we come with keys, and it is not locked, or it is no neuroloop",
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "no handshake: is its public key another one (`neuroloop keys show` there)?",
}
_WITHOUT_KEYS = (
    "no handshake: it may be locked; give our keys and its public key (--keys, --server-key), or it is no neuroloop"
)


class Connection:
    """Watches the only connection of a socket that connects."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        watched = _UP | _DOWN
        for event in _REASONS:
            watched |= event
        self._events: Any = socket.get_monitor_socket(watched)
        self._stands, self._why = False, ""

    @property
    def stands(self) -> bool:
        """Whether both sides have shaken hands."""
        self._read()
        return self._stands

    @property
    def why(self) -> str:
        """Why hands could not be shaken; empty where that was not tried, or worked."""
        self._read()
        return self._why

    def close(self) -> None:
        """Watch no more; the socket stays open."""
        if not self._events.closed:
            self._socket.disable_monitor()

    def _read(self) -> None:
        while not self._events.closed and self._events.poll(0):
            event = parse_monitor_message(self._events.recv_multipart())["event"]
            if event == _UP:
                self._stands, self._why = True, ""
            elif event == _DOWN:
                self._stands = False
            else:
                keyed = self._socket.getsockopt(zmq.MECHANISM) == zmq.CURVE
                self._why = _REASONS[zmq.Event(event)] if keyed else _WITHOUT_KEYS
