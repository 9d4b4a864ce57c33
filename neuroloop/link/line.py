"""The controller's end of a link: says hello, numbers its messages, waits for answers, finds a plant again that was gone."""

from __future__ import annotations

import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any

import zmq

from ..errors import LinkError, PlantError
from . import messages
from .connection import Connection
from .endpoint import Endpoint
from .frames import NOW, receive, send_now
from .keys import Keys
from .messages import PROTOCOL, Bye, FromPlant, Hello, Refused, Welcome
from .sockets import connected, ms_until, socket_of

TRIES = 4  # within the timeout, a message is sent so often: what arrives twice is applied once
PARTING_MS = 200  # that a bye's answer is waited for
LOOK_MS = 100  # between looks at whether the connection stands
MOST_READ = 256  # messages that do not fit, before somebody else is asked what to do
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0  # s, between tries to find a plant again; they double
RECONNECT_MS, LONGEST_RECONNECT_MS = 20, 250  # the same, of ZeroMQ's connections
Answer = tuple[Any, list[bytes]]
Fits = Callable[[FromPlant], bool]
log = logging.getLogger("neuroloop.link")


class SessionLost(LinkError):
    """The plant does not know us, or no longer."""


class Busy(LinkError):
    """Another controller has the plant."""


class Silent(LinkError):
    """Nobody answers."""


class EpisodeOver(PlantError):
    """No episode runs at the plant."""


GONE = SessionLost, Busy, Silent  # what may be well again


