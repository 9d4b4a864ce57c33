"""The space of event packets: arrays of `EVENT`, as many events as there were, sorted by time.

Vector environments batch it as a Tuple of packets, one an environment. A packet has no fixed size, so the space cannot be
flattened, and an `AsyncVectorEnv` needs `shared_memory=False`; `EventFrames` makes a Box of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import numpy as np
from gymnasium import spaces
from gymnasium.spaces import utils as flattening
from gymnasium.vector import utils as batching
from gymnasium.wrappers import utils as wrapping
from numpy.typing import NDArray

from .. import arguments
from ..errors import BadInput, UnsupportedSpace
from ..types import EVENT

MOST = 2**31 - 1  # events of a packet, where nobody says less
SAMPLED, SPAN_US = 1000, 20_000  # a random packet has up to so many events, within so long


class Packet(np.ndarray[Any, Any]):
    """An array of events that `numpy.allclose` can compare, which it refuses for plain structured arrays.

    Gymnasium's `check_env` compares observations by it. Events are whole numbers: close means equal.
    """

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.allclose and len(args) >= 2:
            return np.array_equal(np.asarray(args[0]), np.asarray(args[1]))
        return super().__array_function__(function, types, args, kwargs)


def packet(events: Any) -> Packet:
    """A copy of events as an observation that stays as it is."""
    return np.array(events, EVENT).view(Packet)


class EventSpace(spaces.Space[NDArray[Any]]):
    """Packets of up to `most_events` events of a camera of `width` × `height` pixels."""

    def __init__(
        self, width: int, height: int, most_events: int = MOST, seed: int | np.random.Generator | None = None
    ) -> None:
        self.width, self.height = arguments.whole("width", width, 1), arguments.whole("height", height, 1)
        if max(self.width, self.height) > 2**16:
            raise BadInput(f"width, height: addresses reach 65536 pixels, got {self.width} × {self.height}")
        self.most_events = arguments.whole("most_events", most_events, 0)
        super().__init__(None, EVENT, seed)

    @property
    def is_np_flattenable(self) -> bool:
        return False

    def sample(self, mask: Any | None = None, probability: Any | None = None) -> Packet:
        """Random events: up to 1000, within 20 ms.

        `mask`, shape (height, width): 1 where pixels may fire, 0 elsewhere; `probability`, of the same shape: the share of
        events that each pixel gets. Raises `BadInput`.
        """
        shares = self._shares(mask, probability)
        n = int(self.np_random.integers(min(self.most_events, SAMPLED) + 1))
        if shares is not None and not shares.any():
            n, shares = 0, None
        pixels = self.np_random.choice(self.width * self.height, n, p=shares)
        events = np.zeros(n, EVENT)
        events["t_us"] = np.sort(self.np_random.integers(SPAN_US, size=n))
        events["y"], events["x"] = np.divmod(pixels, self.width)
        events["p"] = self.np_random.integers(2, size=n)
        return packet(events)

    def _shares(self, mask: Any | None, probability: Any | None) -> NDArray[np.float64] | None:
        """The probability of each pixel, None if all are alike, zeros if none may fire."""
        if mask is not None and probability is not None:
            raise BadInput("sample: either mask or probability, not both")
        if mask is None and probability is None:
            return None
        name, given = ("mask", mask) if probability is None else ("probability", probability)
        shares = np.asarray(given, np.float64)
        if shares.shape != (self.height, self.width):
            raise BadInput(f"{name}: must be of shape {(self.height, self.width)}, got {shares.shape}")
        if mask is not None:
            if not np.isin(shares, (0.0, 1.0)).all():
                raise BadInput("mask: must be 0 or 1 for each pixel")
            return np.asarray(shares.ravel() / max(shares.sum(), 1.0))
        if not (shares >= 0.0).all() or not np.isclose(shares.sum(), 1.0):
            raise BadInput(f"probability: must be at least 0 for each pixel and sum to 1, got a sum of {shares.sum()}")
        return np.asarray(shares.ravel() / shares.sum())

    def contains(self, x: Any) -> bool:
        """Whether `x` is a list of events: of the dtype `EVENT`, inside the picture, sorted by time."""
        if not isinstance(x, np.ndarray) or x.dtype != EVENT or x.ndim != 1 or x.size > self.most_events:
            return False
        inside = (x["x"] < self.width) & (x["y"] < self.height) & (x["p"] <= 1)
        return bool(inside.all() and (x["t_us"][1:] >= x["t_us"][:-1]).all())

    def to_jsonable(self, sample_n: Iterable[NDArray[Any]]) -> list[dict[str, list[int]]]:
        """One dictionary of lists a packet: t_us, x, y and p of its events."""
        return [{name: events[name].tolist() for name in EVENT.names or ()} for events in sample_n]

    def from_jsonable(self, sample_n: list[dict[str, list[int]]]) -> list[NDArray[Any]]:
        """The packets of what `to_jsonable` returned. Raises `BadInput` for what is outside this space."""
        packets: list[NDArray[Any]] = [_from_lists(k, lists) for k, lists in enumerate(sample_n)]
        for k, events in enumerate(packets):
            if events not in self:
                raise BadInput(f"packet {k}: its events are not sorted, or do not fit {self}")
        return packets

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, EventSpace) and (self.width, self.height, self.most_events) == (
            other.width, other.height, other.most_events,
        )  # fmt: skip

    __hash__ = None  # type: ignore[assignment]  # as other spaces: they can be changed

    def __repr__(self) -> str:
        limit = "" if self.most_events == MOST else f", most_events={self.most_events}"
        return f"EventSpace({self.width}, {self.height}{limit})"


def _from_lists(k: int, lists: dict[str, list[int]]) -> Packet:
    try:
        columns = [np.asarray(lists[name], np.int64) for name in EVENT.names or ()]
        events = np.zeros(columns[0].shape, EVENT)
        for name, column in zip(EVENT.names or (), columns, strict=True):
            events[name] = column
            if column.shape != events.shape or not np.array_equal(events[name], column):
                raise ValueError
    except (KeyError, TypeError, ValueError, OverflowError):
        raise BadInput(f"packet {k}: must hold lists t_us, x, y and p of one length, of numbers that fit") from None
    return packet(events)


@batching.batch_space.register(EventSpace)
def _batch(space: EventSpace, n: int = 1) -> Any:
    return _differing([space] * n)


def _differing(many: Sequence[EventSpace]) -> Any:
    """Copies with generators of their own, so that samples of environments differ."""
    batch = spaces.Tuple([copy.deepcopy(space) for space in many], seed=copy.deepcopy(many[0].np_random))
    batch.seed([int(seed) for seed in copy.deepcopy(many[0].np_random).integers(2**31, size=len(many))])
    return batch


batching.batch_differing_spaces.register(EventSpace, _differing)  # looked up by the class of what is in the list


@flattening.is_space_dtype_shape_equiv.register(EventSpace)
def _alike(space_1: EventSpace, space_2: Any) -> bool:
    """Whether a vector environment may hold both: packets of any camera are alike."""
    return isinstance(space_2, EventSpace)


@batching.create_empty_array.register(EventSpace)
def _empty(space: EventSpace, n: int = 1, fn: Callable[..., Any] = np.zeros) -> tuple[Packet, ...]:
    return tuple(packet(fn(0, dtype=EVENT)) for _ in range(n))


@wrapping.create_zero_array.register(EventSpace)
def _zero(space: EventSpace) -> Packet:  # type: ignore[misc]  # gymnasium types the argument as a Space of anything
    return packet([])


@batching.concatenate.register(EventSpace)
def _concatenate(space: EventSpace, items: Iterable[Any], out: Any) -> tuple[Any, ...]:
    return tuple(items)


def _refuse(space: EventSpace, *_: Any) -> NoReturn:
    raise UnsupportedSpace(
        f"{space}: a packet has no fixed size, so it cannot be flattened; EventFrames makes a Box of it"
    )


for _flatten in (flattening.flatdim, flattening.flatten_space, flattening.flatten, flattening.unflatten):
    _flatten.register(EventSpace, _refuse)
