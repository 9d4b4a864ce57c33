"""Whatever a plant says, a controller goes on or stops with one clear line: no crash, no hang, no memory without end."""

from __future__ import annotations

import contextlib
import resource
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuroloop.errors import LinkError, PlantError
from neuroloop.link.remote import RemoteEnv
from tests.link import fuzz

TIMEOUT = 0.02
WHERE = {"welcome": ["hello"], "outcome": ["step"], "refused": ["hello", "step"], "picture": ["render"]}
Reply = Callable[[dict[str, Any]], list[list[bytes]]]


def filled(frames: list[bytes], asked: dict[str, Any]) -> list[bytes]:
    """An answer in the session that was asked in."""
    for place, name in ((fuzz.SESSION, "session"), (fuzz.ACK, "seq")):
        frames = [frame.replace(fuzz.pack(place), b"\xcf" + asked.get(name, 0).to_bytes(8, "big")) for frame in frames]
    return frames


class Hostile:
    """A plant that says what it is told to."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint, self.stopped = endpoint, False
        self.says: dict[str, Reply] = {}
        self._socket = zmq.Context.instance().socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(endpoint)
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def good(self) -> None:
        header, frames = fuzz.OUTCOME, [fuzz.GOOD]
        self.says = {
            "hello": lambda asked: [filled([fuzz.pack(fuzz.WELCOME)], asked)],
            "reset": lambda asked: [filled([fuzz.pack(header), *frames], asked)],
            "step": lambda asked: [filled([fuzz.pack({**header, "tick": 1}), *frames], asked)],
            "render": lambda asked: [filled([fuzz.pack(fuzz.PICTURE), bytes(6)], asked)],
            "bye": lambda asked: [filled([fuzz.pack(header)], asked)],
        }

    def _answer(self) -> None:
        while not self.stopped:
            if not self._socket.poll(20):
                continue
            who, first, *_ = self._socket.recv_multipart()
            asked = msgspec.msgpack.decode(first)
            for frames in self.says[asked["kind"]](asked):
                with contextlib.suppress(zmq.ZMQError):
                    self._socket.send_multipart([who, *frames], zmq.NOBLOCK)
        self._socket.close()

    def stop(self) -> None:
        self.stopped = True
        self._thread.join(5)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    made = Hostile(f"ipc://{tmp_path_factory.mktemp('hostile')}/plant.ipc")
    yield made
    made.stop()


def driven(hostile: Hostile, timeout: float = TIMEOUT) -> None:
    """All that a controller does."""
    env = RemoteEnv(hostile.endpoint, timeout=timeout, patience=0)
    try:
        env.reset(seed=0)
        env.step(np.zeros(2, np.float32))
        env.render()
    finally:
        env.close()


def meets(hostile: Hostile, what: str, frames: list[bytes]) -> None:
    """A controller meets an answer where it fits, and where it does not; it may go on, or say why not."""
    for kind in WHERE.get(what.split()[0], ["reset"]):
        hostile.good()
        hostile.says[kind] = lambda asked: [filled(frames, asked)]
        began = time.monotonic()
        with contextlib.suppress(LinkError, PlantError):
            driven(hostile)
        assert time.monotonic() - began < 5.0, what


def test_a_plant_that_says_what_it_should_is_driven(hostile: Hostile) -> None:
    hostile.good()
    driven(hostile, timeout=5.0)


def test_the_corpus_is_met_with_a_clear_line(hostile: Hostile) -> None:
    entries = [(what, frames) for to, what, frames in fuzz.kept() if to == "controller"]
    assert len(entries) > 500
    for what, frames in entries:
        meets(hostile, what, frames)


@pytest.mark.parametrize(("what", "space"), fuzz.SPACES, ids=lambda x: x if isinstance(x, str) else "")
def test_spaces_that_are_none_or_too_large_are_refused(hostile: Hostile, what: str, space: Any) -> None:
    hostile.good()
    hostile.says["hello"] = lambda asked: [filled([fuzz.pack({**fuzz.WELCOME, "observation_space": space})], asked)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(LinkError):
        RemoteEnv(hostile.endpoint, timeout=1.0)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 16  # KiB


@pytest.mark.parametrize("name", ["", "a b", "/", "x" * 10_000, "-v0", "ü/ü"])
def test_a_plant_of_an_odd_name_is_refused_or_driven(hostile: Hostile, name: str) -> None:
    hostile.good()
    hostile.says["hello"] = lambda asked: [filled([fuzz.pack({**fuzz.WELCOME, "env": name})], asked)]
    with contextlib.suppress(LinkError):
        driven(hostile)


@pytest.mark.parametrize("kind", ["hello", "reset", "step", "render"])
def test_a_plant_that_never_says_what_fits_but_never_stops_talking_is_left(hostile: Hostile, kind: str) -> None:
    hostile.good()
    noise = [fuzz.pack({**fuzz.OUTCOME, "session": 5}), bytes(1000)]
    hostile.says[kind] = lambda asked: [noise] * 2000
    began = time.monotonic()
    with pytest.raises(LinkError, match="no answer"):
        driven(hostile, timeout=0.5)
    assert time.monotonic() - began < 5.0


@given(kind=st.sampled_from(["welcome", "outcome", "refused", "picture"]), data=st.data())
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_field_may_hold_anything(hostile: Hostile, kind: str, data: st.DataObject) -> None:
    header, frames = fuzz.TO_CONTROLLER[kind]
    field = st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=8), st.binary(max_size=8),
        st.lists(st.integers(-3, 2**40), max_size=4), st.just({"kind": "discrete", "n": 2, "start": 0}),
    )  # fmt: skip
    odd = data.draw(
        st.dictionaries(st.sampled_from(sorted(header.keys() - {"kind", "ack"})), field, min_size=1, max_size=2)
    )
    meets(hostile, kind, [fuzz.pack({**header, **odd}), *frames])


def test_a_plant_in_real_time_that_never_stops_talking_does_not_hold_a_controller(hostile: Hostile) -> None:
    hostile.good()
    live = {**fuzz.WELCOME, "mode": "real-time", "period_ns": 10**7, "deadline_ns": 10**8}
    hostile.says["hello"] = lambda asked: [filled([fuzz.pack(live)], asked)]
    many = [{**fuzz.OUTCOME, "tick": tick, "reward": 1.0} for tick in range(1, 3000)]
    hostile.says["step"] = lambda asked: [filled([fuzz.pack(one), fuzz.GOOD], asked) for one in many]
    env = RemoteEnv(hostile.endpoint, timeout=5.0, patience=0)
    env.reset(seed=0)
    for _ in range(3):
        _, reward, _, _, info = env.step(np.zeros(2, np.float32))
        assert 0.0 < reward <= 257.0
        assert info["link"]["tick"] < 3000
    hostile.says["step"] = lambda asked: [filled([fuzz.pack({**fuzz.OUTCOME, "tick": 2**62}), b"odd"], asked)]
    with pytest.raises(LinkError, match="frames"):
        [env.step(np.zeros(2, np.float32)) for _ in range(3000)]  # behind all that was said before
    env.close()


def test_what_came_too_late_does_not_answer_what_was_asked_later(hostile: Hostile) -> None:
    hostile.good()
    good = hostile.says["step"]
    env = RemoteEnv(hostile.endpoint, timeout=1.0, patience=0)
    env.reset(seed=0)
    late = {"kind": "refused", "code": "plant", "reason": "long ago", "session": fuzz.SESSION, "ack": 1}
    hostile.says["step"] = lambda asked: [filled([fuzz.pack(late)], asked), *good(asked)]
    assert env.step(np.zeros(2, np.float32))[0].tolist() == [0.25, -0.25]
    env.close()


def test_an_outcome_of_another_tick_is_no_answer(hostile: Hostile) -> None:
    hostile.good()
    hostile.says["step"] = lambda asked: [filled([fuzz.pack({**fuzz.OUTCOME, "tick": 7}), fuzz.GOOD], asked)]
    with pytest.raises(LinkError, match="expected the outcome of tick 1, got 7"):
        driven(hostile, timeout=5.0)


def test_the_folder_holds_the_corpus() -> None:
    assert Path(fuzz.CORPUS).stat().st_size < 1 << 16
