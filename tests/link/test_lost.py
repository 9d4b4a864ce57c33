"""Plants that go away and come back, and connections that break: what is cut off, what goes on, and what is learned."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import neuroloop
from neuroloop.errors import LinkError, PlantError
from neuroloop.evaluation.kills import Plant, controller_stops, plant_kills
from neuroloop.link.remote import RemoteEnv
from neuroloop.link.server import PlantServer
from neuroloop.loop.lockstep import Lockstep, Progress
from neuroloop.loop.plant import Plant as Owned
from neuroloop.settings import PlantConfig
from neuroloop.types import LINK

CARTPOLE = "CartPole-v1"


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/plant/plant.ipc"


@contextlib.contextmanager
def served(endpoint: str, env: str = CARTPOLE, longest: int | None = None, **real_time: Any) -> Iterator[PlantServer]:
    """A plant in a thread."""
    with PlantServer(gymnasium.make(env, max_episode_steps=longest), endpoint) as server:
        serve = (lambda: server.serve_in_real_time(**real_time)) if real_time else server.serve
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            server.stop()
            thread.join(10)


def test_a_step_whose_plant_was_started_anew_ends_the_episode_and_the_next_one_goes_on(
    endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    with served(endpoint):
        env = RemoteEnv(endpoint, timeout=5.0)
        env.reset(seed=0)
        seen, *_ = env.step(1)
    with served(endpoint), caplog.at_level(logging.WARNING, "neuroloop.link"):
        observation, reward, terminated, truncated, info = env.step(1)
        assert (reward, terminated, truncated, info[LINK]["lost"]) == (0.0, False, True, True)
        assert np.array_equal(observation, seen)
        assert "its episode is lost" in caplog.text
        with pytest.raises(PlantError, match="reset first"):
            env.step(1)
        mine, theirs = gymnasium.make(CARTPOLE), env
        assert np.array_equal(mine.reset(seed=3)[0], theirs.reset(seed=3)[0])
        assert np.array_equal(mine.step(1)[0], theirs.step(1)[0])
        env.close()


def test_another_plant_in_the_place_of_ours_is_not_driven(endpoint: str) -> None:
    with served(endpoint):
        env = RemoteEnv(endpoint, timeout=5.0)
        env.reset(seed=0)
    with served(endpoint, "Acrobot-v1"):
        with pytest.raises(LinkError, match="another plant is served there now, 'Acrobot-v1'"):
            env.step(1)
        env.close()


def test_a_plant_that_stays_away_is_an_error_after_the_patience(endpoint: str) -> None:
    with served(endpoint):
        env = RemoteEnv(endpoint, timeout=0.2, patience=0.5)
        env.reset(seed=0)
    began = time.monotonic()
    with pytest.raises(LinkError, match="no answer for"):
        env.step(0)
    assert 0.6 < time.monotonic() - began < 5.0
    env.close()


def test_a_plant_that_is_taken_meanwhile_is_waited_for(endpoint: str) -> None:
    with served(endpoint):
        env = RemoteEnv(endpoint, timeout=1.0, patience=20.0)
        env.reset(seed=0)
    with served(endpoint):
        other = RemoteEnv(endpoint)
        threading.Timer(0.5, other.close).start()
        assert env.step(0)[4][LINK]["lost"]
        env.reset(seed=0)
        env.close()


class Proxy:
    """Passes bytes on between a controller and a plant, until it is cut; then takes the next connection."""

    def __init__(self, port: int) -> None:
        self._to, self._listens = port, socket.create_server(("127.0.0.1", 0))
        self.port = self._listens.getsockname()[1]
        self._pairs: list[socket.socket] = []
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listens.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._pairs = [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self.cuts += 1
        for end in self._pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listens.close()


def test_where_only_the_connection_breaks_the_episode_goes_on_and_nothing_is_done_twice() -> None:
    with served("tcp://127.0.0.1:*") as server:
        proxy = Proxy(int(server.url.rpartition(":")[2]))
        env, mine = RemoteEnv(f"tcp://127.0.0.1:{proxy.port}", timeout=2.0), gymnasium.make("CartPole-v1")
        env.reset(seed=0), mine.reset(seed=0)
        rng, done, episode = np.random.default_rng(0), threading.Event(), 0

        def cut() -> None:
            for _ in range(5):
                time.sleep(0.1 * rng.random())
                proxy.cut()
            done.set()

        threading.Thread(target=cut, daemon=True).start()
        while not done.is_set():
            theirs, ours = env.step(episode % 2), mine.step(episode % 2)
            assert np.array_equal(theirs[0], ours[0])
            assert theirs[1:4] == ours[1:4]
            episode += 1
            if theirs[2]:
                env.reset(seed=episode), mine.reset(seed=episode)
        assert proxy.cuts == 5
        env.close()
        proxy.close()


def test_in_real_time_too_a_broken_connection_is_made_anew_within_the_deadline() -> None:
    with served("tcp://127.0.0.1:*", "Pendulum-v1", period=0.01, deadline=5.0) as server:
        proxy = Proxy(int(server.url.rpartition(":")[2]))
        env = RemoteEnv(f"tcp://127.0.0.1:{proxy.port}", timeout=8.0)
        env.reset(seed=0)
        session = env._line.session
        for k in range(45):
            if k % 15 == 10:
                proxy.cut()
            *_, info = env.step(np.zeros(1, np.float32))
            assert info[LINK]["live"] or info[LINK]["tick"] == 1
        assert env._line.session == session
        assert proxy.cuts == 3
        env.close()
        proxy.close()


def test_plants_that_are_killed_at_random_cut_episodes_off_and_change_nothing_else(tmp_path: Path) -> None:
    found = plant_kills(3, tmp_path / "plant", seed=1)
    assert found.kills == 3
    assert 1 <= len(found.cut) <= 3  # a plant may be killed while an episode begins
    assert found.same


def test_controllers_that_are_stopped_and_killed_go_on_as_if_they_never_were(tmp_path: Path) -> None:
    (tmp_path / "plant").mkdir(mode=0o700)
    stops = signal.SIGTERM, signal.SIGKILL
    assert controller_stops(2, tmp_path / "plant", more=300, alive_s=0.2, stops=stops).same


def test_an_episode_in_real_time_cannot_be_brought_back_and_begins_anew_with_one_line(endpoint: str) -> None:
    with served(endpoint, "Pendulum-v1", period=0.005):
        env = RemoteEnv(endpoint)
        agent = neuroloop.load_agent("random", env)
        agent.learn(10)
        agent.loop.leave()
        with pytest.warns(UserWarning, match="keeps its own time.*; the episode begins anew"):
            agent.learn(10)
        assert agent.progress.episode_steps <= agent.progress.steps
        env.close()


def test_a_plant_in_real_time_that_helped_itself_goes_on_with_its_episode(endpoint: str) -> None:
    with served(endpoint, "Pendulum-v1", period=0.005, deadline=0.05):
        env = RemoteEnv(endpoint)
        env.reset(seed=0)
        env.step(np.zeros(1, np.float32))
        time.sleep(0.3)
        *_, truncated, info = env.step(np.zeros(1, np.float32))
        assert not info[LINK]["lost"]
        assert truncated or info[LINK]["tick"] > 20
        env.close()


def test_a_plant_in_real_time_that_was_started_anew_ends_the_episode(endpoint: str) -> None:
    with served(endpoint, "Pendulum-v1", period=0.005):
        env = RemoteEnv(endpoint, timeout=5.0)
        env.reset(seed=0)
        env.step(np.zeros(1, np.float32))
    with served(endpoint, "Pendulum-v1", period=0.005):
        _, reward, _, truncated, info = env.step(np.zeros(1, np.float32))
        assert (reward, truncated, info[LINK]["lost"]) == (0.0, True, True)
        env.reset(seed=0)
        assert not env.step(np.zeros(1, np.float32))[4][LINK]["lost"]
        env.close()


def test_an_episode_in_real_time_that_ended_while_nothing_reached_us_is_lost(endpoint: str) -> None:
    with served(endpoint, "Pendulum-v1", longest=20, period=0.002, deadline=10.0):
        env = RemoteEnv(endpoint)
        env.reset(seed=0)
        env.step(np.zeros(1, np.float32))
        time.sleep(1.0)  # 20 ticks end it
        env._line.forget()
        env._line.forget()
        _, reward, _, truncated, info = env.step(np.zeros(1, np.float32))
        assert (reward, truncated, info[LINK]["lost"]) == (0.0, True, True)
        with pytest.raises(PlantError, match="reset first"):
            env.step(np.zeros(1, np.float32))
        env.reset(seed=0)
        assert not env.step(np.zeros(1, np.float32))[4][LINK]["lost"]
        env.close()


def test_how_a_link_kept_its_time_is_told_of_every_step(endpoint: str) -> None:
    with served(endpoint, "Pendulum-v1", period=0.01, deadline=1.0):
        env = RemoteEnv(endpoint)
        env.reset(seed=0)
        for _ in range(20):
            info = env.step(np.zeros(1, np.float32))[4]
            assert info["timing"].compute < info["timing"].age + 10_000_000
            assert info["timing"].left_out >= info[LINK]["skipped"]
        assert env.timing is not None
        assert env.timing.n == 20
        assert 5_000 < env.timing.report()["period_us"]["p50"] < 50_000
        assert env.timing.report()["age_us"]["p50"] > 1_000
        env.close()
    with served(endpoint):
        still = RemoteEnv(endpoint)
        assert still.timing is None
        still.close()


@pytest.mark.parametrize("mode", ["lockstep", "real time"])
def test_a_plant_that_is_stopped_and_continued(endpoint: str, mode: str) -> None:
    plant = Plant(endpoint, "Pendulum-v1", *([] if mode == "lockstep" else ["--realtime"]))
    try:
        env = RemoteEnv(endpoint, timeout=10.0)
        env.reset(seed=0)
        env.step(np.zeros(1, np.float32))
        plant.tell(signal.SIGSTOP)
        threading.Timer(0.7, plant.tell, [signal.SIGCONT]).start()
        began = time.monotonic()
        info = env.step(np.zeros(1, np.float32))[4]
        assert time.monotonic() - began > 0.5
        assert not info.get(LINK, {}).get("lost")  # the same session in lockstep, a new one in real time; one episode
        env.close()
    finally:
        plant.end()


def test_replay_and_learning_of_lockstep_agents_go_on_after_a_connection_is_made_anew(endpoint: str) -> None:
    """What a controller does that was restarted: greet, reset, replay its unfinished episode."""
    controller = neuroloop.load_agent("random", CARTPOLE).controller
    here = Lockstep(Owned(PlantConfig(), gymnasium.make(CARTPOLE), 3), controller, Progress(None))
    here.run(37)
    with served(endpoint), warnings.catch_warnings():
        warnings.simplefilter("error")
        env = RemoteEnv(endpoint)
        there = Lockstep(Owned(PlantConfig(), env, 3), controller, here.progress)
        observation = here.observation
        there.enter()
        assert np.array_equal(there.observation, observation)
        env.close()
