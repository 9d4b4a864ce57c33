"""Pictures and packets of events as messages: what is sent arrives, and what makes no sense is refused."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.errors import LinkError
from neuroloop.link import messages
from neuroloop.link.cameras.aer import (
    Blind,
    Events,
    Facts,
    Pictures,
    from_camera,
    mark_of,
    packed_pictures,
    pictures_of,
)
from neuroloop.settings.sensors import PIXELS


def pictures(**more: Any) -> Pictures:
    facts: dict[str, Any] = {
        "protocol": 1, "run": 3, "seq": 1, "t_ns": 5, "episode": 1, "tick": 0, "noise": 9, "start_us": 0, "end_us": 200,
        "times_us": (100, 200),
    } | more  # fmt: skip
    return Pictures(**facts)


def sent(message: list[Any]) -> list[bytes]:
    return [bytes(memoryview(part).cast("B")) if isinstance(part, np.ndarray) else part for part in message]


@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    colours=st.booleans(),
    dtype=st.sampled_from(["uint8", "float32", "float64"]),
    n=st.integers(0, 3),
)
@settings(max_examples=50, deadline=None)
def test_pictures_arrive_as_they_were_sent(shape: tuple[int, int], colours: bool, dtype: str, n: int) -> None:
    rng = np.random.default_rng(n)
    frames = [(255 * rng.random((*shape, *([3] if colours else [])))).astype(dtype) for _ in range(n)]
    header, seen = pictures_of(sent(packed_pictures(pictures(times_us=tuple(range(1, n + 1))), frames)))
    assert [t_us for t_us, _ in seen] == list(range(1, n + 1))
    assert header.noise == 9
    for frame, (_, other) in zip(frames, seen, strict=True):
        assert other.dtype == ("uint8" if dtype == "uint8" else "float32")
        assert np.array_equal(frame.astype(other.dtype), other)


TWO = [np.zeros((2, 3), np.float32)] * 2


@pytest.mark.parametrize(
    ("header", "frames", "message"),
    [
        ({"protocol": 2}, TWO, "speaks version 2, we 1"),
        ({"times_us": (100,)}, TWO, "a time for each of 2, got 1"),
        ({"times_us": (200, 100)}, TWO, "times: must rise"),
        ({"end_us": 150}, TWO, "times: must rise"),
        ({"start_us": 101}, TWO, "times: must rise"),
        ({"times_us": (), "start_us": 300}, [], "times: must rise"),
        ({}, [np.full((2, 3), np.nan, np.float32)] * 2, "light must be finite"),
        ({}, [TWO[0], TWO[0][:1]], r"have 24 bytes, at most 268435456, got 12"),
        ({"run": 0}, TWO, "header"),
        ({"episode": -1}, TWO, "header"),
        ({"times_us": tuple(range(20_000))}, TWO, "header"),
    ],
)
def test_pictures_that_make_no_sense_are_refused(header: dict[str, Any], frames: list[Any], message: str) -> None:
    with pytest.raises(LinkError, match=message):
        pictures_of(sent(packed_pictures(pictures(**header), frames)))


@pytest.mark.parametrize("shape", [[3], [2, 3, 4, 5], [0, 3], [2, 70_000], [65536, 65536, 65536], None, "2x3"])
def test_shapes_that_are_none_are_refused(shape: Any) -> None:
    fields = msgspec.to_builtins(pictures()) | {"shape": shape}
    with pytest.raises(LinkError):
        pictures_of([msgspec.msgpack.encode(fields), b"", b""])


def test_what_a_camera_says_arrives() -> None:
    facts = Facts(protocol=1, run=4, width=3, height=2, pixel=PIXELS["noisy"], gamma="srgb", seed=1)
    for header, frames in (
        (facts, []),
        (Facts(protocol=1, run=4, width=3, height=2), []),
        (Events(protocol=1, run=4, seq=1, t_ns=0, start_us=3, end_us=3), [b""]),
        (Blind(run=4, seq=2, reason="dark"), []),
    ):
        assert from_camera([messages.packed(header), *frames]) == header
        for wrong in ([*frames, b""], frames[:-1] if frames else [b"", b""]):
            with pytest.raises(LinkError, match="frames, which is wrong"):
                from_camera([messages.packed(header), *wrong])


@given(st.lists(st.binary(max_size=40), max_size=3))
@settings(max_examples=200, deadline=None)
def test_garbage_is_refused(message: list[bytes]) -> None:
    for read in (pictures_of, from_camera):
        with pytest.raises(LinkError):
            read(message)  # type: ignore[operator]


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_damaged_message_is_refused_or_still_makes_sense(data: Any) -> None:
    whole = sent(packed_pictures(pictures(), TWO))
    part = data.draw(st.integers(0, len(whole) - 1))
    place = data.draw(st.integers(0, len(whole[part]) - 1))
    damaged = bytearray(whole[part])
    damaged[place] ^= data.draw(st.integers(1, 255))
    message = [*whole[:part], bytes(damaged), *whole[part + 1 :]]
    try:
        header, seen = pictures_of(message)
    except LinkError:
        return
    times = [header.start_us, *(t_us for t_us, _ in seen), header.end_us]
    assert times == sorted(times)
    assert all(np.isfinite(frame).all() for _, frame in seen)


@pytest.mark.parametrize("found", [1, {}, {"run": 1}, {"run": -1, "seq": 1, "episode": 1, "tick": 0, "readers": 0}])
def test_marks_that_are_none_are_refused(found: Any) -> None:
    with pytest.raises(LinkError, match="camera_frames"):
        mark_of({"camera_frames": found})
    assert mark_of({}) is None
