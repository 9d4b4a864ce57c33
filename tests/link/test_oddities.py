"""A served plant: limits that hold however it is served, and oddities of its environment and its settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import zmq

from neuroloop.errors import BadInput
from neuroloop.link import line, messages
from neuroloop.link.endpoint import endpoint_of
from neuroloop.link.line import Line
from neuroloop.link.live import LivePlant
from neuroloop.link.messages import PROTOCOL, Bye, Hello, Outcome, Reset, Welcome
from neuroloop.link.server import PlantServer
from neuroloop.link.serving import Serving
from neuroloop.loop.safety import Guard
from tests.link.test_live import MS, Motor
from tests.link.test_live import Bench as Live
from tests.link.test_serving import Ledger, Peer


@pytest.fixture
def env() -> Ledger:
    return Ledger()


@pytest.fixture
def bench() -> Live:
    made = Live()
    made.begin()
    return made


def test_limits_hold_in_lockstep_too(env: Ledger) -> None:
    guard = Guard(Ledger.action_space, 0.02, amplitude=0.5, slew=10.0)
    serving = Serving(env, "Ledger", lambda identity: True, guard=guard, period=0.02)
    peer = Peer(serving)
    assert peer.hello().period_ns == 20_000_000
    for _ in range(2):
        peer.ask(Reset)
        for _ in range(3):
            assert isinstance(peer.step(0.9, -0.9)[0], Outcome)
    peer.ask(Bye)
    steps = [np.round(what[1], 6).tolist() for what in env.applied if what[0] == "step"]
    assert steps == [[0.2, -0.2], [0.4, -0.4], [0.5, -0.5]] * 2 + [
        [0.3, -0.3]
    ]  # the fail-safe action as far as slew permits


def test_a_fail_safe_action_beyond_the_amplitude_is_refused(env: Ledger) -> None:
    guard = Guard(Ledger.action_space, 0.02, amplitude=0.25)
    with pytest.raises(BadInput, match="fail-safe: lies beyond the amplitude"):
        Serving(env, "Ledger", lambda identity: True, [0.5, 0.0], guard)
    Serving(env, "Ledger", lambda identity: True, [0.25, 0.0], guard)


def test_a_hello_with_frames_is_refused(env: Ledger) -> None:
    peer = Peer(Serving(env, "Ledger", lambda identity: True))
    refused, _ = peer.send(messages.packed(Hello(protocol=PROTOCOL, session=11)), b"more")
    assert (refused.code, refused.reason) == ("message", "a hello has no frames, got 1")
    assert isinstance(peer.hello(), Welcome)


def test_an_info_whose_keys_are_no_text_arrives_with_keys_that_are() -> None:
    class Numbered(Ledger):
        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            observation, _ = super().reset(seed=seed)
            return observation, {1: 2, ("a", 3): "pair", None: 4, "deep": {5: {6: 7}}}

    peer = Peer(Serving(Numbered(), "Numbered", lambda identity: True))
    peer.hello()
    assert peer.ask(Reset)[0].info == {"1": 2, "('a', 3)": "pair", "None": 4, "deep": {5: {6: 7}}}


def test_a_reset_that_fails_is_refused_as_a_reset() -> None:
    class Broken(Motor):
        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            raise ValueError("no power")

    bench = Live()
    bench.plant.env = Broken()
    bench.hello(1)
    bench.say(Reset)
    post = bench.plant.tick(10 * MS)
    assert post is not None
    assert messages.from_plant(bytes(post[1][0])).reason == "reset: ValueError: no power"  # type: ignore[union-attr]


def test_ticks_without_a_command_have_no_age(bench: Live) -> None:
    bench.tick()
    assert bench.plant.age_ns is None
    bench.command(0.5)
    bench.tick()
    assert bench.plant.age_ns == 10 * MS + 10 * MS  # it was decided on the reset's outcome
    for _ in range(15):
        bench.tick()
    assert bench.plant.age_ns is None


@pytest.mark.parametrize("odd", [np.nan, np.inf, 1e300, -1.0, 0.0])
def test_deadlines_that_no_plant_has_are_refused(odd: float) -> None:
    with pytest.raises(BadInput, match="deadline: must be"):
        LivePlant(Motor(), "Motor", lambda identity: True, deadline=odd, guard=Guard(Motor.action_space, 0.01))


def test_a_hello_with_frames_gets_no_plant_in_real_time(bench: Live) -> None:
    answer = bench.plant.take(b"you", [messages.packed(Hello(protocol=PROTOCOL, session=9)), b"more"], 0)
    assert messages.from_plant(bytes(answer[0])).reason == "a hello has no frames, got 1"  # type: ignore[union-attr]


def test_a_peer_that_is_gone_again_when_there_was_room_is_told_as_nobody(tmp_path: Any, monkeypatch: Any) -> None:
    made = Line(endpoint_of(f"ipc://{tmp_path}/plant.ipc"), 0.2)

    def nobody(*_: Any) -> None:
        raise zmq.Again

    class Room:
        def poll(self, *_: Any) -> int:
            return zmq.POLLOUT

    monkeypatch.setattr(line, "send_now", nobody)
    with monkeypatch.context() as patch:
        patch.setattr(made, "_socket", Room())
        assert made.send([b"hello"], 0.0) is False
    made.close()


def test_a_plant_that_does_not_tell_its_period_is_told_it(tmp_path: Any) -> None:
    class Timeless(Motor):
        dt = None  # type: ignore[assignment]

    with PlantServer(Timeless(), f"ipc://{tmp_path}/plant/plant.ipc") as server:
        for serve in (lambda: server.serve_in_real_time(), lambda: server.serve(slew=1.0)):
            with pytest.raises(BadInput, match="give a period in s"):
                serve()
        with pytest.raises(BadInput, match="period: must be"):
            server.serve(period=np.nan)
        called = list[int]()
        server.stop()
        server.serve(slew=1.0, period=0.01, ready=lambda: called.append(1))
        server.serve_in_real_time(period=0.01, ready=lambda: called.append(2))
        assert called == [1, 2]
