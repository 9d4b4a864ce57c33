"""Plant, camera and controller as three processes: the same bits in lockstep, and in real time nobody waits for the camera."""

import shutil
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import neuroloop
from neuroloop.errors import BadInput, LinkError, PlantError
from neuroloop.link import messages
from neuroloop.link.cameras.aer import Events, Facts
from neuroloop.link.cameras.remote_camera import RemoteCamera
from neuroloop.link.endpoint import endpoint_of
from neuroloop.link.messages import PROTOCOL
from neuroloop.link.publisher import Publisher
from neuroloop.link.remote import RemoteEnv
from neuroloop.sensors.wrapper import EventCameraWrapper
from neuroloop.types import EVENT

PIXEL = "noisy"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the module `spots`, for this process and for those that are started there."""
    shutil.copy(Path(__file__).parents[1] / "spots.py", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


class Three:
    """A plant and a camera in processes of their own; the controller is this one."""

    def __init__(self, start: Any, folder: Path) -> None:
        self._start = start
        self.plant, self.frames, self.events = (
            f"ipc://{folder}/s/{name}.ipc" for name in ("plant", "frames", "events")
        )
        self.server: Any = None
        self.camera: Any = None

    def serve(self, env: str, *more: str) -> None:
        words = ("serve", env, "--bind", self.plant, "--frames", self.frames, *more)
        self.server = self._start(*words, until="is served at")

    def see(self, *more: str) -> None:
        words = ("camera", "--frames", self.frames, "--bind", self.events, *(more or ("--pixel", PIXEL)))
        self.camera = self._start(*words, until="a camera sees")

    def drive(self, **more: Any) -> RemoteCamera:
        return RemoteCamera(RemoteEnv(self.plant, timeout=30.0), self.events, **{"timeout": 30.0} | more)


@pytest.fixture
def three(start: Any, world: Path) -> Three:
    return Three(start, world)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(np.array_equal(one, other))


def compare(here: gymnasium.Env[Any, Any], there: gymnasium.Env[Any, Any], resets: list[int | None], steps: int) -> int:
    """Whether both give the same bits; how many events there were."""
    events, actions = 0, np.random.default_rng(0)
    assert here.observation_space == there.observation_space
    for seed in resets:
        (mine, ours), (theirs, told) = here.reset(seed=seed), there.reset(seed=seed)
        assert same(mine, theirs)
        assert ours["events"].items() <= told["events"].items()
        for _ in range(steps):
            action = int(actions.integers(2))
            one, other = here.step(action), there.step(action)
            assert same(one[0], other[0])
            assert one[1:4] == other[1:4]
            assert one[4]["events"].items() <= other[4]["events"].items()
            assert one[4].keys() == other[4].keys()
            packet = one[0]["events"] if isinstance(one[0], dict) else one[0]
            events += packet.size
    return events


def test_three_processes_give_the_same_bits_as_one(three: Three) -> None:
    three.see()  # before its plant
    three.serve("spots:Spot-v0")
    there = three.drive()
    here = EventCameraWrapper(gymnasium.make("spots:Spot-v0"), PIXEL)
    assert compare(here, there, [5, None, None, 6], 30) > 1000
    there.close()


def test_rendered_pictures_and_packets_alone_too(three: Three) -> None:
    three.serve("spots:Shown-v0")
    three.see("--pixel", PIXEL, "--size", "7x5", "--gamma", "2.2", "--seed", "4")
    there = three.drive(only=True, most_events=50)
    env = gymnasium.make("spots:Shown-v0", render_mode="rgb_array")
    here = EventCameraWrapper(env, PIXEL, size=(7, 5), gamma=2.2, seed=4, only=True, most_events=50)
    assert compare(here, there, [1, 2], 25) > 200
    assert (there.camera.width, there.camera.height, there.camera.seed) == (7, 5, 4)
    there.close()


def test_the_agent_that_keeps_its_lane_is_the_same_in_three_processes(three: Three) -> None:
    pytest.importorskip("pybullet")
    changes = ["warm_up.decisions=5"]
    here = neuroloop.load_agent("lane-keeping", seed=3, overrides=changes)
    here.learn(total_steps=40)
    arguments = {"size": "[64, 64]", "max_episode_steps": "1000"}
    three.serve("neuroloop/LaneKeeping-v0", *(f"--set={key}={value}" for key, value in arguments.items()))
    three.see("--agent", "lane-keeping")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        there = neuroloop.load_agent("lane-keeping", three.drive(), seed=3, overrides=changes)
    there.learn(total_steps=40)
    assert there.env.observation_space == here.env.observation_space
    assert there.progress.returns == here.progress.returns
    mine, theirs = here.controller.state(), there.controller.state()
    assert mine.keys() == theirs.keys()
    assert all(np.array_equal(mine[key], theirs[key]) for key in mine)
    assert here.controller.spikes > 0
    there.env.close()


def test_another_camera_than_the_agents_is_told(three: Three) -> None:
    three.serve("spots:Spot-v0")
    three.see("--pixel", "ideal", "--size", "8x6")
    env = three.drive()
    camera = "plant.event_camera={pixel='ideal', size=[16, 12], frames={kind='traces', cell=[4, 4]}}"
    with pytest.raises(BadInput, match=r"size: the agent wants 16 × 12 pixels, the camera process has 8 × 6"):
        neuroloop.load_agent("default", env, overrides=[camera])
    with pytest.warns(UserWarning, match="another pixel than the agent's file"):
        agent = neuroloop.load_agent("default", env, overrides=[camera.replace("'ideal', size=[16, 12]", "'noisy'")])
    assert agent.env.observation_space.shape == (2, 2, 2)
    agent.learn(total_steps=60)
    env.close()


def test_who_is_missing_is_told_in_one_line(three: Three, start: Any) -> None:
    plain = start("serve", "spots:Spot-v0", "--bind", three.plant, until="is served at")
    with pytest.raises(LinkError, match=r"no packet of events for 0.3 s; does a camera run there"):
        three.drive(timeout=0.3)
    three.see()
    with pytest.raises(LinkError, match=r"the camera waits for pictures at ipc://.*serve a plant with `--frames"):
        three.drive(timeout=0.5)
    plain.end()
    three.serve("spots:Spot-v0")
    env = three.drive()
    env.reset(seed=0)
    three.camera.end(signal.SIGKILL)
    env._packets._timeout = 0.5
    began = time.monotonic()
    with pytest.raises(LinkError, match=r"no packet of events for 0.5 s; does a camera run there"):
        env.step(0)
    assert time.monotonic() - began < 5.0
    env.close()


def test_a_camera_that_was_started_anew_sees_the_next_episode(three: Three) -> None:
    three.serve("spots:Spot-v0")
    three.see()
    there = three.drive()
    there.reset(seed=0)
    for _ in range(3):
        there.step(1)
    three.camera.end(signal.SIGKILL)
    three.see()
    deadline = time.monotonic() + 20.0
    while not there._packets._camera.connection.stands:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    there._packets._timeout = 2.0
    with pytest.raises(LinkError, match="was started anew, or missed pictures, within an episode"):
        there.step(1)
    there._packets._timeout = 30.0
    here = EventCameraWrapper(gymnasium.make("spots:Spot-v0"), PIXEL)
    assert compare(here, there, [3], 20) > 100
    there.close()


def test_what_a_camera_cannot_see_is_an_error_of_the_plant(three: Three) -> None:
    three.serve("spots:Broken-v0")
    three.see()
    env = three.drive()
    env.reset(seed=0)
    env.step(0)
    env.step(0)
    with pytest.raises(PlantError, match="the camera cannot see: pictures: light must be finite"):
        env.step(0)
    env.reset(seed=0)
    assert env.step(0)[4]["events"]["packets"] == 1
    env.close()


class Driver:
    """A real camera's program: it publishes packets, and knows nothing of a plant."""

    def __init__(self, url: str) -> None:
        self.out, self.seq, self.t_us, self.run = Publisher(endpoint_of(url)), 0, 5_000_000, 7

    def tell(self, **more: Any) -> None:
        facts: dict[str, Any] = {"protocol": PROTOCOL, "run": 7, "width": 16, "height": 12} | more
        self.out.send([messages.packed(Facts(**facts))])

    def send(self, *at_us: int, lasts: int = 1000, x: int = 3, raw: bytes | None = None, **more: Any) -> None:
        self.seq += 1
        events = np.array([(self.t_us + t_us, x, 2, 1) for t_us in at_us], EVENT)
        header = {"start_us": self.t_us, "end_us": self.t_us + lasts} | more
        self.t_us += lasts
        packet = Events(protocol=PROTOCOL, run=self.run, seq=self.seq, t_ns=0, **header)
        self.out.send([messages.packed(packet), events.tobytes() if raw is None else raw])


