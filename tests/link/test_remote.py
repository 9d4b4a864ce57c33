"""A plant in another process: the same bits, one controller at a time, and clear words when somebody dies."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import zmq

import neuroloop
from neuroloop.errors import BadInput, LinkError, PlantError
from neuroloop.link.remote import RemoteEnv
from neuroloop.link.server import PlantServer


class Served:
    """`neuroloop serve` in a process of its own."""

    def __init__(self, env: str, endpoint: str, *more: str) -> None:
        command = [sys.executable, "-m", "neuroloop", "serve", env, "--bind", endpoint, *more]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        assert "is served at" in line, line
        self.url = line.rpartition(" ")[2].strip()

    def end(self, how: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(20)


@contextlib.contextmanager
def serving(env: str, endpoint: str, *more: str) -> Iterator[Served]:
    served = Served(env, endpoint, *more)
    try:
        yield served
    finally:
        served.end(signal.SIGKILL)


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/plant/plant.ipc"


def test_an_agent_learns_the_same_bits_as_in_one_process(endpoint: str) -> None:
    here = neuroloop.load_agent("cartpole", "CartPole-v1", seed=2)
    here.learn(total_steps=1500)
    with serving("CartPole-v1", endpoint):
        env = RemoteEnv(endpoint)
        there = neuroloop.load_agent("cartpole", env, seed=2)
        there.learn(total_steps=1500)
        assert there.progress.returns == here.progress.returns
        assert there.env_id == here.env_id
        mine, theirs = here.controller.state(), there.controller.state()
        assert mine.keys() == theirs.keys()
        assert all(np.array_equal(mine[key], theirs[key]) for key in mine)
        env.close()


def test_over_tcp_on_a_free_port_of_this_machine() -> None:
    with serving("Pendulum-v1", "tcp://127.0.0.1:*") as served:
        env, local = RemoteEnv(served.url), gymnasium.make("Pendulum-v1")
        assert env.observation_space == local.observation_space
        assert np.array_equal(env.reset(seed=5)[0], local.reset(seed=5)[0])
        for k in range(20):
            action = np.array([np.sin(k)], np.float32)
            mine, theirs = local.step(action), env.step(action)
            assert np.array_equal(mine[0], theirs[0])
            assert mine[1:4] == theirs[1:4]
        env.close()


def test_pictures_and_arguments_travel(endpoint: str) -> None:
    with serving("CartPole-v1", endpoint, "--set", "render_mode=rgb_array"):
        env = RemoteEnv(endpoint)
        env.reset(seed=0)
        picture = env.render()
        assert picture is not None
        assert picture.shape == (400, 600, 3)
        assert picture.std() > 0
        env.close()


def test_a_second_controller_is_refused_until_the_first_one_leaves(endpoint: str) -> None:
    with serving("CartPole-v1", endpoint):
        first = RemoteEnv(endpoint)
        with pytest.raises(LinkError, match="another controller has the plant"):
            RemoteEnv(endpoint)
        first.reset(seed=0)
        first.step(0)
        first.close()
        second = RemoteEnv(endpoint)
        second.reset(seed=0)
        second.close()


def test_the_plant_of_a_killed_controller_is_free_at_once(endpoint: str) -> None:
    code = f"from neuroloop.link.remote import RemoteEnv as R; e = R({endpoint!r}); e.reset(); print('on', flush=True); input()"
    with serving("CartPole-v1", endpoint):
        dying = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert dying.stdout is not None
        assert dying.stdout.readline() == "on\n"
        with pytest.raises(LinkError, match="another controller"):
            RemoteEnv(endpoint)
        dying.kill()
        dying.wait()
        env = RemoteEnv(endpoint)
        env.reset(seed=1)
        env.close()


def test_a_plant_that_was_started_anew_is_found_again_at_the_next_reset(endpoint: str) -> None:
    with serving("CartPole-v1", endpoint) as served:
        env = RemoteEnv(endpoint, timeout=5.0)
        env.reset(seed=0)
        served.end(signal.SIGKILL)
    with serving("CartPole-v1", endpoint):
        observation, _ = env.reset(seed=3)
        assert np.array_equal(observation, gymnasium.make("CartPole-v1").reset(seed=3)[0])
        env.close()


def test_a_plant_that_is_gone_is_told_in_one_line(endpoint: str) -> None:
    with serving("CartPole-v1", endpoint) as served:
        env = RemoteEnv(endpoint, timeout=0.5, patience=0)
        env.reset(seed=0)
        served.end(signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(LinkError, match=r"no answer for 0\.5 s"):
            env.step(0)
        assert time.monotonic() - began < 3.0
    with pytest.raises(LinkError, match="is a plant served there"):
        RemoteEnv(endpoint, timeout=0.3)


def test_ctrl_c_and_sigterm_end_a_server_and_take_its_socket_away(endpoint: str) -> None:
    for how, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        served = Served("CartPole-v1", endpoint)
        path = Path(endpoint.removeprefix("ipc://"))
        assert path.exists()
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert served.end(how) == code
        assert not path.exists()


def test_what_the_plant_refuses_is_an_error_of_the_plant(endpoint: str) -> None:
    with serving("CartPole-v1", endpoint):
        env = RemoteEnv(endpoint)
        with pytest.raises(PlantError, match="reset first"):
            env.step(0)
        env.reset()
        with pytest.raises(PlantError, match="must lie within Discrete"):
            env.step(5)
        assert env.step(1)[1] == 1.0
        env.close()
        env.close()
        with pytest.raises(gymnasium.error.ClosedEnvironmentError):
            env.step(0)


def test_garbage_from_a_stranger_does_not_disturb(endpoint: str) -> None:
    with serving("CartPole-v1", endpoint):
        env = RemoteEnv(endpoint)
        env.reset(seed=0)
        stranger = zmq.Context.instance().socket(zmq.DEALER)
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.connect(endpoint)
        rng = np.random.default_rng(0)
        local = gymnasium.make("CartPole-v1")
        local.reset(seed=0)
        for k in range(100):
            for _ in range(5):
                stranger.send_multipart([rng.bytes(int(rng.integers(100))) for _ in range(int(rng.integers(1, 4)))])
            mine, theirs = local.step(k % 2), env.step(k % 2)
            assert np.array_equal(mine[0], theirs[0])
            if mine[2]:
                local.reset(seed=k), env.reset(seed=k)
        stranger.close()
        env.close()


def test_a_client_that_knows_nothing_of_neuroloop_drives_a_plant(endpoint: str) -> None:
    client = Path(__file__).parents[2] / "docs" / "wire_client.py"
    assert "import neuroloop" not in client.read_text()
    assert len(client.read_text().splitlines()) <= 70
    with serving("CartPole-v1", endpoint):
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-I", str(client), endpoint], capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, done.stderr
            env, total, over = gymnasium.make("CartPole-v1"), 0.0, False
            observation, _ = env.reset(seed=0)
            while not over:
                observation, reward, ended, cut, _ = env.step(int(observation[2] + 0.5 * observation[3] > 0.0))
                total, over = total + float(reward), ended or cut
            assert done.stdout.startswith(f"CartPole-v1: {total:g} in ")


def test_that_client_says_in_a_line_what_it_cannot_drive_and_leaves_the_plant_free(endpoint: str) -> None:
    client = Path(__file__).parents[2] / "docs" / "wire_client.py"
    with serving("Pendulum-v1", endpoint):
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-I", str(client), endpoint], capture_output=True, text=True, timeout=60
            )
            assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
            assert "Pendulum-v1: this client pushes a pole" in done.stderr
        env = RemoteEnv(endpoint)
        env.reset(seed=0)
        env.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("plant", "must be ipc://PATH or tcp://HOST:PORT"),
        ("udp://127.0.0.1:5555", "must be ipc"),
        ("tcp://127.0.0.1", "must be ipc"),
        ("tcp://127.0.0.1:0", "a port is"),
        ("tcp://127.0.0.1:99999", "a port is"),
        ("ipc://", "needs a path"),
        ("ipc://" + "a" * 200, "at most 107 bytes"),
        ("tcp://0.0.0.0:5555", "other machines could drive the plant"),
        ("ipc://@plant", "needs the path of a file"),
        ("ipc://*", "needs the path of a file"),
        ("ipc://~nobody-here/plant.ipc", "whose home is meant"),
        ("tcp://*:5555", "other machines"),
    ],
)
def test_endpoints_that_are_none_are_refused(url: str, message: str) -> None:
    env = gymnasium.make("CartPole-v1")
    with pytest.raises(BadInput, match=message):
        PlantServer(env, url)


def test_a_place_that_is_taken_is_refused(tmp_path: Path) -> None:
    env = gymnasium.make("CartPole-v1")
    with (
        PlantServer(env, "tcp://127.0.0.1:*") as server,
        pytest.raises(BadInput, match="stop what runs there"),
    ):
        PlantServer(env, server.url)
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    with pytest.raises(BadInput, match="others may write there"):
        PlantServer(env, f"ipc://{open_folder}/plant.ipc")


def test_the_command_line_drives_a_plant_elsewhere(endpoint: str, tmp_path: Path) -> None:
    with serving("CartPole-v1", endpoint):
        command = [
            sys.executable,
            "-m",
            "neuroloop",
            "run",
            "cartpole",
            "--connect",
            endpoint,
            "--steps",
            "300",
            "--json",
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
        assert done.returncode == 0, done.stderr
        assert f"--connect {endpoint}" in done.stdout
        assert "is made for" not in done.stderr
        other = subprocess.run(
            [*command[:4], "pole", *command[5:-3], "--steps", "50", "--set", "plant.action_repeat=1"],
            capture_output=True, text=True, cwd=tmp_path, timeout=120,
        )  # fmt: skip
        assert "pole is made for neuroloop/PoleBalance-v0; what is served is CartPole-v1" in other.stderr
        assert "plant       CartPole-v1" in other.stdout or other.returncode
    failed = subprocess.run(
        [*command[:-1], "--connect", "nowhere"], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert failed.returncode == 2
    assert "endpoint: must be ipc://PATH" in failed.stderr
