"""Who stands where: all in one process, in two, in three, on two machines; and whom a plant does not let in."""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import pytest

import neuroloop
from neuroloop import checkpoint
from neuroloop.errors import BadInput
from neuroloop.link import keys
from neuroloop.link.remote import RemoteEnv
from neuroloop.link.server import PlantServer

CAMERA = "plant.event_camera={pixel='noisy', size=[8, 6], frames={kind='traces', cell=[4, 3]}}"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the module `spots`, for this process and for those that are started there."""
    shutil.copy(Path(__file__).with_name("spots.py"), tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def same(one: Path, other: Path) -> bool:
    """Whether two checkpoints hold the same bits."""
    first, second = checkpoint.read(one), checkpoint.read(other)
    return first.arrays.keys() == second.arrays.keys() and all(
        np.array_equal(first.arrays[key], second.arrays[key]) for key in first.arrays
    )


def run_here(agent: str, env: str, steps: int, place: Path, *overrides: str) -> Path:
    learner = neuroloop.load_agent(agent, env, seed=1, overrides=overrides)
    learner.learn(total_steps=steps)
    saved = learner.save(place)
    learner.close()
    return saved


def test_an_agent_in_one_two_and_three_processes_is_saved_with_the_same_bits(start: Any, world: Path) -> None:
    plant, frames, events = (f"ipc://{world}/s/{name}.ipc" for name in ("plant", "frames", "events"))
    start("serve", "spots:Spot-v0", "--bind", plant, "--frames", frames)
    start("camera", "--frames", frames, "--bind", events, "--pixel", "noisy", "--size", "8x6")
    words = ("run", "default", "--connect", plant, "--steps", 300, "--seed", 1, "--keep-on")
    three = start(*words, "--events-from", events, "--set", CAMERA, "--save", "three.zip")
    assert three.ended()[0] == 0, three.ended()[1]
    two = start(*words, "--save", "two.zip")
    assert two.ended()[0] == 0, two.ended()[1]
    assert same(run_here("default", "spots:Spot-v0", 300, world / "one.zip", CAMERA), world / "three.zip")
    assert same(run_here("default", "spots:Spot-v0", 300, world / "plain.zip"), world / "two.zip")
    assert f"--events-from {events}" in three.ended()[1]


def wait_for_an_episode(world: Path) -> None:
    """Until the plant begins another one than those that it had."""
    notes, end = world / "episodes", time.monotonic() + 120.0
    before = len(notes.read_text()) if notes.exists() else 0
    while not notes.exists() or len(notes.read_text()) == before:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_of_two_controllers_the_second_is_refused_and_the_first_is_not_disturbed(start: Any, world: Path) -> None:
    plant = f"ipc://{world}/s/plant.ipc"
    start("serve", "spots:Noted-v0", "--bind", plant, until="is served at")
    words = ("run", "default", "--connect", plant, "--keep-on", "--seed", 1)
    first = start(*words, "--steps", 10_000_000, "--save", "first.zip")
    wait_for_an_episode(world)
    code, said = start(*words, "--steps", 100).ended()
    assert code == 1
    assert said.splitlines() == [f"neuroloop: {plant}: another controller has the plant; one at a time"]
    first.end(signal.SIGINT)
    steps = checkpoint.read(world / "first.zip").facts["steps"]
    assert same(run_here("default", "spots:Noted-v0", steps, world / "alone.zip"), world / "first.zip")
    killed = start(*words, "--steps", 10_000_000)
    wait_for_an_episode(world)
    killed.end(signal.SIGKILL)
    code, said = start(*words, "--steps", 100).ended()
    assert code == 0, said


def test_a_served_socket_is_not_taken_and_one_that_was_left_behind_is(start: Any, tmp_path: Path) -> None:
    path = tmp_path / "s" / "plant.ipc"
    first = start("serve", "CartPole-v1", "--bind", f"ipc://{path}", until="is served at")
    env = RemoteEnv(f"ipc://{path}")
    expected = env.reset(seed=1)[0]
    code, said = start("serve", "CartPole-v1", "--bind", f"ipc://{path}").ended()
    assert (code, said.strip()) == (
        2,
        f"neuroloop: ipc://{path}: somebody is served there already; stop it, or name another place",
    )
    assert np.array_equal(env.reset(seed=1)[0], expected)
    env.close()
    first.end(signal.SIGKILL)
    assert path.exists()
    start("serve", "CartPole-v1", "--bind", f"ipc://{path}", until="is served at")
    env = RemoteEnv(f"ipc://{path}")
    assert np.array_equal(env.reset(seed=1)[0], expected)
    env.close()


def test_of_many_who_take_a_place_at_once_one_gets_it(tmp_path: Path) -> None:
    url, barrier = f"ipc://{tmp_path}/s/plant.ipc", threading.Barrier(8)

    def take(_: int) -> PlantServer | BadInput:
        barrier.wait()
        try:
            return PlantServer(gymnasium.make("CartPole-v1"), url)
        except BadInput as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(take, range(8)))
    [server] = [one for one in found if isinstance(one, PlantServer)]
    assert sum("served there already" in str(one) for one in found) == 7
    server.close()


def test_places_that_cannot_be_served_at_are_told_in_one_line(start: Any, tmp_path: Path) -> None:
    notes, crowded = tmp_path / "notes.txt", tmp_path / "crowded"
    notes.write_text("not to be lost")
    crowded.mkdir()
    crowded.chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        cases = {
            f"ipc://{notes}": "something that is no socket lies there; name another place",
            f"ipc://{notes}/plant.ipc": "name another folder for the socket",
            "ipc:///proc/nobody/plant.ipc": "name another folder for the socket",
            f"ipc://{crowded}/plant.ipc": "others may write there; chmod 700 it, or name another folder for the socket",
            f"tcp://127.0.0.1:{port}": "Address already in use; stop what runs there, or name another place",
            "tcp://10.0.0.1:5555": "other machines could drive the plant; use tcp://127.0.0.1:PORT, or keys",
            "here": "must be ipc://PATH or tcp://HOST:PORT",
        }
        started = {url: start("serve", "CartPole-v1", "--bind", url) for url in cases}
        for url, message in cases.items():
            code, said = started[url].ended()
            assert code == 2
            assert len(said.splitlines()) == 1
            assert message in said
    assert notes.read_text() == "not to be lost"


def test_over_the_other_internet_protocol(start: Any) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError as error:
        pytest.skip(f"there is no IPv6 loopback here: {error}")
    process = start("serve", "CartPole-v1", "--bind", "tcp://[::1]:*", until="is served at")
    env = RemoteEnv(process.says("is served at").rpartition(" ")[2])
    assert np.array_equal(env.reset(seed=1)[0], gymnasium.make("CartPole-v1").reset(seed=1)[0])
    env.close()


class Relay:
    """A wire to a tcp port that brings everything late, in pieces of a few bytes."""

    def __init__(self, port: int) -> None:
        self._port, self._rng = port, random.Random(0)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._door.getsockname()[1]}"
        self._ends: list[socket.socket] = [self._door]
        threading.Thread(target=self._meet, daemon=True).start()

    def _meet(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                one, _ = self._door.accept()
                other = socket.create_connection(("127.0.0.1", self._port))
                self._ends += [one, other]
                for pair in ((one, other), (other, one)):
                    pair[1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := one.recv(self._rng.randint(1, 64)):
                time.sleep(self._rng.uniform(0.0, 0.002))
                other.sendall(piece)

    def close(self) -> None:
        for end in self._ends:
            end.close()


def test_a_slow_wire_that_breaks_messages_to_pieces_changes_no_bit() -> None:
    with PlantServer(gymnasium.make("CartPole-v1"), "tcp://127.0.0.1:*") as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        relay = Relay(int(server.url.rpartition(":")[2]))
        env, local = RemoteEnv(relay.url, timeout=30.0), gymnasium.make("CartPole-v1")
        for seed in range(3):
            assert np.array_equal(env.reset(seed=seed)[0], local.reset(seed=seed)[0])
            for k in range(8):
                assert np.array_equal(env.step(k % 2)[0], local.step(k % 2)[0])
        env.close()
        relay.close()
        server.stop()
        thread.join(10)


class Networks(NamedTuple):
    """Two network namespaces with a wire between them."""

    plant: tuple[str, ...]  # what goes before a command there
    controller: tuple[str, ...]
    address: str  # of the plant


def ip(*words: str) -> None:
    """Or skip the test, with what the machine says against it."""
    done = subprocess.run([shutil.which("ip") or "ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine does not permit it: ip {' '.join(words)}: {done.stderr.strip()}")


@pytest.fixture
def networks() -> Iterator[Networks]:
    if shutil.which("ip") is None:
        pytest.skip("there is no `ip` here")
    if os.geteuid():
        pytest.skip("network namespaces are root's to make")
    names, wires = [f"nl{os.getpid()}{end}" for end in "pc"], [f"v{os.getpid()}{end}" for end in "pc"]
    made: list[str] = []
    try:
        for name in names:
            ip("netns", "add", name)
            made.append(name)
        ip("link", "add", wires[0], "netns", names[0], "type", "veth", "peer", "name", wires[1], "netns", names[1])
        for name, wire, address in zip(names, wires, ("10.211.7.1/24", "10.211.7.2/24"), strict=True):
            ip("-n", name, "address", "add", address, "dev", wire)
            ip("-n", name, "link", "set", wire, "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield Networks(*(("ip", "netns", "exec", name) for name in names), "10.211.7.1")  # type: ignore[arg-type]
    finally:
        for name in made:  # and with them their ends of the wire
            subprocess.run(["ip", "netns", "delete", name], check=False)


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Keys of a plant, of a controller that it allows, and of a stranger."""
    made = {name: tmp_path / "keys" / name for name in ("plant", "friend", "stranger")}
    for folder in made.values():
        keys.new(folder)
    keys.allow(made["plant"], str(made["friend"] / "public.key"), "friend")
    return made


