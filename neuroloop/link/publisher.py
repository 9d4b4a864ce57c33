"""A bound XPUB socket: tells everybody who reads, waits for nobody, and hears who comes and goes.

libzmq keeps a short queue for each reader. Where one is full, that reader goes without until it has read half of it; the others
get everything. What one reader missed only that reader can count, by sequence numbers. Here it is counted how often a queue ran
full: `XPUB_NODROP` says so once, before the reader is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import zmq

from .endpoint import Endpoint
from .keys import Keys
from .sockets import QUEUE, bound, socket_of

MOST_WISHES = 256  # of readers, that are heard at a time
SOME = zmq.NOBLOCK | zmq.SNDMORE


class Publisher:
    """`keys`: needed where other machines reach it, and only over tcp. `queue`: messages that are kept for a
    reader that is behind for a moment. `leaving`: whether everybody who leaves is heard, or only the last one of a topic.
    Raises `BadInput` for a place that is taken, or not ours to open.
    """

    def __init__(
        self, endpoint: Endpoint, keys: Keys | None = None, *, queue: int = QUEUE, leaving: bool = True
    ) -> None:
        self._endpoint, self._socket = endpoint, socket_of(zmq.XPUB, endpoint)
        self.came, self._left = 0, 0  # readers of everything, since it was bound
        self.overflows = 0  # how often a reader's queue ran full
        try:
            self._socket.setsockopt(zmq.SNDHWM, queue)
            self._socket.setsockopt(zmq.XPUB_VERBOSER if leaving else zmq.XPUB_VERBOSE, 1)
            self._socket.setsockopt(zmq.XPUB_NODROP, 1)
            self.url = bound(self._socket, endpoint, keys)
        except BaseException:
            self._socket.close()
            raise

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return bool(self._socket.closed)

    def wishes(self) -> Iterator[tuple[bool, bytes]]:
        """Who came and went: whether a topic is wanted, and the topic, of which all messages begin with it."""
        for _ in range(MOST_WISHES):
            if not int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                return
            said, *more = self._socket.recv_multipart(zmq.NOBLOCK)
            if not more and said[:1] in (b"\0", b"\1"):
                yield said[:1] == b"\1", said[1:]

    def readers(self) -> int:
        """How many read everything now; not together with `wishes`."""
        for wanted, topic in self.wishes():
            self.came += wanted and not topic
            self._left += not wanted and not topic
        return self.came - self._left

    def send(self, frames: list[Any]) -> bool:
        """Hand a message to everybody who reads; False: the queue of one of them ran full just now."""
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
        """Close the socket, and take away its file, before another one can lie there. A second call does nothing."""
        if not self.closed:
            if self._endpoint.path is not None:
                self._endpoint.path.unlink(missing_ok=True)
            self._socket.close()
