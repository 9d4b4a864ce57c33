"""Controllers that do not read, and controllers and strangers that never stop speaking: a plant in real time keeps its time."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import zmq
from gymnasium import spaces

from neuroloop.link import messages
from neuroloop.link.live import LivePlant
from neuroloop.link.messages import PROTOCOL, Hello, Reset, Step
from neuroloop.link.remote import RemoteEnv
from neuroloop.link.server import PlantServer

LASTS = 1.0  # s
PICTURE = (64, 64, 4)  # 16 kB


class Camera(gymnasium.Env[Any, Any]):
    """Shows a picture every 2 ms."""

    observation_space = spaces.Box(0, 255, PICTURE, np.uint8)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    dt, fail_safe, render_mode = 0.002, (-1.0,), None

    def __init__(self) -> None:
        self.done: list[float] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return np.zeros(PICTURE, np.uint8), {}

    def step(self, action: Any) -> Any:
        self.done.append(float(action[0]))
        return np.zeros(PICTURE, np.uint8), 0.0, False, False, {}


class Bench:
    """A camera in a thread, and somebody who speaks to it without manners."""

    def __init__(self, folder: Path) -> None:
        self.env, self.url = Camera(), f"ipc://{folder}/plant/plant.ipc"
        self.server = PlantServer(self.env, self.url)
        self.plants: list[LivePlant] = []
        self.thread = threading.Thread(target=lambda: self.plants.append(self.server.serve_in_real_time()))
        self.thread.start()
        self.seq = 0
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RCVHWM, 64)
        self.socket.setsockopt(zmq.SNDHWM, 64)
        self.socket.connect(self.url)

    def say(self, kind: Any, *frames: bytes, **more: Any) -> None:
        self.seq += 1
        numbers = {} if kind is Hello else {"seq": self.seq, "t_ns": 0}
        header = messages.packed(kind(session=5, **numbers, **more))
        with contextlib.suppress(zmq.ZMQError):
            self.socket.send_multipart([header, *frames], zmq.NOBLOCK)

    def begin(self) -> None:
        self.say(Hello, protocol=PROTOCOL)
        self.say(Reset)
        assert self.socket.poll(5000)
        while not self.env.done:
            time.sleep(0.01)

    def command(self, value: float) -> None:
        self.say(Step, np.array([value], "<f4").tobytes(), tick=0)

    def end(self) -> LivePlant:
        self.server.stop()
        self.thread.join(10)
        self.server.close()
        self.socket.close()
        return self.plants[0]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    if made.thread.is_alive():
        made.end()


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_controller_that_does_not_read_neither_stops_the_plant_nor_fills_its_memory(bench: Bench) -> None:
    bench.begin()
    sizes, ticks, end = [], len(bench.env.done), time.monotonic() + LASTS
    while time.monotonic() < end:
        bench.command(0.5)
        time.sleep(0.02)
        sizes.append(resident())
    assert len(bench.env.done) - ticks > 0.2 * LASTS / Camera.dt  # of 1, on a busy machine
    assert max(sizes[len(sizes) // 2 :]) - max(sizes[: len(sizes) // 2]) < 4 << 20
    assert bench.env.done.count(0.5) > 10
    assert bench.end().lapses <= 1


def test_a_controller_that_floods_the_plant_cannot_have_old_commands_done(bench: Bench) -> None:
    bench.begin()
    ticks, sizes, end = len(bench.env.done), [], time.monotonic() + LASTS
    while time.monotonic() < end:
        for _ in range(200):
            bench.command(0.5)
        sizes.append(resident())
    assert len(bench.env.done) - ticks > 0.05 * LASTS / Camera.dt
    assert sizes[-1] - sizes[len(sizes) // 2] < 4 << 20
    while bench.env.done[-1] != -1.0:
        time.sleep(0.01)
    other = RemoteEnv(bench.url)
    other.reset(seed=0)
    assert other.step(np.array([0.25], np.float32))[4]["link"]["live"]
    other.close()


def test_a_stranger_that_floods_the_plant_commands_nothing(bench: Bench) -> None:
    env = RemoteEnv(bench.url)
    env.reset(seed=0)
    stop = threading.Event()

    def flood() -> None:
        while not stop.is_set():
            bench.command(0.75)
            time.sleep(0)

    thread = threading.Thread(target=flood)
    thread.start()
    end = time.monotonic() + LASTS
    while time.monotonic() < end:
        env.step(np.array([0.25], np.float32))
    stop.set()
    thread.join()
    env.close()
    assert 0.75 not in bench.env.done
    assert 0.25 in bench.env.done
    assert bench.end().session.refused > 0


@pytest.mark.parametrize("policy", ["hold", "skip"])
def test_what_a_slow_plant_left_out_is_made_up_for_only_with_hold(tmp_path: Path, policy: Any) -> None:
    class Slow(Camera):
        def step(self, action: Any) -> Any:
            if len(self.done) == 20:
                time.sleep(0.15)
            return super().step(action)

    env, period = Slow(), 0.005
    with PlantServer(env, f"ipc://{tmp_path}/plant/plant.ipc") as server:
        thread = threading.Thread(target=lambda: server.serve_in_real_time(period=period, policy=policy, deadline=2.0))
        thread.start()
        remote = RemoteEnv(server.url)
        remote.reset(seed=0)
        began, left_out = time.monotonic(), 0
        while time.monotonic() - began < 0.6:
            _, _, _, _, info = remote.step(np.zeros(1, np.float32))
            left_out += info["timing"].left_out - info["link"]["skipped"]
        passed = round((time.monotonic() - began) / period)
        remote.close()
        server.stop()
        thread.join(10)
    if policy == "hold":
        assert abs(len(env.done) - passed) < 0.2 * passed
    else:
        assert left_out >= 25
        assert len(env.done) < passed - 20
