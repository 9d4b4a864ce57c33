"""The controller's end of a camera: takes packets of events, and counts those that were lost."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import LinkError, PlantError
from ...sensors.space import EventSpace
from ..endpoint import Endpoint
from ..keys import Keys
from ..sockets import Subscriber, ms_until
from ..values import Values
from . import aer
from .aer import Blind, Events, Facts, Mark

START = "neuroloop camera --frames … --bind …"
MOST_WAITING = 4096  # messages that are taken at a time


class Packet(NamedTuple):
    """Events between two moments."""

    header: Events
    events: NDArray[Any]


class Packets:
    """A SUB socket to a camera. `timeout` (s): after so long without it a `LinkError` says so."""

    def __init__(
        self, endpoint: Endpoint, timeout: float, keys: Keys | None = None, server_key: bytes | None = None
    ) -> None:
        self.url, self._timeout = endpoint.url, timeout
        self._camera = Subscriber(endpoint, keys, server_key)
        self.facts: Facts | None = None
        self._values: Values | None = None
        self._run, self._seq = 0, 0
        self._trouble = ""  # with the latest message that made no sense
        self.lost, self.missed = (
            0,
            0,
        )  # packets that did not arrive or made no sense; pictures that the camera did not see

    def end(self) -> float:
        """When patience ends that begins now."""
        return time.monotonic() + self._timeout

    def greet(self, until: float, *, sized: bool = False) -> Facts:
        """Wait for a camera that has a plant, and says its size where that must be known. Raises `LinkError`."""
        while not (self.facts and self.facts.joined and (self.facts.width or not sized)):
            if not self._camera.comes(ms_until(until)):
                raise self.silence()
            self._read()
        return self.facts

    def waiting(self) -> list[Packet]:
        """All that arrived."""
        found = []
        for _ in range(MOST_WAITING):
            if not self._camera.comes(0):
                break
            if (packet := self._read()) is not None:
                found.append(packet)
        return found

    def next(self, until: float) -> Packet | None:
        """The next one; None if none came `until` then."""
        while self._camera.comes(ms_until(until)):
            if (packet := self._read()) is not None:
                return packet
        return None

    def answer_to(self, mark: Mark, until: float) -> Packet | None:
        """The packet of these pictures; None if it did not come. Raises `PlantError` where the camera could not see."""
        while self._camera.comes(ms_until(until)):
            packet = self._read(mark)
            if packet and (packet.header.plant, packet.header.pictures) == (mark.run, mark.seq):
                return packet
        return None

    def silence(self) -> LinkError:
        """What to say where no packet comes."""
        wait = f"no packet of events for {self._timeout:g} s"
        if trouble := self._camera.connection.why or self._trouble:
            return LinkError(f"{self.url}: {wait}: {trouble}")
        if self.facts is None or not self._camera.connection.stands:
            return LinkError(f"{self.url}: {wait}; does a camera run there (`{START}`)?")
        if not self.facts.joined:
            place = self.facts.pictures
            return LinkError(
                f"{self.url}: the camera waits for pictures at {place}; serve a plant with `--frames {place}`"
            )
        return LinkError(f"{self.url}: {wait}; the camera is connected but silent, start it anew (`{START}`)")

    def close(self) -> None:
        """Close the socket."""
        self._camera.close()

    def _read(self, mark: Mark | None = None) -> Packet | None:
        """A message; what is none of a camera counts as lost."""
        message = self._camera.take()
        try:
            header = aer.from_camera(message)
            if isinstance(header, Facts):
                self._meet(header)
                return None
            if (header.run, header.seq) <= (self._run, self._seq) and header.run == self._run:
                raise LinkError(f"{self.url}: seq must be above {self._seq}, got {header.seq}")
            self.lost += header.seq - self._seq - 1 if header.run == self._run else 0
            self._run, self._seq = header.run, header.seq
            if isinstance(header, Events) and self._values is not None:
                self.missed += header.missed
                return Packet(header, _checked(self._values.read(message[1:]), header))
        except LinkError as error:
            self.lost += 1
            self._trouble = str(error)
            return None
        if isinstance(header, Blind) and mark and header.plant in (0, mark.run) and header.pictures in (0, mark.seq):
            raise PlantError(f"{self.url}: the camera cannot see: {header.reason}")
        self.lost += 1
        return None

    def _meet(self, facts: Facts) -> None:
        """A camera says what it is. Raises `PlantError` where it is another one than before."""
        before, size = self.facts, (facts.width, facts.height)
        if before and before.width and facts.width and size != (before.width, before.height):
            raise PlantError(f"{self.url}: the camera has {size} pixels now, and had {(before.width, before.height)}")
        self.facts = facts if facts.width or not before else _sized(facts, before)
        if self._values is None and facts.width:
            self._values = Values(EventSpace(*size))


def _sized(facts: Facts, before: Facts) -> Facts:
    """A camera that was started anew will have the size that it had."""
    facts.width, facts.height = before.width, before.height
    return facts


def _checked(events: NDArray[Any], header: Events) -> NDArray[Any]:
    """Events that lie between the moments of their packet. Raises `LinkError`."""
    if events.size and not header.start_us <= int(events["t_us"][0]) <= int(events["t_us"][-1]) <= header.end_us:
        raise LinkError(f"events: must lie between {header.start_us} and {header.end_us} µs")
    return np.asarray(events)
