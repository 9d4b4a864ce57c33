"""The controller's end of a link: says hello, numbers its messages, waits for answers."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Any

import zmq

from ..errors import LinkError, PlantError
from . import messages
from .endpoint import Endpoint
from .frames import NOW, receive, send_now
from .keys import Keys
from .messages import PROTOCOL, Bye, FromPlant, Hello, Refused, Welcome
from .sockets import connected, socket_of

TRIES = 4  # within the timeout, a message is sent so often: what arrives twice is applied once
PARTING_MS = 200  # that a bye is waited for
Answer = tuple[Any, list[bytes]]


class SessionLost(LinkError):
    """The plant does not know us, or no longer."""


class Line:
    """A DEALER socket to a plant. `timeout` (s): after so long without an answer a `LinkError` says so."""

    def __init__(
        self, endpoint: Endpoint, timeout: float, keys: Keys | None = None, server_key: bytes | None = None
    ) -> None:
        self.url, self._timeout = endpoint.url, timeout
        self.session, self.seq = 0, 0
        self._patience = -1  # ms that the socket waits at present
        self._socket = socket_of(zmq.DEALER, endpoint)
        try:
            self._socket.setsockopt(zmq.IMMEDIATE, 1)
            connected(self._socket, endpoint, keys, server_key)
        except BaseException:
            self._socket.close()
            raise

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return bool(self._socket.closed)

    def greet(self) -> Welcome:
        """Say hello, with a session of our own. Raises `LinkError`."""
        from .. import __version__

        self.session, self.seq = secrets.randbits(62) + 1, 0
        hello = Hello(protocol=PROTOCOL, session=self.session, client=f"neuroloop {__version__}")
        welcome, _ = self.exchange([messages.packed(hello)], lambda header: isinstance(header, Welcome))
        if welcome.protocol != PROTOCOL:
            raise LinkError(f"{self.url}: speaks version {welcome.protocol}, we {PROTOCOL}; install matching versions")
        return welcome  # type: ignore[no-any-return]

    def numbers(self) -> dict[str, int]:
        """What every message but hello holds."""
        self.seq += 1
        return {"session": self.session, "seq": self.seq, "t_ns": time.monotonic_ns()}

    def ask(self, header: Any, frames: list[Any], kind: type[Any]) -> Answer:
        """Send a message and wait for its answer, which must be of a kind."""
        seq = header.seq
        answer, seen = self.exchange(
            [messages.packed(header), *frames], lambda found: not isinstance(found, Welcome) and found.ack == seq
        )
        if not isinstance(answer, kind):
            raise LinkError(f"{self.url}: expected {kind.__name__}, got {type(answer).__name__}")
        return answer, seen

    def exchange(self, message: list[Any], fits: Callable[[FromPlant], bool]) -> Answer:
        """Send, again where nothing comes, until an answer that fits is there. Raises `LinkError`."""
        for _ in range(TRIES):
            again = time.monotonic() + self._timeout / TRIES
            if self.send(message, again) and (answer := self.next(fits, again)):
                return answer
        raise self.silence()

    def send(self, message: list[Any], until: float | None = None) -> bool:
        """Send as soon as somebody is there to read it; False if nobody was `until` then."""
        try:
            send_now(self._socket, message)
        except zmq.Again:  # nobody yet
            if not self._socket.poll(_ms(self._end() if until is None else until), zmq.POLLOUT):
                return False
            send_now(self._socket, message)
        return True

    def next(self, fits: Callable[[FromPlant], bool], until: float | None = None) -> Answer | None:
        """The next message of this session that fits; None if none came `until` then. Raises for a refusal."""
        end = self._end() if until is None else until
        while message := self._received(_ms(end)):
            first, *frames = message
            if not first:
                continue  # the plant looked whether we are here
            header = messages.from_plant(first)
            if isinstance(header, Refused) and header.session in (0, self.session):
                raise self._refusal(header)
            if header.session == self.session and fits(header):
                return header, frames
        return None

    def _received(self, ms: int) -> list[bytes]:
        """The next message, or nothing if none came within `ms`: a socket's own timeout costs less than asking it first."""
        if ms == 0:
            return receive(self._socket, NOW)
        if ms != self._patience:
            self._socket.setsockopt(zmq.RCVTIMEO, ms)
            self._patience = ms
        return receive(self._socket)

    def silence(self) -> LinkError:
        """What to say where nobody answers."""
        return LinkError(f"{self.url}: no answer for {self._timeout:g} s; is a plant served there (`neuroloop serve`)?")

    def close(self) -> None:
        """Say bye. A second call does nothing."""
        if self.closed:
            return
        if self.session:
            with contextlib.suppress(zmq.ZMQError):  # nobody is there any more
                self._socket.send_multipart([messages.packed(Bye(**self.numbers()))], zmq.NOBLOCK)
                self._socket.poll(PARTING_MS)  # nothing lingers: wait until it went out
        self._socket.close()

    def _end(self) -> float:
        return time.monotonic() + self._timeout

    def _refusal(self, refused: Refused) -> Exception:
        kinds: dict[str, type[Exception]] = {"plant": PlantError, "value": PlantError, "session": SessionLost}
        return kinds.get(refused.code, LinkError)(f"{self.url}: {refused.reason}")


def _ms(until: float) -> int:
    return max(0, round(1000 * (until - time.monotonic())))
