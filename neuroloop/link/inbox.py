"""What comes to a plant: messages of a ROUTER, looked at before anything is copied, and read no longer than there is time.

ZeroMQ hands over a message once all its frames are there, however many, and has no way to throw it away at once: what is too
long is passed over frame by frame, and at later ticks, if that takes long.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import zmq
from gymnasium import spaces

from ..sensors.space import EventSpace
from ..types import EVENT
from .messages import MOST_HEADER
from .sockets import MOST_BYTES
from .values import MOST_ITEMS

NOW = int(zmq.NOBLOCK)
EVERY = 64  # frames between looks at the time


class Room(NamedTuple):
    """The most that a value of a space takes."""

    frames: int
    bytes: int  # of the largest frame


class Inbox:
    """The messages of a ROUTER. Of one with more frames than `room` has, only one too many is kept, so that it is refused."""

    def __init__(self, socket: zmq.Socket[bytes], room: Room) -> None:
        self._socket, self._most = socket, room.frames + 3  # identity, header, one too many
        self._begun: list[Any] = []
        self.unfinished = False  # whether more frames of a message wait that was begun

    def take(self, flags: int = 0, until_ns: int | None = None) -> list[Any]:
        """The identity of a sender and its frames, as views; nothing where no message is there, or none whole `until_ns`."""
        frames, passed, receive = self._begun, 0, self._socket.recv
        try:
            while True:
                frame = receive(flags, copy=False)
                if len(frames) < self._most:
                    frames.append(frame.buffer if frames else frame.bytes)
                if not frame.more:
                    break
                passed += 1
                if not passed % EVERY and until_ns is not None and time.monotonic_ns() >= until_ns:
                    self.unfinished = True
                    return []
        except zmq.Again:
            return []
        self._begun, self.unfinished = [], False
        return frames


def most_bytes(room: Room) -> int:
    """Of a frame that a controller may send: a header, or a part of an action."""
    return min(max(MOST_HEADER, room.bytes), MOST_BYTES)


def room_of(space: gymnasium.Space[Any]) -> Room:
    """The most that a value of a space takes; of kinds that cannot travel, one frame of any size."""
    match space:
        case EventSpace():
            return Room(1, EVENT.itemsize * space.most_events)
        case spaces.Box() | spaces.MultiDiscrete() | spaces.MultiBinary():
            return Room(1, _n_bytes(space))
        case spaces.Discrete():
            return Room(1, 8)
        case spaces.Text():
            return Room(1, 4 * space.max_length)
        case spaces.Tuple():
            return _sum([room_of(part) for part in space.spaces])
        case spaces.Dict():
            return _sum([room_of(part) for part in space.spaces.values()])
        case spaces.OneOf():
            parts = [room_of(part) for part in space.spaces]
            return Room(1 + max(part.frames for part in parts), max(4, *(part.bytes for part in parts)))
        case spaces.Sequence():
            part = room_of(space.feature_space)
            return Room(1 + MOST_ITEMS * part.frames, max(4, part.bytes))
        case spaces.Graph():
            largest = max(8, *(_n_bytes(part) for part in (space.node_space, space.edge_space) if part is not None))
            return Room(4, MOST_ITEMS * largest)
    return Room(1, MOST_BYTES)


def _n_bytes(space: gymnasium.Space[Any]) -> int:
    return int(np.prod(space.shape or (), dtype=np.int64)) * np.dtype(space.dtype).itemsize


def _sum(parts: list[Room]) -> Room:
    return Room(sum(part.frames for part in parts), max((part.bytes for part in parts), default=0))
