"""What a reader makes of a tap's messages: one message in, one `Heard` out, or an error and no change. No sockets here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import LinkError
from ...types import EVENT
from ..spaces import Spec, rebuild
from ..values import Values
from .facts import (
    MOST_NEURONS,
    AnyFacts,
    ByeFacts,
    PictureFacts,
    PlantFacts,
    RunFacts,
    SightFacts,
    TickFacts,
    WeightsFacts,
    facts_of,
)

NOTHING: Mapping[str, NDArray[np.int32]] = MappingProxyType({})


class Heard(NamedTuple):
    """A message of a tap; arrays are copies."""

    facts: AnyFacts
    observation: Any = None  # None: it was left out
    action: Any = None
    spikes: Mapping[str, NDArray[np.int32]] = NOTHING  # of each neuron of each population
    cells: Mapping[str, NDArray[np.int32]] = NOTHING  # conjunctive cells that fire, of each encoder
    picture: NDArray[np.uint8] | None = None  # also: the frame of an event camera
    events: NDArray[Any] | None = None
    weights: Mapping[str, NDArray[np.float32]] = MappingProxyType({})  # (inputs, neurons), by projection


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
        if not 2 <= len(frames) <= 3:
            raise LinkError(f"message: must have a topic, a header and perhaps a body, got {len(frames)} frames")
        facts = facts_of(bytes(frames[0]), bytes(frames[1]))
        body = memoryview(frames[2] if len(frames) == 3 else b"")
        if isinstance(facts, RunFacts):
            _check_size("run", body, 0)
            return self._begin(facts)
        if self.run is None or facts.run != self.run.run:
            self.early += 1
            return None
        kind = str(facts.__struct_config__.tag)
        before = self._latest.get(kind, facts.seq - 1)
        if isinstance(facts, ByeFacts) and facts.seq == before:
            return None  # is said several times
        if facts.seq <= before:
            raise LinkError(f"{kind}: seq must be above {before}, got {facts.seq}")
        heard = self._read(self.run, facts, body) if read else None
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

    def _read(self, run: RunFacts, facts: AnyFacts, body: memoryview) -> Heard:
        match facts:
            case TickFacts():
                counts, cells = sum(run.populations.values()), sum(run.cells.values())
                n, spikes = sum(facts.observation) + sum(facts.action), 4 * counts
                _check_size("tick", body, n + spikes + 4 * cells)
                return Heard(
                    facts,
                    _value(self._observations, facts.observation, body),
                    _value(self._actions, facts.action, body[sum(facts.observation) :]),
                    _parted(body[n : n + spikes], run.populations),
                    _parted(body[n + spikes :], run.cells),
                )
            case PlantFacts():
                _check_size("plant", body, sum(facts.action))
                return Heard(facts, action=_value(self._actions, facts.action, body))
            case PictureFacts():
                _check_size("picture", body, int(np.prod(facts.shape, dtype=np.int64)))
                return Heard(facts, picture=np.frombuffer(body, np.uint8).reshape(facts.shape).copy())
            case SightFacts():
                return _sight(facts, body)
            case WeightsFacts():
                return _weights(facts, body)
        _check_size(str(facts.__struct_config__.tag), body, 0)
        return Heard(facts)


def _values(spec: Spec | None) -> Values | None:
    return None if spec is None else Values(rebuild(spec))


def _check_size(what: str, body: memoryview, n: int) -> None:
    if body.nbytes != n:
        raise LinkError(f"{what}: the body must have {n} bytes, got {body.nbytes}")


def _value(values: Values | None, sizes: Sequence[int], body: memoryview) -> Any:
    """The value of the frames that a body begins with; None where there are none."""
    if not sizes:
        return None
    if values is None:
        raise LinkError(f"frames: of a space that is not known, got {len(sizes)} of them")
    ends = list(accumulate(sizes))
    return values.read([body[end - size : end] for size, end in zip(sizes, ends, strict=True)])


def _parted(raw: memoryview, sizes: Mapping[str, int]) -> dict[str, NDArray[np.int32]]:
    """Whole numbers by name."""
    whole, ends = np.frombuffer(raw, "<i4").astype(np.int32), list(accumulate(sizes.values()))
    return {name: whole[end - size : end] for (name, size), end in zip(sizes.items(), ends, strict=True)}


def _sight(facts: SightFacts, body: memoryview) -> Heard:
    n, pixels = EVENT.itemsize * facts.n_events, int(np.prod(facts.shape, dtype=np.int64)) if facts.shape else 0
    _check_size("sight", body, n + pixels)
    events = np.frombuffer(body[:n], EVENT).copy()
    if events.size and (events["x"].max() >= facts.width or events["y"].max() >= facts.height):
        raise LinkError("sight: events must lie within the camera's picture")
    frame = np.frombuffer(body[n:], np.uint8).reshape(facts.shape).copy() if facts.shape else None
    return Heard(facts, picture=frame, events=events)


def _weights(facts: WeightsFacts, body: memoryview) -> Heard:
    ends = list(accumulate(4 * rows * columns for rows, columns in facts.shapes.values()))
    _check_size("weights", body, ends[-1] if ends else 0)
    begins = [0, *ends]
    parts = [np.frombuffer(body[begin:end], "<f4").astype(np.float32) for begin, end in zip(begins, ends, strict=False)]
    shaped = {name: part.reshape(shape) for (name, shape), part in zip(facts.shapes.items(), parts, strict=True)}
    return Heard(facts, weights=shaped)