@pytest.fixture
def driver(world: Path) -> Iterator[Driver]:
    made = Driver(f"ipc://{world}/s/real.ipc")
    yield made
    made.out.close()


def with_driver(driver: Driver, make: Callable[[], Any]) -> Any:
    """What `make` gives, or the error it ends with, while the driver says what it is to whoever comes."""
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(make)
        while not made.done():
            driver.out.readers()
            driver.tell()
            time.sleep(0.01)
        return made.result()


def test_a_real_cameras_driver_is_taken_in_real_time_with_times_from_the_reset_on(
    three: Three, driver: Driver, start: Any
) -> None:
    start("serve", "spots:Endless-v0", "--bind", three.plant, "--realtime", "--deadline", "5", until="is served at")
    env = with_driver(driver, lambda: RemoteCamera(RemoteEnv(three.plant), driver.out.url, patience=0.0))
    driver.send(10, 20)  # before the episode
    time.sleep(0.05)
    observation, info = env.reset(seed=0)
    assert observation["events"].size == 0
    driver.send(100, 900)
    driver.send(0, 500)
    time.sleep(0.05)
    observation, *_, info = env.step(0)
    assert observation["events"]["t_us"].tolist() == [100, 900, 1000, 1500]
    expected = {"start_us": 0, "end_us": 2000, "dropped": 0, "packets": 2, "empty": 0, "lost": 0, "missed": 0}
    assert info["events"] == expected
    driver.seq += 3  # lost on the way
    driver.send(7)
    driver.send(raw=b"\0" * 12)  # no whole event
    driver.send(1, x=16)  # outside
    driver.send(2000)  # later than it says
    driver.out.send([b"garbage"])
    driver.send(5)
    time.sleep(0.05)
    observation, *_, info = env.step(0)
    assert observation["events"]["t_us"].tolist() == [2007, 6005]
    assert (info["events"]["packets"], info["events"]["lost"]) == (2, 3 + 3 + 1)
    observation, info = env.reset(seed=0)  # nothing waits: the times begin anew all the same
    assert (info["events"]["start_us"], info["events"]["end_us"]) == (0, 0)
    driver.send(3)
    time.sleep(0.05)
    observation, *_, info = env.step(0)
    assert observation["events"]["t_us"].tolist() == [3]
    assert (info["events"]["start_us"], info["events"]["end_us"]) == (0, 1000)
    driver.t_us, driver.run = 0, 8  # it is started anew, and its clock with it: the episode's goes on
    driver.send(0)
    time.sleep(0.05)
    observation, *_, info = env.step(0)
    assert observation["events"]["t_us"].tolist() == [1000]
    assert (info["events"]["start_us"], info["events"]["end_us"]) == (1000, 2000)
    env.close()


