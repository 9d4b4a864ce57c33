"""An event camera in a process of its own: pictures of a plant in, packets of address-events out.

with CameraServer("ipc:///tmp/plant/frames.ipc", "ipc:///tmp/plant/events.ipc", pixel="noisy") as camera:
    camera.serve()
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadInput, LinkError, NeuroloopError
from ...sensors.camera import pixel_of
from ...sensors.eye import Eye, checked_size
from ...sensors.gamma import Gamma
from ...settings.sensors import Pixel
from ...types import EVENT
from .. import messages
from ..endpoint import endpoint_of
from ..keys import key_of, read
from ..messages import PROTOCOL
from ..publisher import Publisher
from ..sockets import Subscriber
from .aer import Blind, Events, Facts, Pictures, pictures_of

POLL_MS = 50  # between looks at whether to stop, and who came
MOST_BEHIND = 4  # messages with pictures: of those that wait longer, only the newest are seen


class CameraServer:
    """Sees what a plant publishes at `frames` (`PublishedFrames`) and publishes events at `endpoint`.

    `pixel`, `size`, `gamma` and `seed`: as of `EventCameraWrapper`. `keys`: a folder, needed where other machines can reach
    `endpoint`; with the plant's `server_key` also for a locked `frames`. Raises `BadInput`.
    """

    def __init__(
        self,
        frames: str,
        endpoint: str,
        pixel: str | Pixel = "clean",
        size: tuple[int, int] | None = None,
        gamma: Gamma = "srgb",
        seed: int = 0,
        keys: str | Path | None = None,
        server_key: str | None = None,
    ) -> None:
        self._pixel, self._gamma, self._seed = pixel_of(pixel), gamma, seed
        self._size = None if size is None else checked_size(size)
        self._warm_up()
        self._eye = self._made(self._size or (1, 1))
        where, place = endpoint_of(frames, "frames"), endpoint_of(endpoint)
        if where.url == place.url:
            raise BadInput(f"frames: pictures come from another place than events go to, got {frames} for both")
        own = None if keys is None else read(Path(keys))
        self._publisher = Publisher(place, None if place.path else own)
        self.url = self._publisher.url
        try:
            plant = None if server_key is None else key_of(server_key, "server_key")
            self._frames = Subscriber(where, own if plant else None, plant)
        except BaseException:
            self._publisher.close()
            raise
        self._frames_url, self._told = frames, (0, False)
        self._run, self._seq = secrets.randbits(62) + 1, 0
        self._last = (0, 0, 0)  # run, episode and seq of the pictures that were seen last
        self._end_us = 0  # of what it saw of the episode
        self._stopped = threading.Event()
        self.pictures, self.events, self.missed, self.refused = 0, 0, 0, 0

    @property
    def joined(self) -> bool:
        """Whether a plant is connected."""
        return self._frames.connection.stands

    def serve(self) -> None:
        """See until `stop` is called, from another thread or a signal."""
        while not self._stopped.is_set():
            self._greet()
            if self._frames.comes(POLL_MS):
                for message in self._newest():
                    self._answer(message)

    def stop(self) -> None:
        """Have `serve` return soon."""
        self._stopped.set()

    def close(self) -> None:
        """Close the sockets."""
        self.stop()
        self._frames.close()
        self._publisher.close()

    def __enter__(self) -> CameraServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _made(self, size: tuple[int, int]) -> Eye:
        return Eye(size, self._pixel, self._gamma, self._seed)

    def _warm_up(self) -> None:
        """Have what is compiled ready before the first picture comes."""
        for dtype, side in itertools.product((np.uint8, np.float32), (2, 4)):
            picture = np.zeros((side, side), dtype)
            self._made((2, 2)).see([(0, picture), (1, picture)])

    def _greet(self) -> None:
        """Say what we are where somebody came, or the plant did."""
        self._publisher.readers()
        state = self._publisher.came, self.joined
        if state != self._told:
            self._told = state
            self._tell()

    def _tell(self) -> None:
        width, height = self._size or (0, 0)
        facts = Facts(
            protocol=PROTOCOL, run=self._run, width=width, height=height, pictures=self._frames_url, joined=self.joined,
            pixel=self._pixel, gamma=self._gamma, seed=self._seed,
        )  # fmt: skip
        self._publisher.send([messages.packed(facts)])

    def _newest(self) -> list[list[bytes]]:
        """What came; of more than can be seen in time, the newest."""
        waiting = [self._frames.take()]
        while self._frames.comes(0):
            waiting.append(self._frames.take())
        return waiting[-MOST_BEHIND:]

    def _answer(self, message: list[bytes]) -> None:
        header: Pictures | None = None
        try:
            header, frames = pictures_of(message)
            packet = self._see(header, frames)
        except NeuroloopError as error:
            self.refused += 1
            seq, plant = (0, 0) if header is None else (header.seq, header.run)
            self._publisher.send([messages.packed(self._blind(str(error), seq, plant))])
            return
        self._publisher.send(packet)

    def _blind(self, reason: str, seq: int, plant: int) -> Blind:
        self._seq += 1
        return Blind(run=self._run, seq=self._seq, reason=reason[:1000], plant=plant, pictures=seq)

    def _see(self, header: Pictures, frames: list[tuple[int, Any]]) -> list[Any]:
        """The packet of a step. Raises `LinkError` for one that was seen, or overtaken."""
        run, episode, seq = self._last
        missed = header.seq - seq - 1 if header.run == run else 0
        if missed < 0:
            raise LinkError(f"pictures: seq must be above {seq}, got {header.seq}")
        self._last = header.run, header.episode, header.seq
        if self._size is None and frames:
            height, width = frames[0][1].shape[:2]
            self._size = width, height
            self._eye = self._made(self._size)
            self._tell()
        if (header.run, header.episode) != (run, episode):
            self._eye.reset(header.noise)
            self._end_us = header.start_us
        seen = self._eye.see(frames)
        start_us, self._end_us = self._end_us, header.end_us
        events = seen[0] if len(seen) == 1 else np.concatenate([np.zeros(0, EVENT), *seen])
        self._seq += 1
        self.pictures, self.events, self.missed = (
            self.pictures + len(frames), self.events + events.size, self.missed + missed,
        )  # fmt: skip
        answer = Events(
            protocol=PROTOCOL, run=self._run, seq=self._seq, t_ns=time.monotonic_ns(), start_us=start_us,
            end_us=header.end_us, plant=header.run, episode=header.episode, tick=header.tick, pictures=header.seq,
            missed=missed,
        )  # fmt: skip
        return [messages.packed(answer), np.ascontiguousarray(events).view(np.uint8)]
