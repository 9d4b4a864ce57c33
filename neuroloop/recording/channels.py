"""What lies on which channel of a recording, and how; known to the process that writes and to those who read.

`docs/recording-format.md` tells the same to others. Numbers are ROS 2's `std_msgs`, pictures are `foxglove.RawImage`, which
viewers show as they are; events are packed.
"""

from __future__ import annotations

from typing import Literal

import msgspec

FORMAT = "1"
META, END = "neuroloop", "neuroloop.end"  # metadata records: what began, and how it ended
AGAIN = "neuroloop.again"  # what began once more, with what channels there are: one wrong byte shall not cost a file
START = "start.zip"  # attachment: the checkpoint that the run began with
CHUNK = 1 << 16  # bytes
TICK, REWARD, NUMBERS, TIMING, RATES, EPISODE = "/tick", "/reward", "/numbers", "/timing", "/rates", "/episode"
LINK = "/link"
NOT_KNOWN = -1  # of numbers that may be None
OBSERVATION, ACTION, LAST = "/observation", "/action", "/last_observation"
SPIKES, VIEW = "/spikes", "/view"
COLUMNS = {
    TICK: ("seq", "tick", "episode", "first", "terminated", "truncated", "failed", "n_steps"),
    REWARD: ("reward", "answer"),
    TIMING: ("late", "period", "compute", "age", "left_out"),
    LINK: ("tick", "skipped", "live", "round_trip_ns", "lost"),
    EPISODE: ("episode", "return", "n_steps"),
}
EVENTS_ENCODING, FRAMES_ENCODING = "neuroloop-events", "neuroloop-frames"
Kind = Literal["numbers", "picture", "events", "frames"]


class Leaf(msgspec.Struct, frozen=True):
    """A part of an observation or an action that has a channel of its own."""

    path: str  # "" if it is the whole
    kind: Kind
    dtype: str = ""  # of the space, as in f4
    shape: tuple[int, ...] = ()
    on_wire: str = "f8"  # numbers: dtype of the message
    picture: str = ""  # pictures: encoding
    height: int = 0
    width: int = 0


class Raster(msgspec.Struct, frozen=True):
    """Spikes of a population or an input: bits of its neurons, (words, n), or the ids of active cells, (n,)."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of int32."""
        return self.shape[0] * self.shape[1] if len(self.shape) == 2 else self.shape[0]


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What the process that writes is told at its start."""

    path: str
    overwrite: bool
    meta: dict[str, str]
    checkpoint: str  # a file, which is attached
    wall_ns: int  # since 1970, when the monotonic clock said `monotonic_ns`
    monotonic_ns: int
    numbers: tuple[str, ...]
    rasters: tuple[Raster, ...]
    observation: tuple[Leaf, ...]
    action: tuple[Leaf, ...]
