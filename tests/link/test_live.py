"""A plant that keeps its own time: the newest valid command while it is fresh, else fail-safe until a new handshake."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.errors import BadInput
from neuroloop.link import messages
from neuroloop.link.live import LivePlant
from neuroloop.link.messages import PROTOCOL, Bye, Hello, Outcome, Render, Reset, Step, Welcome
from neuroloop.link.remote import RemoteEnv
from neuroloop.link.server import PlantServer
from neuroloop.loop.safety import Guard, fail_safe_of

MS = 1_000_000
DEADLINE = 0.1
PATIENT = 0.5  # s: a deadline that busy machines meet


class Motor(gymnasium.Env[Any, Any]):
    """Writes down what it does; each episode has 1000 ticks of 10 ms."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    render_mode = None
    dt = 0.01

    def __init__(self) -> None:
        self.done: list[float] = []
        self.when: list[int] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.n = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.done.append(float(action[0]))
        self.when.append(time.monotonic_ns())
        self.n += 1
        return action, 1.0, False, self.n >= 1000, {}


class Bench:
    """A live plant and a controller, at times that the test sets."""

    def __init__(self, **guard: float) -> None:
        self.env = Motor()
        self.plant = LivePlant(
            self.env, "Motor", lambda identity: True, deadline=DEADLINE, guard=Guard(Motor.action_space, 0.01, **guard)
        )
        self.now, self.session, self.seq = 0, 1, 0

    def say(self, kind: Any, *frames: bytes, seq: int | None = None, who: bytes = b"me", **more: Any) -> Any:
        self.seq = self.seq + 1 if seq is None else seq
        header = kind(session=self.session, seq=self.seq, t_ns=self.now, **more)
        answer = self.plant.take(who, [messages.packed(header), *frames], self.now)
        return messages.from_plant(bytes(answer[0])) if answer else None

    def hello(self, session: int) -> Any:
        self.session, self.seq = session, 0
        answer = self.plant.take(b"me", [messages.packed(Hello(protocol=PROTOCOL, session=session))], self.now)
        return messages.from_plant(bytes(answer[0]))

    def command(self, value: float, **more: Any) -> Any:
        return self.say(Step, np.array([value], "<f4").tobytes(), tick=0, **more)

    def tick(self, ms: int = 10) -> Outcome | None:
        self.now += ms * MS
        post = self.plant.tick(self.now)
        if post is None:
            return None
        header = messages.from_plant(bytes(post[1][0]))
        return header if isinstance(header, Outcome) else None

    def begin(self) -> None:
        assert isinstance(self.hello(1), Welcome)
        self.say(Reset)
        self.tick()
        self.plant._heard_ns = self.now  # the plant took its own clock for that


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.begin()
    return made


def test_the_newest_command_is_done_and_kept_while_it_is_fresh(bench: Bench) -> None:
    bench.command(0.1)
    bench.command(0.2)
    outcome = bench.tick()
    assert outcome is not None
    assert (outcome.tick, outcome.live, outcome.ack) == (1, True, 3)
    bench.tick()
    bench.command(0.3)
    bench.tick()
    assert bench.env.done == pytest.approx([0.2, 0.2, 0.3])


def test_silence_beyond_the_deadline_is_answered_by_the_fail_safe_action(bench: Bench) -> None:
    bench.command(0.5)
    for _ in range(9):
        assert bench.tick() is not None
    assert bench.tick() is None  # nobody is told any more
    bench.tick()
    assert bench.env.done == pytest.approx([0.5] * 9 + [0.0] * 2)
    assert (bench.plant.helped, bench.plant.lapses) == (2, 1)


def test_commands_count_again_only_after_a_new_handshake(bench: Bench) -> None:
    bench.command(0.5)
    for _ in range(15):
        bench.tick()
    assert bench.command(0.7).code == "session"
    bench.tick()
    assert bench.env.done[-1] == 0.0
    bench.hello(2)
    assert bench.command(0.7) is None
    outcome = bench.tick()
    assert outcome is not None
    assert outcome.live
    assert bench.env.done[-1] == pytest.approx(0.7)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1.5])
def test_wrong_commands_are_refused_and_do_not_count_as_life(bench: Bench, value: float) -> None:
    bench.command(0.5)
    for _ in range(15):
        assert bench.command(value).code in ("value", "session")
        bench.tick()
    assert bench.env.done[-1] == 0.0
    assert set(np.round(bench.env.done, 6)) == {0.5, 0.0}


def test_old_commands_are_refused(bench: Bench) -> None:
    bench.command(0.5)
    assert bench.command(0.9, seq=1).code == "order"
    assert bench.command(0.9, seq=2).code == "order"
    bench.tick()
    assert bench.env.done == pytest.approx([0.5])