def public(folder: Path) -> str:
    return keys.read(folder).public.decode()


@pytest.mark.parametrize("wire", ["good", "bad"])
def test_on_two_machines_the_bits_are_those_of_one(
    networks: Networks, folders: dict[str, Path], start: Any, tmp_path: Path, wire: str
) -> None:
    if wire == "bad":  # packets that are late, and lost: TCP brings them all the same
        for within, end in ((networks.plant, "p"), (networks.controller, "c")):
            shape = ("tc", "qdisc", "add", "dev", f"v{os.getpid()}{end}", "root", "netem", "delay", "1ms", "loss", "3%")
            done = subprocess.run([*within, *shape], capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"this machine has no netem: {done.stderr.strip()}")
    url = f"tcp://{networks.address}:5555"
    start("serve", "CartPole-v1", "--bind", url, "--keys", folders["plant"], within=networks.plant, until="is served")
    words = ("run", "cartpole", "--connect", url, "--keys", folders["friend"], "--server-key", public(folders["plant"]))
    process = start(*words, "--steps", 200, "--seed", 1, "--save", "there.zip", within=networks.controller)
    assert process.ended()[0] == 0, process.ended()[1]
    assert same(run_here("cartpole", "CartPole-v1", 200, tmp_path / "here.zip"), tmp_path / "there.zip")


