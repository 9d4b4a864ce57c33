"""What a reader makes of a tap's messages: no sockets here, one message in, one `Heard` out, or an error and nothing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import LinkError
from .spaces import Spec, rebuild
from .telemetry import MOST_NEURONS, AnyFacts, PictureFacts, PlantFacts, RunFacts, TickFacts, facts_of
from .values import Values

NOTHING: Mapping[str, NDArray[np.int32]] = MappingProxyType({})


class Heard(NamedTuple):
    """A message of a tap; arrays are copies."""

    facts: AnyFacts
    observation: Any = None  # None: it was left out
    action: Any = None
    spikes: Mapping[str, NDArray[np.int32]] = NOTHING  # of each neuron of each population
    cells: Mapping[str, NDArray[np.int32]] = NOTHING  # conjunctive cells that fire, of each encoder
    picture: NDArray[np.uint8] | None = None


class Hearing:
    """Follows a tap from run to run."""

    def __init__(self) -> None:
        self.run: RunFacts | None = None
        self.lost = 0  # messages of this run, by gaps in their numbers
        self.early = 0  # messages of a run of which nothing was known yet
        self._latest: dict[str, int] = {}
        self._observations: Values | None = None
        self._actions: Values | None = None

    def take(self, frames: Sequence[Any], *, read: bool = True) -> Heard | None:
        """A message; None where it says nothing new, its run is not known yet, or it is not to be `read`, only numbered.

        Raises `LinkError`, and forgets it.
        """
        if len(frames) < 2:
            raise LinkError(f"message: must have a topic and a header, got {len(frames)} frames")
        facts = facts_of(bytes(frames[0]), bytes(frames[1]))
        rest = list(frames[2:])
        if isinstance(facts, RunFacts):
            _none_left(rest)
            return self._begin(facts)
        if self.run is None or facts.run != self.run.run:
            self.early += 1
            return None
        kind = str(facts.__struct_config__.tag)
        before = self._latest.get(kind, facts.seq - 1)
        if facts.seq <= before:
            raise LinkError(f"{kind}: seq must be above {before}, got {facts.seq}")
        heard = self._read(self.run, facts, rest) if read else None
        self.lost += facts.seq - before - 1
        self._latest[kind] = facts.seq
        return heard

    def _begin(self, facts: RunFacts) -> Heard | None:
        """A run is told of: the one that is known, or another."""
        if self.run is not None and facts.run == self.run.run:
            return None
        for sizes in (facts.populations, facts.cells):
            if sum(sizes.values()) > MOST_NEURONS:
                raise LinkError(f"run: may have {MOST_NEURONS} neurons, got {sum(sizes.values())}")
        values = _values(facts.observation_space), _values(facts.action_space)
        self._observations, self._actions = values
        self.run, self.lost, self._latest = facts, 0, {}
        return Heard(facts)

    def _read(self, run: RunFacts, facts: AnyFacts, frames: list[Any]) -> Heard:
        match facts:
            case TickFacts():
                if len(frames) != facts.observation + facts.action + 2:
                    raise LinkError(
                        f"tick: must have {facts.observation} + {facts.action} + 2 frames, got {len(frames)}"
                    )
                seen, done = frames[: facts.observation], frames[facts.observation : -2]
                return Heard(
                    facts, _value(self._observations, seen, "observation"), _value(self._actions, done, "action"),
                    _parted("counts", frames[-2], run.populations), _parted("cells", frames[-1], run.cells),
                )  # fmt: skip
            case PlantFacts():
                if len(frames) != facts.action:
                    raise LinkError(f"plant: must have {facts.action} frames, got {len(frames)}")
                return Heard(facts, action=_value(self._actions, frames, "action"))
            case PictureFacts():
                return Heard(facts, picture=_picture(facts, frames))
        _none_left(frames)
        return Heard(facts)


def _values(spec: Spec | None) -> Values | None:
    return None if spec is None else Values(rebuild(spec))


def _none_left(frames: list[Any]) -> None:
    if frames:
        raise LinkError(f"message: must have no further frames, got {len(frames)}")


def _value(values: Values | None, frames: list[Any], what: str) -> Any:
    """A value of a space; None where there are no frames of it."""
    if not frames:
        return None
    if values is None:
        raise LinkError(f"{what}: its space is not known, got {len(frames)} frames")
    return values.read(frames)


def _parted(what: str, frame: Any, sizes: Mapping[str, int]) -> dict[str, NDArray[np.int32]]:
    """The parts of a frame of int32, by name."""
    raw, n = memoryview(frame), sum(sizes.values())
    if raw.nbytes != 4 * n:
        raise LinkError(f"{what}: must have {4 * n} bytes, got {raw.nbytes}")
    whole = np.frombuffer(raw, "<i4").astype(np.int32)
    ends = np.cumsum(list(sizes.values()), dtype=np.int64)
    return dict(zip(sizes, np.split(whole, ends[:-1]), strict=True)) if sizes else {}


def _picture(facts: PictureFacts, frames: list[Any]) -> NDArray[np.uint8]:
    n = int(np.prod(facts.shape, dtype=np.int64))
    if len(frames) != 1 or memoryview(frames[0]).nbytes != n:
        raise LinkError(f"picture: must have one frame of {n} bytes, got {[memoryview(f).nbytes for f in frames]}")
    return np.frombuffer(frames[0], np.uint8).reshape(facts.shape).copy()
