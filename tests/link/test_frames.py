"""Messages of several frames arrive as pyzmq's own loops would bring them."""

from collections.abc import Iterator

import numpy as np
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuroloop.link.frames import NOW, receive, send_now

Ends = tuple[zmq.Socket[bytes], zmq.Socket[bytes]]


@pytest.fixture
def ends() -> Iterator[Ends]:
    context = zmq.Context()
    ends = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    ends[0].bind("inproc://frames")
    ends[1].connect("inproc://frames")
    yield ends
    context.destroy(0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_what_is_sent_arrives_frame_by_frame(ends: Ends, frames: list[bytes]) -> None:
    send_now(ends[0], frames)
    assert receive(ends[1]) == frames
    ends[0].send_multipart(frames)
    assert receive(ends[1], NOW) == frames
    send_now(ends[0], [*frames, np.arange(5, dtype=np.uint8)])
    assert ends[1].recv_multipart() == [*frames, bytes(range(5))]


def test_where_nothing_comes_there_is_nothing(ends: Ends) -> None:
    assert receive(ends[1], NOW) == []
    ends[1].setsockopt(zmq.RCVTIMEO, 5)
    assert receive(ends[1]) == []


def test_where_nobody_is_nothing_is_sent() -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as alone, pytest.raises(zmq.Again):
        send_now(alone, [b"a", b"b"])
