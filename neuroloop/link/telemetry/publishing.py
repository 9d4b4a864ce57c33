"""The publisher's end of a tap: a socket that tells everybody who listens, waits for nobody, and knows who came.

libzmq keeps a short queue for each reader. Where one is full, that reader goes without until it has read half of it; the others
get everything. What one reader missed only that reader can count, by sequence numbers. Here it is counted how often a queue ran
full: `XPUB_NODROP` says so once, before the reader is left out.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import zmq

from ...errors import BadInput
from .. import messages
from ..endpoint import endpoint_of
from ..keys import Keys
from ..sockets import bound, socket_of
from .facts import BYE, PLANT, RUN, TELEMETRY, TICK, TOPICS, ByeFacts

LOOK_NS = 50_000_000  # between looks at who came and went
AGAIN_NS = 1_000_000_000  # after which everybody is told of the run again
QUEUE = 256  # messages that are kept for a reader that is behind for a moment
MOST_READ = 64  # wishes a look
SOME = zmq.NOBLOCK | zmq.SNDMORE
PARTING = (0.02, 0.05, 0.1)  # s after the last message, and after its repetitions
LATE_PARTING = (0.2, 0.6)  # s more, where a reader was behind


class Publisher:
    """Raises `BadInput` for an endpoint that is none, is taken, or that other machines reach without `keys`."""

    def __init__(self, endpoint: str, keys: Keys | None = None) -> None:
        self._endpoint = endpoint_of(endpoint, "tap")
        self._socket: Any = socket_of(zmq.XPUB, self._endpoint)
        try:
            self._socket.setsockopt(zmq.SNDHWM, QUEUE)
            self._socket.setsockopt(zmq.XPUB_VERBOSE, 1)  # who comes is seen, also where another is there already
            self._socket.setsockopt(zmq.XPUB_NODROP, 1)
            self.url = bound(self._socket, self._endpoint, None if self._endpoint.loopback else keys)
        except BadInput as error:
            self._socket.close()
            raise BadInput(f"tap: {error}") from None
        except BaseException:
            self._socket.close()
            raise
        self.run = secrets.randbits(62) + 1
        self.wanted: frozenset[bytes] = frozenset()  # topics that somebody listens to
        self.overflows = 0  # how often a reader's queue ran full
        self._asked: set[bytes] = set()
        self._seq = dict.fromkeys(TOPICS, 0)
        self._looked = self._told = 0
        self.closed = False

    def number(self, topic: bytes) -> int:
        """The sequence number of the next message of a kind, heard or not."""
        self._seq[topic] = seq = self._seq[topic] + 1
        return seq

    def told(self, topic: bytes) -> int:
        """Messages of a kind so far."""
        return self._seq[topic]

    def head(self, topic: bytes) -> dict[str, int]:
        """What every header holds."""
        return {"protocol": TELEMETRY, "run": self.run, "seq": self.number(topic), "t_ns": time.monotonic_ns()}

    def due(self, now_ns: int) -> bool:
        """Look who came and went, now and then; whether it is time to tell of the run."""
        if now_ns - self._looked < LOOK_NS:
            return False
        self._looked = now_ns
        came = self._look()
        if RUN not in self.wanted or not (came or now_ns - self._told >= AGAIN_NS):
            return False
        self._told = now_ns
        return True

    def _look(self) -> bool:
        """Read wishes: 1 and a topic, or 0 and a topic that the last one left. Whether somebody came."""
        came = False
        for _ in range(MOST_READ):
            if not self._socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
                break
            said, *more = self._socket.recv_multipart(zmq.NOBLOCK)
            topic = said[1:]
            if more or not any(known.startswith(topic) for known in TOPICS):
                continue
            if said[:1] == b"\x01":
                self._asked.add(topic)
                came = True
            elif said[:1] == b"\x00":
                self._asked.discard(topic)
            self.wanted = frozenset(known for known in TOPICS if known.startswith(tuple(self._asked)))
        return came

    def send(self, frames: list[Any]) -> bool:
        """Hand a message to everybody who listens; False: the queue of one of them ran full just now."""
        try:
            self._hand_over(frames)
        except zmq.Again:  # by the first frame: the queues of whole messages are asked
            self.overflows += 1
            self._socket.setsockopt(zmq.XPUB_NODROP, 0)
            self._hand_over(frames)
            self._socket.setsockopt(zmq.XPUB_NODROP, 1)
            return False
        return True

    def _hand_over(self, frames: list[Any]) -> None:
        """As `send_multipart`, in half the time."""
        send = self._socket.send
        for frame in frames[:-1]:
            send(frame, SOME)
        send(frames[-1], zmq.NOBLOCK)

    def close(self) -> None:
        """Say bye, and close. A second call does nothing.

        It is said several times, so that it reaches also those whose queues are full just now; and as nobody says when it
        went out, and nothing lingers, there is a pause after each.
        """
        if self.closed:
            return
        self._look()
        ticks = self.told(TICK) + self.told(PLANT)
        bye = [BYE, messages.packed(ByeFacts(**self.head(BYE), ticks=ticks, overflows=self.overflows))]
        pauses = PARTING + (LATE_PARTING if self.overflows else ())
        for pause in pauses if BYE in self.wanted else ():
            self.send(bye)
            time.sleep(pause)
        if self._endpoint.path is not None:
            self._endpoint.path.unlink(missing_ok=True)  # before another one can lie there
        self._socket.close()
        self.closed = True
