"""Gymnasium spaces as data that any language can read, and back."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import gymnasium
import msgspec
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..errors import BadInput, LinkError, UnsupportedSpace
from ..sensors.space import EventSpace

MOST_BYTES = 1 << 28  # of one array of a space: what a peer may make us allocate
MOST_DEPTH = 16  # of spaces within spaces
Size = tuple[int, ...]


class Described(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Base of all descriptions."""


class BoxSpec(Described, frozen=True, kw_only=True, tag="box"):
    """An array; `low` and `high` are one number, or raw little-endian arrays of `dtype`, in C order."""

    shape: Size
    dtype: str
    low: bytes
    high: bytes


class DiscreteSpec(Described, frozen=True, kw_only=True, tag="discrete"):
    n: int
    start: int


class MultiDiscreteSpec(Described, frozen=True, kw_only=True, tag="multi-discrete"):
    shape: Size
    dtype: str
    n: tuple[int, ...]
    start: tuple[int, ...]


class MultiBinarySpec(Described, frozen=True, kw_only=True, tag="multi-binary"):
    shape: Size


class TextSpec(Described, frozen=True, kw_only=True, tag="text"):
    shortest: int
    longest: int
    characters: str


class EventsSpec(Described, frozen=True, kw_only=True, tag="events"):
    """Address-events; see `neuroloop.types.EVENT`."""

    width: int
    height: int
    most_events: int


class TupleSpec(Described, frozen=True, kw_only=True, tag="tuple"):
    parts: tuple[Spec, ...]


class DictSpec(Described, frozen=True, kw_only=True, tag="dict"):
    keys: tuple[str | int, ...]
    parts: tuple[Spec, ...]


class SequenceSpec(Described, frozen=True, kw_only=True, tag="sequence"):
    part: Spec
    stack: bool


class OneOfSpec(Described, frozen=True, kw_only=True, tag="one-of"):
    parts: tuple[Spec, ...]


class GraphSpec(Described, frozen=True, kw_only=True, tag="graph"):
    node: Spec
    edge: Spec | None


Spec = (
    BoxSpec | DiscreteSpec | MultiDiscreteSpec | MultiBinarySpec | TextSpec | EventsSpec | TupleSpec | DictSpec
    | SequenceSpec | OneOfSpec | GraphSpec
)  # fmt: skip
DTYPES = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")


def describe(space: gymnasium.Space[Any]) -> Spec:
    """A space as data. Raises `UnsupportedSpace` for kinds that Gymnasium does not have."""
    match space:
        case EventSpace():
            return EventsSpec(width=space.width, height=space.height, most_events=space.most_events)
        case spaces.Box():
            dtype = _code(space.dtype)
            return BoxSpec(shape=space.shape, dtype=dtype, low=_ends(space.low, dtype), high=_ends(space.high, dtype))
        case spaces.Discrete():
            return DiscreteSpec(n=int(space.n), start=int(space.start))
        case spaces.MultiDiscrete():
            n, start = (tuple(int(x) for x in array.ravel()) for array in (space.nvec, space.start))
            return MultiDiscreteSpec(shape=space.shape, dtype=_code(space.dtype), n=n, start=start)
        case spaces.MultiBinary():
            return MultiBinarySpec(shape=space.shape)
        case spaces.Text():
            return TextSpec(
                shortest=space.min_length, longest=space.max_length, characters="".join(space.character_list)
            )
        case spaces.Tuple():
            return TupleSpec(parts=tuple(map(describe, space.spaces)))
        case spaces.Dict():
            if not all(isinstance(key, str | int) for key in space.spaces):
                raise UnsupportedSpace(f"{space}: keys must be text or whole numbers to travel")
            return DictSpec(keys=tuple(space.spaces), parts=tuple(map(describe, space.spaces.values())))
        case spaces.Sequence():
            return SequenceSpec(part=describe(space.feature_space), stack=bool(space.stack))
        case spaces.OneOf():
            return OneOfSpec(parts=tuple(map(describe, space.spaces)))
        case spaces.Graph():
            edge = None if space.edge_space is None else describe(space.edge_space)
            return GraphSpec(node=describe(space.node_space), edge=edge)
    raise UnsupportedSpace(f"{space}: cannot travel over a link; use the spaces of gymnasium.spaces, or an EventSpace")