KNOCK = """
import sys
from concurrent.futures import ThreadPoolExecutor
from neuroloop.errors import LinkError
from neuroloop.link.remote import RemoteEnv
url, friend, stranger, plant, other = sys.argv[1:]

def knock(arguments):
    try:
        RemoteEnv(url, timeout=5.0, **arguments)
    except LinkError as error:
        return error

wrong = {"keys": stranger, "server_key": plant}, {"keys": friend, "server_key": other}, {}
print(*ThreadPoolExecutor(3).map(knock, wrong), sep="\\n")
"""


def test_whoever_has_not_the_right_keys_is_told_why(
    networks: Networks, folders: dict[str, Path], start: Any, tmp_path: Path
) -> None:
    url = f"tcp://{networks.address}:5555"
    refused = start("serve", "CartPole-v1", "--bind", url, within=networks.plant)
    assert refused.ended()[0] == 2
    assert "other machines could drive the plant" in refused.ended()[1]
    words = ("serve", "CartPole-v1", "--bind", url, "--keys", folders["plant"])
    server = start(*words, within=networks.plant, until="is served at")
    names = [
        url,
        *(str(folders[n]) for n in ("friend", "stranger")),
        *(public(folders[n]) for n in ("plant", "stranger")),
    ]
    command = [*networks.controller, sys.executable, "-c", KNOCK, *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    said = done.stdout.splitlines()
    reasons = (
        "our key is not allowed there",
        "is its public key another one",
        "it may be locked; give our keys and its public key (--keys, --server-key)",
    )
    assert len(said) == 3
    assert all(f"{url}: no answer for 5 s: " in line and why in line for line, why in zip(said, reasons, strict=True))
    keys.allow(folders["plant"], public(folders["stranger"]), "stranger")  # while the plant is served
    words = ("run", "random", "--connect", url, "--keys", folders["stranger"], "--server-key", public(folders["plant"]))
    run = start(*words, "--steps", 50, within=networks.controller)
    assert run.ended()[0] == 0, run.ended()[1]
    assert server.end()[0] == 143
