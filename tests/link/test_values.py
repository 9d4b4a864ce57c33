"""Spaces and their values travel: what arrives equals what was sent, and nonsense is refused."""

from typing import Any

import msgspec
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.errors import LinkError, PlantError
from neuroloop.link.spaces import Spec, describe, rebuild
from neuroloop.link.values import Values
from neuroloop.sensors.space import EventSpace

SPACES = [
    spaces.Box(-1.0, 1.0, (3,), np.float32),
    spaces.Box(np.array([0.0, -2.0]), np.array([np.inf, 5.0]), dtype=np.float64),
    spaces.Box(0, 255, (4, 5, 3), np.uint8),
    spaces.Box(-1.0, 1.0, (), np.float32),
    spaces.Box(-1.0, 1.0, (0,), np.float32),
    spaces.Discrete(5, start=-2),
    spaces.MultiDiscrete([3, 4], start=[1, -1]),
    spaces.MultiDiscrete([[3, 4], [5, 6]]),
    spaces.MultiBinary((2, 3)),
    spaces.Text(6, min_length=0, charset="abcé"),
    spaces.Tuple([spaces.Discrete(2), spaces.Tuple([spaces.Box(0, 1, (2,))])]),
    spaces.Dict({"b": spaces.Box(0, 1, (2,)), "a": spaces.Dict({"x": spaces.Discrete(3)})}),
    spaces.Sequence(spaces.Box(0, 1, (2,)), seed=0),
    spaces.Sequence(spaces.Box(0, 1, (2,)), stack=True),
    spaces.OneOf([spaces.Discrete(3), spaces.Box(0, 1, (2,))]),
    spaces.Graph(spaces.Box(0, 1, (3,)), spaces.Discrete(4)),
    spaces.Graph(spaces.Discrete(3), None),
    EventSpace(32, 24, most_events=2000),
]


def sent(space: Any, value: Any) -> list[bytes]:
    return [frame if isinstance(frame, bytes) else np.asarray(frame).tobytes() for frame in Values(space).write(value)]


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, np.ndarray | np.generic):
        return np.asarray(a).dtype == np.asarray(b).dtype and np.array_equal(a, b)
    return bool(a == b)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_space_and_its_values_arrive_as_they_were(space: Any) -> None:
    arrived = rebuild(msgspec.msgpack.decode(msgspec.msgpack.encode(describe(space)), type=Spec))
    assert arrived == space
    space.seed(0)
    for _ in range(20):
        value = space.sample()
        frames = [
            bytes(memoryview(frame).cast("B")) if not isinstance(frame, bytes) else frame
            for frame in Values(space).write(value)
        ]
        back = Values(arrived).read(frames)
        assert equal(back, value)
        assert arrived.contains(back)


@pytest.mark.parametrize("space", SPACES, ids=str)
@given(data=st.data())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_frames_that_are_damaged_are_refused_or_still_a_value(space: Any, data: st.DataObject) -> None:
    space.seed(data.draw(st.integers(0, 100)))
    frames = [
        bytes(memoryview(frame).cast("B")) if not isinstance(frame, bytes) else frame
        for frame in Values(space).write(space.sample())
    ]
    kind = data.draw(st.sampled_from(["cut", "longer", "missing", "more", "noise"]))
    k = data.draw(st.integers(0, len(frames) - 1))
    match kind:
        case "cut":
            frames[k] = frames[k][: data.draw(st.integers(0, max(len(frames[k]) - 1, 0)))]
        case "longer":
            frames[k] += data.draw(st.binary(min_size=1, max_size=20))
        case "missing":
            del frames[k]
        case "more":
            frames.append(b"")
        case "noise":
            frames[k] = data.draw(st.binary(min_size=len(frames[k]), max_size=len(frames[k])))
    try:
        value = Values(space).read(frames)
    except LinkError:
        return
    assert kind in (
        "noise",
        "cut",
        "longer",
    )  # a text may be any length; noise of the right length is a value of some kind
    assert value is not None


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (SPACES[0], np.zeros(4)), (SPACES[0], "abc"), (SPACES[5], 1.5), (SPACES[5], None), (SPACES[11], {"b": np.zeros(2)}),
        (SPACES[10], (1,)), (SPACES[17], np.zeros(3)),
    ],
)  # fmt: skip
def test_what_is_no_value_is_not_sent(space: Any, value: Any) -> None:
    with pytest.raises(PlantError):
        Values(space).write(value)


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "box", "shape": [-1], "dtype": "f4", "low": b"\0\0\0\0", "high": b"\0\0\0\0"},
        {"kind": "box", "shape": [1 << 20, 1 << 20], "dtype": "f4", "low": b"\0\0\0\0", "high": b"\0\0\0\0"},
        {"kind": "box", "shape": [2], "dtype": "O", "low": b"\0\0\0\0", "high": b"\0\0\0\0"},
        {"kind": "box", "shape": [2], "dtype": "f4", "low": b"\0\0", "high": b"\0\0\0\0"},
        {"kind": "box", "shape": [3], "dtype": "f4", "low": bytes(8), "high": bytes(4)},
        {"kind": "discrete", "n": 0, "start": 0},
        {"kind": "multi-discrete", "shape": [2], "dtype": "i8", "n": [2], "start": [0]},
        {"kind": "text", "shortest": 3, "longest": 1, "characters": "ab"},
        {"kind": "dict", "keys": ["a", "b"], "parts": [{"kind": "discrete", "n": 2, "start": 0}]},
        {"kind": "events", "width": 0, "height": 3, "most_events": 1},
    ],
)
def test_descriptions_that_make_no_sense_are_refused(spec: dict[str, Any]) -> None:
    with pytest.raises((LinkError, msgspec.ValidationError)):
        rebuild(msgspec.msgpack.decode(msgspec.msgpack.encode(spec), type=Spec))


def test_spaces_within_spaces_end_somewhere() -> None:
    spec: dict[str, Any] = {"kind": "discrete", "n": 2, "start": 0}
    for _ in range(100):
        spec = {"kind": "tuple", "parts": [spec]}
    with pytest.raises((LinkError, msgspec.ValidationError, RecursionError)):
        rebuild(msgspec.msgpack.decode(msgspec.msgpack.encode(spec), type=Spec))


BOXES = [
    spaces.Box(-1.0, 1.0, (3,), np.float32),
    spaces.Box(np.array([0.0, -2.0]), np.array([np.inf, 5.0]), dtype=np.float64),
    spaces.Box(-np.inf, np.inf, (2,), np.float64),
    spaces.Box(-3, 7, (2, 2), np.int8),
]
ODD = [0.0, -0.0, 1.0, -1.0, 5.0, np.nextafter(1.0, 2.0), np.inf, -np.inf, np.nan]


@given(data=st.data())
def test_a_value_that_was_read_is_held_where_the_space_contains_it(data: st.DataObject) -> None:
    box = data.draw(st.sampled_from(BOXES))
    integers = st.integers(-128, 127)
    number = st.sampled_from(ODD) | st.floats(-8.0, 8.0) if box.dtype.kind == "f" else integers
    numbers = data.draw(st.lists(number, min_size=int(np.prod(box.shape)), max_size=int(np.prod(box.shape))))
    value = np.array(numbers, box.dtype).reshape(box.shape)
    values = Values(box)
    assert values.holds(values.read([value.tobytes()])) is box.contains(value)


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 4))
def test_whole_numbers_are_held_from_the_first_to_the_last(number: int) -> None:
    space = spaces.Discrete(5, start=-2)
    values = Values(space)
    assert values.holds(values.read([number.to_bytes(8, "little", signed=True)])) is (-2 <= number <= 2)