def rebuild(spec: Spec, depth: int = 0) -> gymnasium.Space[Any]:
    """The space of a description. Raises `LinkError` for one that makes no sense."""
    if depth > MOST_DEPTH:
        raise LinkError(f"space: is nested more than {MOST_DEPTH} deep")
    try:
        return _rebuilt(spec, depth + 1)
    except (ValueError, TypeError, AssertionError, OverflowError, BadInput) as error:
        raise LinkError(f"space: {type(spec).__name__} makes no sense: {error}") from None


def _rebuilt(spec: Spec, depth: int) -> gymnasium.Space[Any]:
    match spec:
        case EventsSpec():
            return EventSpace(spec.width, spec.height, spec.most_events)
        case BoxSpec():
            dtype = dtype_of(spec.dtype, spec.shape)
            return spaces.Box(
                _array(spec.low, dtype, spec.shape), _array(spec.high, dtype, spec.shape), dtype=dtype.type
            )
        case DiscreteSpec():
            return spaces.Discrete(spec.n, start=spec.start)
        case MultiDiscreteSpec():
            dtype = dtype_of(spec.dtype, spec.shape)
            n, start = (np.array(values, np.int64).reshape(spec.shape) for values in (spec.n, spec.start))
            return spaces.MultiDiscrete(n, dtype=dtype.type, start=start)
        case MultiBinarySpec():
            dtype_of("i1", spec.shape)
            return spaces.MultiBinary(spec.shape)
        case TextSpec():
            return spaces.Text(spec.longest, min_length=spec.shortest, charset=spec.characters)
        case TupleSpec():
            return spaces.Tuple([rebuild(part, depth) for part in spec.parts])
        case DictSpec():
            keys: Any = spec.keys
            parts = [(key, rebuild(part, depth)) for key, part in zip(keys, spec.parts, strict=True)]
            return spaces.Dict(OrderedDict(parts))  # a plain dictionary would be sorted, but frames come in this order
        case SequenceSpec():
            return spaces.Sequence(rebuild(spec.part, depth), stack=spec.stack)
        case OneOfSpec():
            return spaces.OneOf([rebuild(part, depth) for part in spec.parts])
        case GraphSpec():
            node, edge = rebuild(spec.node, depth), None if spec.edge is None else rebuild(spec.edge, depth)
            return spaces.Graph(node, edge)


def dtype_of(code: str, shape: Size) -> np.dtype[Any]:
    """The dtype of an array that a peer describes. Raises `LinkError` where it is none of ours, or the array too large."""
    if code not in DTYPES:
        raise LinkError(f"space: dtype must be one of {', '.join(DTYPES)}, got {code!r}")
    dtype = np.dtype(f"<{code}")
    n = 1
    for side in shape:
        if side < 0:
            raise LinkError(f"space: sides must be at least 0, got {shape}")
        n *= side
    if len(shape) > 8 or n * dtype.itemsize > MOST_BYTES:
        raise LinkError(f"space: an array may have 8 sides and {MOST_BYTES} bytes, got {shape} of {code}")
    return dtype


def _code(dtype: Any) -> str:
    found = np.dtype(dtype)
    code = f"{found.kind}{found.itemsize}"
    if code not in DTYPES:
        raise UnsupportedSpace(f"dtype {found}: cannot travel over a link")
    return code


def _ends(array: NDArray[Any], code: str) -> bytes:
    """One number if all are alike, or the array."""
    flat = np.ascontiguousarray(array).ravel().astype(f"<{code}")
    return (flat[:1] if flat.size and (flat == flat[0]).all() else flat).tobytes()


def _array(raw: bytes, dtype: np.dtype[Any], shape: Size) -> NDArray[Any]:
    values = np.frombuffer(raw, dtype)
    n = int(np.prod(shape, dtype=np.int64))
    if values.size not in (1, n):
        raise LinkError(f"space: bounds must be 1 number or {n}, got {values.size}")
    return np.broadcast_to(values, (n,)).reshape(shape).copy()
