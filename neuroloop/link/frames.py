"""Messages of several frames, sent and received one by one: half the cost of pyzmq's own loops, the same on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import zmq

NOW, MORE = (
    int(zmq.NOBLOCK),
    int(zmq.NOBLOCK | zmq.SNDMORE),
)  # plain numbers: flags of an enumeration are slow to combine


def send_now(socket: zmq.Socket[bytes], frames: Sequence[Any]) -> None:
    """Send at once. Raises `zmq.Again` where nobody could take it."""
    *before, last = frames
    for frame in before:
        socket.send(frame, MORE)
    socket.send(last, NOW)


def receive(socket: zmq.Socket[bytes], flags: int = 0) -> list[bytes]:
    """The next message, or nothing: if none is there (`NOW`), or none came within the socket's own timeout."""
    try:
        frame = socket.recv(flags, copy=False)
    except zmq.Again:
        return []
    frames = [frame.bytes]
    while frame.more:
        frame = socket.recv(flags, copy=False)
        frames.append(frame.bytes)
    return frames
