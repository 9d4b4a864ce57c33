"""The publisher's end of a tap: numbers what it tells, knows which topics are listened to, and says bye."""

from __future__ import annotations

import secrets
import time
from typing import Any

from ...errors import BadInput
from .. import messages
from ..endpoint import endpoint_of
from ..keys import Keys
from ..publisher import Publisher
from .facts import BYE, PLANT, RUN, TELEMETRY, TICK, TOPICS, ByeFacts

LOOK_NS = 50_000_000  # between looks at who came and went
AGAIN_NS = 1_000_000_000  # after which everybody is told of the run again
QUEUE = 256  # messages that are kept for a reader that is behind for a moment
PARTING = (0.02, 0.05, 0.1)  # s after the last message, and after its repetitions
LATE_PARTING = (0.2, 0.6)  # s more, where a reader was behind


class Teller:
    """Raises `BadInput` for an endpoint that is none, is taken, or that other machines reach without `keys`.

    `keys` lock it over tcp, on this machine too; a socket is locked by its mode.
    """

    def __init__(self, endpoint: str, keys: Keys | None = None) -> None:
        place = endpoint_of(endpoint, "tap")
        try:
            self._publisher = Publisher(place, None if place.path else keys, queue=QUEUE, leaving=False)
        except BadInput as error:
            raise BadInput(f"tap: {error}") from None
        self.url = self._publisher.url
        self.run = secrets.randbits(62) + 1
        self.wanted: frozenset[bytes] = frozenset()  # topics that somebody listens to
        self._asked: set[bytes] = set()
        self._seq = dict.fromkeys(TOPICS, 0)
        self._looked = self._told = 0

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._publisher.closed

    @property
    def overflows(self) -> int:
        """How often a reader's queue ran full."""
        return self._publisher.overflows

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
        """Read who wants which topics, and which the last one left. Whether somebody came."""
        came = False
        for wanted, topic in self._publisher.wishes():
            if not any(known.startswith(topic) for known in TOPICS):
                continue
            came |= wanted
            (self._asked.add if wanted else self._asked.discard)(topic)
            self.wanted = frozenset(known for known in TOPICS if known.startswith(tuple(self._asked)))
        return came

    def send(self, frames: list[Any]) -> bool:
        """Hand a message to everybody who listens; False: the queue of one of them ran full just now."""
        return self._publisher.send(frames)

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
        self._publisher.close()
