"""The reader's end of a tap: `Listener`.

for heard in Listener("ipc:///tmp/run/tap.ipc"):
    print(heard.facts)
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import zmq

from ... import arguments
from ...errors import BadInput, LinkError, unknown
from ..connection import Connection
from ..endpoint import endpoint_of
from ..keys import key_of, read
from ..sockets import connected, socket_of
from .facts import ALWAYS, EPISODE, PICTURE, PLANT, SIGHT, TICK, WEIGHTS, ByeFacts, RunFacts
from .hearing import Heard as Heard
from .hearing import Hearing

MOST_WAITING = 4096  # messages that have arrived
RETRY_MS = 20  # between looks whether somebody publishes there
REPLACED = (TICK, PLANT, PICTURE)  # kinds of which only the newest may matter


class Listener:
    """Hears what a `Tap`, or a plant, publishes at `endpoint`; nobody need be there yet.

    `topics`: `"tick"`, `"episode"`, `"plant"`, `"picture"`, `"sight"`, `"weights"`; the beginning and the end of a run are
    always heard. `newest`: of ticks and pictures that wait, only the newest is given, others are counted as `skipped`.
    `timeout`: s of silence after which iteration raises a `LinkError`. `keys` and `server_key`: see `RemoteEnv`. Raises
    `BadInput`.
    """

    def __init__(
        self,
        endpoint: str,
        topics: Iterable[str] = ("tick", "episode", "plant"),
        *,
        newest: bool = False,
        timeout: float = 10.0,
        keys: str | Path | None = None,
        server_key: str | None = None,
    ) -> None:
        place, wanted = endpoint_of(endpoint), _topics(topics)
        self.url, self._newest = endpoint, arguments.switch("newest", newest)
        self._timeout = arguments.positive("timeout", timeout, "s")
        own = None if keys is None else read(Path(keys))
        self._hearing, self._waiting = Hearing(), deque[tuple[list[bytes], bool]]()
        self.heard, self.skipped = 0, 0  # messages that were given; that were left out for newer ones
        self._socket: Any = socket_of(zmq.SUB, place)
        self._connection = Connection(self._socket)  # before it connects, so that nothing is missed
        try:
            self._socket.setsockopt(zmq.RECONNECT_IVL, RETRY_MS)
            if not newest:
                self._socket.setsockopt(
                    zmq.RCVHWM, MOST_WAITING
                )  # one's own memory, for runs that are fast for a moment
            for topic in wanted:
                self._socket.setsockopt(zmq.SUBSCRIBE, topic)
            connected(self._socket, place, own, None if server_key is None else key_of(server_key, "server_key"))
        except BaseException:
            self.close()
            raise

    @property
    def run(self) -> RunFacts | None:
        """What is known of the run; None before anything was heard of it."""
        return self._hearing.run

    @property
    def lost(self) -> int:
        """Messages of this run that did not arrive, found by gaps in their numbers."""
        return self._hearing.lost

    @property
    def why(self) -> str:
        """Why nothing can be heard, such as keys that do not fit; empty where nobody is there, or all is well."""
        return self._connection.why

    def silence(self, lasted: float) -> LinkError:
        """What to say where nothing was heard for so long."""
        hint = self.why or f"is a run tapped there (`neuroloop run … --tap {self.url}`)?"
        return LinkError(f"{self.url}: silent for {lasted:g} s; {hint}")

    def next(self, timeout: float | None = None) -> Heard | None:
        """The next message; None after `timeout` s of silence. Raises `LinkError` for one that is not as it must be."""
        end = time.monotonic() + (self._timeout if timeout is None else timeout)
        while self._waiting or self._fetch(end):
            frames, replaced = self._waiting.popleft()
            self.skipped += replaced
            heard = self._hearing.take(frames, read=not replaced)
            if heard is not None:
                self.heard += 1
                return heard
        return None

    def __iter__(self) -> Iterator[Heard]:
        """Until the tap says bye. Raises `LinkError` after `timeout` s of silence."""
        while (heard := self.next()) is not None:
            yield heard
            if isinstance(heard.facts, ByeFacts):
                return
        raise self.silence(self._timeout)

    def _fetch(self, end: float) -> bool:
        """Wait until something is there; take all of it if only the newest matters."""
        if not self._socket.poll(max(0, round(1000 * (end - time.monotonic())))):
            return False
        found: list[list[bytes]] = [self._socket.recv_multipart(copy=True)]
        while self._newest and len(found) < MOST_WAITING and self._socket.poll(0):
            found.append(self._socket.recv_multipart(copy=True))
        last = {frames[0]: n for n, frames in enumerate(found)}
        self._waiting.extend((frames, frames[0] in REPLACED and last[frames[0]] != n) for n, frames in enumerate(found))
        return True

    def close(self) -> None:
        """Hear no more. A second call does nothing."""
        if not self._socket.closed:
            self._connection.close()
            self._socket.close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _topics(names: Iterable[str]) -> list[bytes]:
    known = {topic.decode(): topic for topic in (TICK, EPISODE, PLANT, PICTURE, SIGHT, WEIGHTS)}
    wanted = list(ALWAYS)
    for name in [names] if isinstance(names, str) else names:
        if name not in known:
            raise BadInput(f"topics: {unknown('topic', str(name), known)}")
        wanted.append(known[name])
    return wanted
