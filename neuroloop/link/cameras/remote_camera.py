"""An event camera in another process, in front of a plant that is in another one too: `RemoteCamera`.

    env = RemoteCamera(RemoteEnv("ipc:///tmp/plant/plant.ipc"), "ipc:///tmp/plant/events.ipc")

In lockstep each step waits for its packet, and the bits are those of `EventCameraWrapper` in one process. In real time a step
takes the packets that are there by then; what comes later belongs to the step after.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium

from ... import arguments
from ...errors import BadInput, LinkError
from ...sensors.pictures import Env
from ...sensors.seen import EVENTS, Seen
from ...sensors.source import CAMERA_FRAMES
from ...sensors.space import MOST, EventSpace
from ...types import LINK
from ..endpoint import endpoint_of
from ..keys import key_of, read
from ..remote import RemoteEnv
from .aer import Facts, Mark, mark_of
from .packets import Packet, Packets

PATIENCE = 0.25  # of a tick, that a packet is waited for in real time
PAUSE = 0.05  # s between two looks at whether the camera reads


class RemoteCamera(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Adds the packets of the camera at `endpoint` (`CameraServer`) to the observations of a `RemoteEnv`.

    `only` and `most_events`: see `EventCameraWrapper`; an agent whose file has an `event_camera` decides them itself.
    `timeout`: s without a packet after which a `LinkError` says so, in lockstep. In real time a step waits at most `patience`
    s for its packet, unless the one before waited in vain. `keys`, `server_key`: see `RemoteEnv`; the key is the camera's.

    `info["events"]` holds `start_us` and `end_us`, between which the events lie, how many were `dropped`, the `packets` that
    were taken, how many steps in a row were `empty`, and in all how many packets were `lost` and pictures `missed`.
    Raises `BadInput`, and `LinkError` if there is no camera, or one without a plant.
    """

    def __init__(
        self,
        env: Env,
        endpoint: str | Packets,
        *,
        only: bool = False,
        most_events: int = MOST,
        timeout: float = 10.0,
        patience: float | None = None,
        keys: str | Path | None = None,
        server_key: str | None = None,
    ) -> None:
        super().__init__(env)
        remote = env.unwrapped
        if not isinstance(remote, RemoteEnv):
            raise BadInput(f"env: must be a RemoteEnv, since the camera sees what its plant publishes, got {env}")
        self._timeout, self._live = arguments.positive("timeout", timeout, "s"), remote.real_time
        self._patience = getattr(remote, "dt", 0.0) * PATIENCE if patience is None else max(float(patience), 0.0)
        only = arguments.switch("only", only)
        self._packets = endpoint if isinstance(endpoint, Packets) else _packets(endpoint, timeout, keys, server_key)
        self._run, self._end_us = 0, 0  # of the camera; of what was taken of the episode
        # of a camera that runs free, on its own clock: where the episode began, and the end of its latest packet
        self._origin_us: int | None = None
        self._free = (0, 0)  # its run, and that end
        self._empty, self._heard, self.without = 0, True, 0  # steps in real time without a packet, in all
        try:
            facts = self._met()
            self._seen = Seen(env.observation_space, EventSpace(facts.width, facts.height, most_events), only)
        except BaseException:
            self._packets.close()
            raise
        self.observation_space = self._seen.space

    @property
    def camera(self) -> Facts:
        """What the camera says of itself."""
        assert self._packets.facts is not None
        return self._packets.facts

    @property
    def counts(self) -> dict[str, int]:
        """Packets that were lost, pictures that the camera missed, and steps in real time without a packet, in all."""
        return {"lost": self._packets.lost, "missed": self._packets.missed, "without": self.without}

    def wanted(self, only: bool, most_events: int) -> RemoteCamera:
        """The same camera, shown otherwise."""
        return RemoteCamera(
            self.env, self._packets, only=only, most_events=most_events, timeout=self._timeout, patience=self._patience
        )

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, for which the camera may be another one. Raises `LinkError`."""
        self._empty, self._end_us = 0, 0
        if self._live:
            observation, info = self.env.reset(seed=seed, options=options)
            self._skip()
            packets = self._arrived(mark_of(info))
        else:
            observation, info, packet = self._begun(seed, options)
            packets, self._run = [packet], packet.header.run
        return self._observe(observation, info, packets)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """A step, with the events of it, or in real time those that are there."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        observation, info = self._observe(observation, info, self._of_step(info))
        return observation, reward, terminated, truncated, info

    def _of_step(self, info: dict[str, Any]) -> list[Packet]:
        """The packets of a step; a plant that went away with its episode took none."""
        if self._live or _is_lost(info):
            return self._arrived(mark_of(info))
        return [self._answer(_marked(info, self._packets))]

    def close(self) -> None:
        """Close the link to the camera, and the environment."""
        self._packets.close()
        super().close()

    def _met(self) -> Facts:
        """The camera; one that is as large as the pictures must see one first. Raises `LinkError`."""
        until = self._packets.end()
        facts = self._packets.greet(until)
        if not facts.pictures and not self._live:
            raise BadInput(
                f"{self._packets.url}: a camera that runs free goes with a plant in real time, not in lockstep"
            )
        if not facts.width:
            self.env.reset() if self._live else self._begun(None, None)
            facts = self._packets.greet(until, sized=True)
        return facts

    def _begun(self, seed: int | None, options: dict[str, Any] | None) -> tuple[Any, dict[str, Any], Packet]:
        """An episode that the camera sees the beginning of: where it did not read yet, begin again."""
        until = self._packets.end()
        while True:
            observation, info = self.env.reset(seed=seed, options=options)
            mark = _marked(info, self._packets)
            last = mark.readers > 0 or time.monotonic() + PAUSE > until
            packet = self._packets.answer_to(mark, until if last else time.monotonic() + PAUSE)
            if packet is not None:
                return observation, info, packet
            if last:
                raise self._packets.silence()

    def _answer(self, mark: Mark) -> Packet:
        """The packet of a step. Raises `LinkError` where the camera did not see all of the episode."""
        packet = self._packets.answer_to(mark, self._packets.end())
        if packet is None and self.camera.run == self._run:
            raise self._packets.silence()
        if packet is None or packet.header.run != self._run or packet.header.missed:
            raise LinkError(
                f"{self._packets.url}: the camera was started anew, or missed pictures, within an episode; begin another one"
            )
        return packet

    def _skip(self) -> None:
        """A camera that runs free is at the beginning of an episode now; what it saw before is not of it."""
        if self.camera.pictures:
            return
        for header, _ in self._packets.waiting():
            self._free = header.run, header.end_us
        self._origin_us = self._free[1] if self._free[0] else None  # nothing came yet: it begins with the first packet

    def _arrived(self, mark: Mark | None) -> list[Packet]:
        """In real time: those of the episode that are there, the latest one after a little patience."""
        found = [packet for packet in self._packets.waiting() if _belongs(packet, mark)]
        until = time.monotonic() + (self._patience if self._heard and mark else 0.0)
        while mark and not any(packet.header.pictures >= mark.seq for packet in found):
            packet = self._packets.next(until)
            if packet is None:
                break
            found += [packet] if _belongs(packet, mark) else []
        self._heard = bool(found)
        self._empty = 0 if found else self._empty + 1
        self.without += not found
        return found

    def _observe(self, observation: Any, info: dict[str, Any], packets: list[Packet]) -> tuple[Any, dict[str, Any]]:
        start_us, events = self._end_us, [self._since_reset(packet) for packet in packets]
        new, facts = self._seen.put(observation, events, start_us, self._end_us)
        counted = {
            "packets": len(packets), "empty": self._empty, "lost": self._packets.lost, "missed": self._packets.missed,
        }  # fmt: skip
        rest = {key: value for key, value in info.items() if key != CAMERA_FRAMES}
        return new, {**rest, EVENTS: facts | counted}

    def _since_reset(self, packet: Packet) -> Any:
        """Events with the times of the episode, which a camera that runs free does not know."""
        header, events = packet
        if header.plant:
            self._end_us = header.end_us
            return events
        if self._origin_us is None or header.run != self._free[0]:  # its clock began anew: the episode's goes on
            self._origin_us = header.start_us - self._end_us
        self._free = header.run, header.end_us
        self._end_us = max(header.end_us - self._origin_us, 0)
        later = events[events["t_us"] >= self._origin_us]
        later["t_us"] -= self._origin_us
        return later


def _packets(endpoint: str, timeout: float, keys: str | Path | None, server_key: str | None) -> Packets:
    own = None if keys is None else read(Path(keys))
    return Packets(
        endpoint_of(endpoint), timeout, own, None if server_key is None else key_of(server_key, "server_key")
    )


def _is_lost(info: dict[str, Any]) -> bool:
    """Whether the plant went away with its episode: there was no step, and there are no pictures of it."""
    facts = info.get(LINK)
    return isinstance(facts, Mapping) and facts.get("lost") is True


def _belongs(packet: Packet, mark: Mark | None) -> bool:
    """Whether it is of this episode, or of a camera that runs free."""
    header = packet.header
    return not header.plant or (mark is not None and (header.plant, header.episode) == (mark.run, mark.episode))


def _marked(info: dict[str, Any], packets: Packets) -> Mark:
    mark = mark_of(info)
    if mark is None:
        where = packets.facts.pictures if packets.facts else "ENDPOINT"
        raise LinkError(f"the plant publishes no pictures; serve it with `--frames {where}`")
    return mark