def test_who_says_bye_leaves_the_plant_to_its_fail_safe_action(bench: Bench) -> None:
    bench.command(0.5)
    bench.tick()
    bench.say(Bye)
    bench.tick()
    assert bench.env.done == pytest.approx([0.5, 0.0])
    assert bench.say(Render).code == "session"


def test_an_episode_that_ended_rests_until_the_next_one_is_asked_for(bench: Bench) -> None:
    for _ in range(1000):
        bench.command(0.1)
        outcome = bench.tick()
    assert outcome is not None
    assert outcome.truncated
    assert bench.tick() is None
    assert bench.command(0.1).code == "plant"
    bench.say(Reset)
    outcome = bench.tick()
    assert outcome is not None
    assert (outcome.tick, outcome.truncated) == (0, False)


def test_limits_and_slew_hold_whatever_is_commanded() -> None:
    bench = Bench(amplitude=0.5, slew=10.0)
    bench.begin()
    for value in (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0):
        bench.command(value)
        bench.tick()
    assert bench.env.done == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.4])
    assert bench.plant.guard.limited == 8


def test_the_rest_of_every_space() -> None:
    class World(gymnasium.Env[Any, Any]):
        def __init__(self, space: Any) -> None:
            self.action_space = space

    box = spaces.Box(np.array([0.5, -1.0], np.float32), np.array([2.0, 1.0], np.float32))
    assert fail_safe_of(World(box)).tolist() == [0.5, 0.0]
    for space in (
        spaces.Discrete(3, start=2),
        spaces.MultiDiscrete([2, 3]),
        spaces.MultiBinary(2),
        spaces.Tuple([box]),
    ):
        assert space.contains(fail_safe_of(World(space)))
    assert fail_safe_of(World(box), [1.0, 0.5]).tolist() == [1.0, 0.5]
    with pytest.raises(BadInput, match="fail-safe: must be an action"):
        fail_safe_of(World(box), [9.0, 0.5])
    with pytest.raises(BadInput, match="limits: are for Box"):
        Guard(spaces.Discrete(2), 0.1, amplitude=1.0)


def rests(env: Motor) -> None:
    """Wait until the motor rests, for at most 5 s."""
    end = time.monotonic() + 5.0
    while env.done[-1] != 0.0:
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Motor, PlantServer, str]]:
    """A motor at its own time in a thread, at 100 Hz."""
    env, url = Motor(), f"ipc://{tmp_path}/plant/plant.ipc"
    with PlantServer(env, url) as server:
        thread = threading.Thread(target=lambda: server.serve_in_real_time(deadline=PATIENT))
        thread.start()
        yield env, server, url
        server.stop()
        thread.join(10)


CONTROLLER = """
import sys, numpy as np
from neuroloop.link.remote import RemoteEnv
env = RemoteEnv(sys.argv[1])
env.reset(seed=0)
n = 0
while True:
    env.step(np.array([0.5], np.float32))
    n += 1
    if n == 10:
        print("on", flush=True)
    if n == 20 and sys.argv[2] == "hang":
        import time
        time.sleep(60)
"""


@pytest.mark.parametrize("how", ["kill", "stop", "hang"])
def test_a_controller_that_dies_stops_or_hangs_leaves_a_plant_that_helps_itself(served: Any, how: str) -> None:
    env, _, url = served
    process = subprocess.Popen([sys.executable, "-c", CONTROLLER, url, how], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "on\n"
        if how != "hang":
            os.kill(process.pid, signal.SIGKILL if how == "kill" else signal.SIGSTOP)
        rests(env)
        assert 0.5 in env.done
        last = max(k for k, value in enumerate(env.done) if value == 0.5)
        assert all(value == 0.0 for value in env.done[last + 1 :])
        second = RemoteEnv(url)  # whoever hung or stopped has lost the plant
        second.reset(seed=1)
        _, _, _, _, info = second.step(np.array([0.25], np.float32))
        assert info["link"]["live"]
        second.close()
    finally:
        process.kill()
        process.wait()


def test_a_controller_in_time_drives_every_tick_and_comes_back_after_a_silence(served: Any) -> None:
    env, _, url = served
    remote = RemoteEnv(url)
    remote.reset(seed=0)
    ticks = []
    for _ in range(30):
        _, reward, _, _, info = remote.step(np.array([0.5], np.float32))
        ticks.append(info["link"]["tick"])
        assert 1.0 <= reward <= 1.0 + info["link"]["skipped"]
    assert ticks == sorted(set(ticks))
    time.sleep(3 * PATIENT)
    assert env.done[-1] == 0.0
    for _ in range(5):
        remote.step(np.array([0.75], np.float32))
    assert 0.75 in env.done
    remote.close()
    rests(env)


def test_a_plant_that_is_stopped_ends_in_its_fail_safe_action(served: Any) -> None:
    env, server, url = served
    remote = RemoteEnv(url)
    remote.reset(seed=0)
    for _ in range(5):
        remote.step(np.array([0.5], np.float32))
    server.stop()
    rests(env)
    remote.close()