def test_the_times_of_a_camera_that_runs_free_may_begin_with_0(three: Three, driver: Driver, start: Any) -> None:
    start("serve", "spots:Endless-v0", "--bind", three.plant, "--realtime", "--deadline", "5", until="is served at")
    driver.t_us = 0
    env = with_driver(driver, lambda: RemoteCamera(RemoteEnv(three.plant), driver.out.url, patience=0.0))
    env.reset(seed=0)
    for n in range(2):
        driver.send(5)
        time.sleep(0.05)
        observation, *_, info = env.step(0)
        assert observation["events"]["t_us"].tolist() == [1000 * n + 5]
        assert info["events"]["end_us"] == 1000 * n + 1000
    env.close()


def test_a_camera_that_runs_free_does_not_go_with_lockstep(three: Three, driver: Driver, start: Any) -> None:
    start("serve", "spots:Spot-v0", "--bind", three.plant, until="is served at")
    env = RemoteEnv(three.plant)
    with pytest.raises(BadInput, match="runs free goes with a plant in real time"):
        with_driver(driver, lambda: RemoteCamera(env, driver.out.url))
    env.close()


def until(condition: Any, env: RemoteCamera, n: int = 2000) -> dict[str, Any]:
    """Step until what `info["events"]` says fulfils a condition."""
    for _ in range(n):
        *_, info = env.step(0)
        if condition(info["events"]):
            facts: dict[str, Any] = info["events"]
            return facts
    raise AssertionError(info)


def test_in_real_time_a_camera_may_stop_die_and_come_back(three: Three) -> None:
    three.serve("spots:Endless-v0", "--realtime", "--deadline", "5")
    three.see()
    env = three.drive()
    env.reset(seed=0)
    end_us = 0
    for _ in range(20):
        observation, *_, info = env.step(0)
        facts, events = info["events"], observation["events"]
        assert facts["start_us"] == end_us
        end_us = facts["end_us"]
        assert events.size == 0 or facts["start_us"] <= events["t_us"][0] <= events["t_us"][-1] <= end_us
    assert end_us > 0
    assert until(lambda facts: facts["packets"] == 1, env)["empty"] == 0
    three.camera.send(signal.SIGSTOP)
    facts = until(lambda facts: facts["empty"] >= 10, env)
    assert facts["start_us"] == facts["end_us"]
    began, ticks = time.monotonic(), env.step(0)[4]["link"]["tick"]
    for _ in range(10):
        last = env.step(0)[4]["link"]["tick"]
    assert last - ticks <= 3 + (time.monotonic() - began) / 0.02  # the plant is not held up, nor ahead of its time
    three.camera.send(signal.SIGCONT)
    facts = until(lambda facts: facts["packets"] > 0 and facts["missed"] > 0, env)
    assert facts["empty"] == 0
    three.camera.end(signal.SIGKILL)
    until(lambda facts: facts["empty"] >= 5, env)
    three.see()
    until(lambda facts: facts["packets"] > 0 and facts["end_us"] > 0, env)
    env.close()
