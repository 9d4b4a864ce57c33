"""Values of a space as frames of raw bytes, and back: what travels beside a message's header.

Box, MultiDiscrete, MultiBinary   the array, little-endian, C order
Discrete                          int64
Text                              UTF-8
EventSpace                        events of 13 bytes: t_us int64, x uint16, y uint16, p uint8
Tuple, Dict                       the frames of each part, in the order of the space
Sequence                          uint32 n, then the frames of n values
OneOf                             uint32 index, then the frames of that part
Graph                             uint32 nodes and edges, then nodes, edges if it has any, and links int32 (edges, 2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..errors import LinkError, PlantError, UnsupportedSpace
from ..sensors.space import EventSpace, packet
from ..types import EVENT

Frame = bytes | memoryview | NDArray[Any]
Write = Callable[[Any, list[Frame]], None]
Read = Callable[[Iterator[Any]], Any]
MOST_ITEMS = 1 << 20  # of a sequence, or a graph


class Values:
    """Writes and reads values of one space."""

    def __init__(self, space: gymnasium.Space[Any]) -> None:
        self.space = space
        self._write, self._read = _of(space)
        self.holds = _inside(space)  # whether a value that was read lies in the space

    def write(self, value: Any) -> list[Frame]:
        """The frames of a value. Raises `PlantError` for what is no value of the space, in shape or kind."""
        frames: list[Frame] = []
        try:
            self._write(value, frames)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError) as error:
            raise PlantError(f"{value!r} does not fit {self.space}: {error}") from None
        return frames

    def read(self, frames: list[Any]) -> Any:
        """The value of frames, a copy. Raises `LinkError` if they are not those of a value of the space."""
        left = iter(frames)
        try:
            value = self._read(left)
        except StopIteration:
            raise LinkError(f"frames: {len(frames)} are too few for {self.space}") from None
        except (ValueError, UnicodeDecodeError) as error:
            raise LinkError(f"frames: do not fit {self.space}: {error}") from None
        if next(left, None) is not None:
            raise LinkError(f"frames: {len(frames)} are too many for {self.space}")
        return value


def _inside(space: gymnasium.Space[Any]) -> Callable[[Any], bool]:
    """As `space.contains`, of values that have its shape and type already; numbers that clipping leaves as they are, byte by
    byte, need no second look."""
    if isinstance(space, spaces.Discrete):
        first, end = int(space.start), int(space.start + space.n)
        return lambda value: bool(first <= value < end)
    if not isinstance(space, spaces.Box) or isinstance(space, EventSpace):
        return space.contains
    low, high, room, contains = space.low, space.high, np.empty_like(space.low), space.contains

    def inside(value: NDArray[Any]) -> bool:
        np.fmax(np.fmin(value, high, out=room), low, out=room)  # where a value is not a number, they give the bound
        return room.tobytes() == value.tobytes() or bool(contains(value))

    return inside


def _of(space: gymnasium.Space[Any]) -> tuple[Write, Read]:
    match space:
        case EventSpace():
            return _events(space)
        case spaces.Box() | spaces.MultiDiscrete() | spaces.MultiBinary():
            return _array(np.dtype(space.dtype), space.shape)
        case spaces.Discrete():
            return _whole()
        case spaces.Text():
            return _text()
        case spaces.Tuple():
            return _several([_of(part) for part in space.spaces], range(len(space.spaces)), tuple)
        case spaces.Dict():
            keys = list(space.spaces)
            return _several(
                [_of(space.spaces[key]) for key in keys], keys, lambda values: dict(zip(keys, values, strict=True))
            )
        case spaces.Sequence():
            return _sequence(space)
        case spaces.OneOf():
            return _one_of([_of(part) for part in space.spaces])
        case spaces.Graph():
            return _graph(space)
    raise UnsupportedSpace(f"{space}: cannot travel over a link; use the spaces of gymnasium.spaces, or an EventSpace")


def _array(dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[Write, Read]:
    on_wire = dtype.newbyteorder("<")
    n_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize

    def write(value: Any, frames: list[Frame]) -> None:
        array = np.asarray(value, on_wire, order="C")
        if array.shape != shape:
            raise ValueError(f"its shape is {array.shape}, expected {shape}")
        frames.append(array)

    def read(frames: Iterator[Any]) -> Any:
        return np.ndarray(shape, on_wire, _sized(next(frames), n_bytes)).copy()

    return write, read


def _sized(frame: Any, n_bytes: int) -> memoryview:
    raw = memoryview(frame)
    if raw.nbytes != n_bytes:
        raise ValueError(f"a frame must have {n_bytes} bytes, got {raw.nbytes}")
    return raw


def _copied(frame: Any, dtype: np.dtype[Any], n_bytes: int) -> NDArray[Any]:
    return np.frombuffer(_sized(frame, n_bytes), dtype).copy()


def _whole() -> tuple[Write, Read]:
    def write(value: Any, frames: list[Frame]) -> None:
        if int(value) != value:
            raise ValueError("it is not whole")
        frames.append(int(value).to_bytes(8, "little", signed=True))

    def read(frames: Iterator[Any]) -> Any:
        return np.int64(int.from_bytes(_sized(next(frames), 8), "little", signed=True))

    return write, read


def _count(frames: Iterator[Any]) -> int:
    return int.from_bytes(_sized(next(frames), 4), "little")


def _text() -> tuple[Write, Read]:
    return lambda value, frames: frames.append(value.encode()), lambda frames: bytes(next(frames)).decode()


def _events(space: EventSpace) -> tuple[Write, Read]:
    def write(value: Any, frames: list[Frame]) -> None:
        events = np.ascontiguousarray(value)
        if events.dtype != EVENT or events.ndim != 1:
            raise ValueError(f"events must be a one-dimensional array of EVENT, got {events.dtype} of {events.shape}")
        frames.append(events.view(np.uint8))

    def read(frames: Iterator[Any]) -> Any:
        raw = memoryview(next(frames))
        if raw.nbytes % EVENT.itemsize or raw.nbytes > EVENT.itemsize * space.most_events:
            raise ValueError(
                f"events have {EVENT.itemsize} bytes each, at most {space.most_events} of them, got {raw.nbytes}"
            )
        events = packet(np.frombuffer(raw, EVENT))
        if events.size and not space.contains(events):
            raise ValueError("events must lie within the camera's picture, be 0 or 1, and rise in time")
        return events

    return write, read


def _several(parts: list[tuple[Write, Read]], keys: Any, make: Callable[[Any], Any]) -> tuple[Write, Read]:
    def write(value: Any, frames: list[Frame]) -> None:
        if len(value) != len(parts):
            raise ValueError(f"it has {len(value)} parts, expected {len(parts)}")
        for key, (part, _) in zip(keys, parts, strict=True):
            part(value[key], frames)

    def read(frames: Iterator[Any]) -> Any:
        return make([part(frames) for _, part in parts])

    return write, read


def _sequence(space: spaces.Sequence) -> tuple[Write, Read]:
    put, get = _of(space.feature_space)

    def write(value: Any, frames: list[Frame]) -> None:
        items = list(gymnasium.vector.utils.iterate(space.stacked_feature_space, value)) if space.stack else list(value)
        frames.append(len(items).to_bytes(4, "little"))
        for item in items:
            put(item, frames)

    def read(frames: Iterator[Any]) -> Any:
        n = _count(frames)
        if n > MOST_ITEMS:
            raise ValueError(f"a sequence may have {MOST_ITEMS} values, got {n}")
        items = [get(frames) for _ in range(n)]
        if not space.stack:
            return tuple(items)
        room: Any = gymnasium.vector.utils.create_empty_array(space.feature_space, n)
        return gymnasium.vector.utils.concatenate(space.feature_space, items, room)

    return write, read


def _one_of(parts: list[tuple[Write, Read]]) -> tuple[Write, Read]:
    def write(value: Any, frames: list[Frame]) -> None:
        index, inner = value
        frames.append(int(index).to_bytes(4, "little"))
        parts[int(index)][0](inner, frames)

    def read(frames: Iterator[Any]) -> Any:
        index = _count(frames)
        if index >= len(parts):
            raise ValueError(f"there are {len(parts)} parts, got number {index}")
        return np.int64(index), parts[index][1](frames)

    return write, read


def _graph(space: spaces.Graph) -> tuple[Write, Read]:
    kinds = [_element(space.node_space), _element(space.edge_space)]

    def write(value: Any, frames: list[Frame]) -> None:
        edges, links = value.edges, value.edge_links
        n_edges = 0 if edges is None else len(edges)
        frames.append(len(value.nodes).to_bytes(4, "little") + n_edges.to_bytes(4, "little"))
        frames.append(np.ascontiguousarray(value.nodes, kinds[0][0]))
        if n_edges:
            frames.append(np.ascontiguousarray(edges, kinds[1][0]))
            frames.append(np.ascontiguousarray(links, "<i4"))

    def read(frames: Iterator[Any]) -> Any:
        n_nodes, n_edges = (int(n) for n in _copied(next(frames), np.dtype("<u4"), 8))
        if max(n_nodes, n_edges) > MOST_ITEMS:
            raise ValueError(f"a graph may have {MOST_ITEMS} nodes and edges, got {n_nodes} and {n_edges}")
        nodes = _stacked(frames, n_nodes, *kinds[0])
        if not n_edges:
            return spaces.GraphInstance(nodes=nodes, edges=None, edge_links=None)
        edges = _stacked(frames, n_edges, *kinds[1])
        links = _copied(next(frames), np.dtype("<i4"), 8 * n_edges).reshape(n_edges, 2)
        if not ((links >= 0) & (links < n_nodes)).all():
            raise ValueError("links must name nodes")
        return spaces.GraphInstance(nodes=nodes, edges=edges, edge_links=links)

    return write, read


def _element(space: Any) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """dtype and shape of a node or an edge."""
    if space is None:
        return np.dtype("<f4"), ()
    return np.dtype(space.dtype).newbyteorder("<"), space.shape or ()


def _stacked(frames: Iterator[Any], n: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    n_bytes = n * int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return _copied(next(frames), dtype, n_bytes).reshape(n, *shape)
