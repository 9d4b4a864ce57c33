"""Strangers at a plant that somebody drives: they get neither its time, nor its memory, nor the plant."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
import zmq
from gymnasium import spaces

from neuroloop.link import messages
from neuroloop.link.inbox import NOW, Inbox, Room, most_bytes, room_of
from neuroloop.link.messages import MOST_HEADER, PROTOCOL, Hello, Outcome, Refused, Reset, Step
from neuroloop.link.remote import RemoteEnv
from neuroloop.link.server import MOST_HEARD, PlantServer
from neuroloop.link.values import Values
from neuroloop.sensors.space import EventSpace

PERIOD = 0.02  # s
PATIENT = 1.0  # s: a deadline that busy machines meet
MANY = 100_000  # frames


class Motor(gymnasium.Env[Any, Any]):
    """Writes down what it does."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    render_mode = None
    dt = PERIOD

    def __init__(self) -> None:
        self.done: list[float] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.done.append(float(action[0]))
        return np.zeros(1, np.float32), 0.0, False, False, {}


class Peer:
    """A bare socket to a plant."""

    def __init__(self, url: str, session: int) -> None:
        self.socket, self.session, self.seq = zmq.Context.instance().socket(zmq.DEALER), session, 0
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVTIMEO, 5000)
        self.socket.connect(url)

    def hello(self) -> None:
        self.socket.send(messages.packed(Hello(protocol=PROTOCOL, session=self.session)))

    def flood(self) -> None:
        """Hello, where there is room for it; answers are not kept."""
        with contextlib.suppress(zmq.Again):
            self.socket.send(messages.packed(Hello(protocol=PROTOCOL, session=self.session)), zmq.NOBLOCK)
        with contextlib.suppress(zmq.Again):
            self.socket.recv(zmq.NOBLOCK)

    def say(self, kind: Any, *frames: bytes, **more: Any) -> None:
        self.seq += 1
        header = kind(session=self.session, seq=self.seq, t_ns=0, **more)
        self.socket.send_multipart([messages.packed(header), *frames])

    def answer(self) -> Any:
        while not (frames := self.socket.recv_multipart())[0]:
            pass  # the plant looked whether we are here
        return messages.from_plant(frames[0])

    def begin(self) -> None:
        self.hello()
        self.answer()
        self.say(Reset)
        assert isinstance(self.answer(), Outcome)