class Line:
    """A DEALER socket to a plant. `timeout` (s): after so long without an answer a `LinkError` says so."""

    def __init__(
        self, endpoint: Endpoint, timeout: float, keys: Keys | None = None, server_key: bytes | None = None
    ) -> None:
        self.url, self._timeout = endpoint.url, timeout
        self.session, self.seq = 0, 0
        self._patience = -1  # ms that the socket waits at present
        self._socket = socket_of(zmq.DEALER, endpoint)
        self._connection = Connection(self._socket)
        try:
            self._socket.setsockopt(zmq.IMMEDIATE, 1)
            self._socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
            self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, LONGEST_RECONNECT_MS)
            connected(self._socket, endpoint, keys, server_key)
        except BaseException:
            self._connection.close()
            self._socket.close()
            raise

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return bool(self._socket.closed)

    def greet(self) -> tuple[Welcome, list[bytes]]:
        """Say hello, with a session of our own. Raises `LinkError`."""
        hello = self._hello()
        return self._checked(self.exchange(lambda: [hello], _is_welcome))

    def regain(self, patience: float) -> tuple[Welcome, list[bytes]]:
        """Say hello until somebody answers, for at most `patience` s and at least once. Raises `LinkError`."""
        hello, pause, end = self._hello(), FIRST_PAUSE, time.monotonic() + patience
        while True:
            until = time.monotonic() + pause
            try:
                if self.send([hello], until) and (answer := self.next(_is_welcome, until)):
                    return self._checked(answer)
                gone: LinkError = self.silence(patience)
            except GONE as error:
                gone = error
                if isinstance(error, SessionLost):
                    hello = self._hello()
            left = min(until, end) - time.monotonic()
            time.sleep(max(0.0, left))
            if time.monotonic() >= end:
                raise gone
            pause = min(2 * pause, LONGEST_PAUSE)

    def numbers(self) -> dict[str, int]:
        """What every message but hello holds."""
        self.seq += 1
        return {"session": self.session, "seq": self.seq, "t_ns": time.monotonic_ns()}

    def ask(self, header: Any, frames: list[Any], kind: type[Any]) -> Answer:
        """Send a message and wait for its answer, which must be of a kind."""
        seq, message = header.seq, [messages.packed(header), *frames]
        answer, seen = self.exchange(lambda: message, lambda found: not isinstance(found, Welcome) and found.ack == seq)
        if not isinstance(answer, kind):
            raise LinkError(f"{self.url}: expected {kind.__name__}, got {type(answer).__name__}")
        return answer, seen

    def exchange(self, message: Callable[[], list[Any]], fits: Fits, again: float | None = None) -> Answer:
        """Send, every `again` s anew where nothing comes, until an answer that fits is there. Raises `LinkError`."""
        end, met = time.monotonic() + self._timeout, True
        while (now := time.monotonic()) < end:
            until = min(now + (again or self._timeout / TRIES), end)
            if self.send(message(), until):
                if answer := self.next(fits, until):
                    return answer
            elif met:
                met = False
                log.warning("%s: nobody is there; trying again", self.url)
        raise self.silence(self._timeout)

    def send(self, message: list[Any], until: float) -> bool:
        """Send as soon as somebody is there to read it; False if nobody was `until` then."""
        try:
            send_now(self._socket, message)
        except zmq.Again:  # nobody yet
            if not self._socket.poll(ms_until(until), zmq.POLLOUT):
                return False
            try:
                send_now(self._socket, message)
            except zmq.Again:  # gone again
                return False
        return True

    def next(self, fits: Fits, until: float = 0.0) -> Answer | None:
        """The next message of this session that fits; None if none came `until` then, or the connection is gone.

        Raises `LinkError` or `PlantError` for a refusal of our latest message, and for what no plant says.
        """
        for _ in range(MOST_READ):
            message = self._received(until)
            if not message:
                return None
            first, *frames = message
            if not first:
                continue  # the plant looked whether we are here
            header = messages.from_plant(first)
            if isinstance(header, Refused):
                if header.session in (0, self.session) and header.ack in (0, self.seq):
                    raise self._refusal(header)
            elif header.session == self.session and fits(header):
                return header, frames
        return None

    def forget(self) -> None:
        """Pass over what came and was not read."""
        for _ in range(MOST_READ):
            if not receive(self._socket, NOW):
                return

    def silence(self, lasted: float) -> Silent:
        """What to say where nobody answers."""
        said = f"{self.url}: no answer for {lasted:g} s"
        if why := self._connection.why:
            return Silent(f"{said}: {why}")
        return Silent(f"{said}; is a plant served there (`neuroloop serve`)?")

    def close(self) -> None:
        """Say bye, and wait a moment for the answer. A second call does nothing."""
        if self.closed:
            return
        try:
            if self.session:
                with contextlib.suppress(LinkError, PlantError, zmq.ZMQError):  # nobody is there any more
                    bye = Bye(**self.numbers())
                    until = time.monotonic() + 1e-3 * PARTING_MS
                    if self.send([messages.packed(bye)], until):
                        self.next(lambda found: not isinstance(found, Welcome) and found.ack == bye.seq, until)
        finally:
            self._connection.close()
            self._socket.close()

    def _received(self, until: float) -> list[bytes]:
        """The next message; nothing if none came `until` then, or as soon as the connection is gone.

        A socket's own timeout costs less than asking it first.
        """
        while True:
            ms = min(ms_until(until), LOOK_MS)
            if ms and ms != self._patience:
                self._socket.setsockopt(zmq.RCVTIMEO, ms)
                self._patience = ms
            message = receive(self._socket, 0 if ms else NOW)
            if message or time.monotonic() >= until or not self._socket.poll(0, zmq.POLLOUT):
                return message

    def _hello(self) -> bytes:
        """The first message of a new session."""
        from .. import __version__

        self.session, self.seq = secrets.randbits(62) + 1, 0
        return messages.packed(Hello(protocol=PROTOCOL, session=self.session, client=f"neuroloop {__version__}"))

    def _checked(self, answer: Answer) -> tuple[Welcome, list[bytes]]:
        welcome, frames = answer
        if welcome.protocol != PROTOCOL:
            raise LinkError(f"{self.url}: speaks version {welcome.protocol}, we {PROTOCOL}; install matching versions")
        return welcome, frames

    def _refusal(self, refused: Refused) -> Exception:
        kinds: dict[str, type[Exception]] = {
            "plant": PlantError, "value": PlantError, "episode": EpisodeOver, "session": SessionLost, "busy": Busy,
        }  # fmt: skip
        return kinds.get(refused.code, LinkError)(f"{self.url}: {refused.reason}")


def _is_welcome(header: Any) -> bool:
    return isinstance(header, Welcome)