Serve = Callable[..., tuple[PlantServer, Motor]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serve a motor in a thread."""
    running: list[tuple[PlantServer, threading.Thread]] = []

    def begin(real_time: bool = False) -> tuple[PlantServer, Motor]:
        env = Motor()
        server = PlantServer(env, f"ipc://{tmp_path}/plant/plant.ipc")
        how = (lambda: server.serve_in_real_time(deadline=PATIENT)) if real_time else server.serve
        running.append((server, threading.Thread(target=how)))
        running[-1][1].start()
        return server, env

    yield begin
    for server, thread in running:
        server.stop()
        thread.join(10)
        server.close()


@pytest.fixture
def peer() -> Iterator[Callable[[str, int], Peer]]:
    made: list[Peer] = []

    def make(url: str, session: int) -> Peer:
        made.append(Peer(url, session))
        return made[-1]

    yield make
    for one in made:
        one.socket.close()


def test_hellos_of_a_stranger_do_not_take_the_plant_from_an_owner_that_computes(serve: Serve, peer: Any) -> None:
    server, env = serve()
    owner, stranger = peer(server.url, 5), peer(server.url, 6)
    owner.begin()
    for _ in range(2000):  # meanwhile the owner reads nothing
        stranger.hello()
        answer = stranger.answer()
        assert isinstance(answer, Refused)
        assert answer.code == "busy"
    owner.say(Step, np.float32(0.5).tobytes(), tick=0)
    assert isinstance(owner.answer(), Outcome)
    assert env.done == [0.5]


def test_a_flood_of_hellos_leaves_the_owner_its_plant_and_its_outcomes(serve: Serve, peer: Any) -> None:
    server, env = serve(real_time=True)
    remote, stop = RemoteEnv(server.url), threading.Event()
    remote.reset(seed=0)
    remote.step(np.full(1, 0.5, np.float32))
    strangers = [peer(server.url, 6 + k) for k in range(3)]

    def flood() -> None:
        while not stop.is_set():
            for stranger in strangers:
                stranger.flood()
            time.sleep(0.0005)

    thread = threading.Thread(target=flood)
    thread.start()
    lives, end = [], time.monotonic() + 1.5
    while time.monotonic() < end:
        lives.append(remote.step(np.full(1, 0.5, np.float32))[4]["link"]["live"])
    stop.set()
    thread.join()
    remote.close()
    assert all(lives)
    assert len(lives) > 0.3 * 1.5 / PERIOD
    assert all(one == 0.5 for one in env.done[env.done.index(0.5) : -1])


def test_a_message_of_very_many_frames_takes_no_ticks(serve: Serve, peer: Any) -> None:
    server, _ = serve(real_time=True)
    owner, stranger = peer(server.url, 5), peer(server.url, 6)
    owner.begin()
    hello = messages.packed(Hello(protocol=PROTOCOL, session=6))
    for _ in range(3):
        stranger.socket.send_multipart([hello, *[b"x"] * MANY])
    ticks = server.timing.n
    answer = stranger.answer()
    assert isinstance(answer, Refused)
    assert "frames" in answer.reason
    assert server.timing.n - ticks > 1  # it was passed over a part at a tick
    assert np.median(server.timing.column("compute")[-5:]) < 0.5e9 * PERIOD


def test_a_frame_that_no_message_has_ends_its_connection_before_it_is_read(serve: Serve, peer: Any) -> None:
    server, _ = serve()
    owner, stranger = peer(server.url, 5), peer(server.url, 6)
    owner.begin()
    for frames in ([bytes(MOST_HEADER + 1)], [b"a", bytes(64 << 20)]):
        stranger.socket.send_multipart(frames)
    stranger.hello()
    assert stranger.answer().code == "busy"  # by a new connection, and nothing answered the others
    owner.say(Step, np.float32(0.5).tobytes(), tick=0)
    assert isinstance(owner.answer(), Outcome)


def test_a_strangers_long_header_is_refused_unread_and_an_owners_is_read(serve: Serve, peer: Any) -> None:
    server, _ = serve()
    owner, stranger = peer(server.url, 5), peer(server.url, 6)
    owner.begin()
    long = {"more": ["x" * 9] * 1000}
    stranger.say(Reset, options=long)
    answer = stranger.answer()
    assert (answer.code, answer.ack) == ("message", 0)
    assert "4096 bytes" in answer.reason
    owner.say(Reset, options=long)
    assert isinstance(owner.answer(), Outcome)


def test_of_strangers_only_some_messages_a_tick_are_answered(serve: Serve, peer: Any) -> None:
    server, _ = serve(real_time=True)
    owner, stranger = peer(server.url, 5), peer(server.url, 6)
    owner.begin()
    n = 4 * MOST_HEARD
    for _ in range(n):
        stranger.hello()
    time.sleep(20 * PERIOD)
    answers = 0
    with contextlib.suppress(zmq.Again):
        while stranger.socket.recv(zmq.NOBLOCK):
            answers += 1
    assert 1 <= answers < n


Ends = tuple[zmq.Socket[bytes], zmq.Socket[bytes]]


@pytest.fixture
def ends() -> Iterator[Ends]:
    context = zmq.Context()
    ends = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    ends[1].setsockopt(zmq.IDENTITY, b"me")
    ends[0].bind("inproc://inbox")
    ends[1].connect("inproc://inbox")
    yield ends
    context.destroy(0)


def test_an_inbox_goes_on_with_a_message_where_its_time_was_over(ends: Ends) -> None:
    inbox = Inbox(ends[0], Room(2, 8))
    assert inbox.take(NOW) == []
    assert not inbox.unfinished
    ends[1].send_multipart([b"head", *[b"x"] * 1000])
    ends[1].send_multipart([b"next", b"a", b"b"])
    turns = 0
    while not (message := inbox.take(NOW, 0)):
        assert inbox.unfinished
        turns += 1
    assert 10 < turns < 20
    assert message == [b"me", b"head", b"x", b"x", b"x"]  # one too many, so that it is refused
    assert inbox.take(NOW) == [b"me", b"next", b"a", b"b"]
    assert not inbox.unfinished


SPACES = [
    spaces.Box(-1, 1, (3, 2), np.float32), spaces.Box(0, 255, (5,), np.uint8), spaces.Discrete(4),
    spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(5), spaces.Text(12), spaces.Sequence(spaces.Discrete(3)),
    spaces.Tuple([spaces.Discrete(3), spaces.Box(-1, 1, (7,))]), spaces.Tuple([]),
    spaces.Dict({"a": spaces.Text(3), "b": spaces.Tuple([spaces.Discrete(2)] * 3)}),
    spaces.OneOf([spaces.Discrete(2), spaces.Tuple([spaces.Discrete(2)] * 3)]),
    spaces.Graph(spaces.Box(-1, 1, (3,)), spaces.Discrete(4)), spaces.Graph(spaces.Discrete(3), None), EventSpace(4, 4, 10),
]  # fmt: skip


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_there_is_room_for_every_value_of_a_space(space: Any) -> None:
    room, values = room_of(space), Values(space)
    space.seed(1)
    for _ in range(20):
        value = space.sample()
        frames = [memoryview(np.ascontiguousarray(frame) if isinstance(frame, np.ndarray) else frame)
                  for frame in values.write(value)]  # fmt: skip
        assert len(frames) <= room.frames
        assert max([frame.nbytes for frame in frames], default=0) <= max(room.bytes, most_bytes(room))
        assert all(frame.nbytes <= room.bytes for frame in frames)
        values.read(list(frames))


def test_headers_are_read_from_views_as_from_bytes() -> None:
    header = messages.packed(Hello(protocol=PROTOCOL, session=3))
    assert messages.from_controller(memoryview(header)) == messages.from_controller(header)
    assert msgspec.msgpack.decode(header)["kind"] == "hello"
