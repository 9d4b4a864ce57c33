"""Keys: who is allowed comes in over tcp, who is not does not, and secrets stay secret."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from neuroloop import load_agent
from neuroloop.errors import BadInput, LinkError
from neuroloop.link import keys
from neuroloop.link.remote import RemoteEnv
from neuroloop.link.server import PlantServer
from neuroloop.link.telemetry.listening import Listener
from neuroloop.link.telemetry.tap import Tap


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Of a plant, of a controller that it allows, and of a stranger."""
    plant, friend, stranger = (tmp_path / name for name in ("plant", "friend", "stranger"))
    for folder in (plant, friend, stranger):
        keys.new(folder)
    keys.allow(plant, keys.read(friend).public.decode(), "friend")
    return plant, friend, stranger


@pytest.fixture
def served(folders: Any) -> Iterator[tuple[str, str]]:
    """Where, and the plant's public key."""
    plant = keys.read(folders[0])
    with PlantServer(gymnasium.make("CartPole-v1"), "tcp://127.0.0.1:*", keys=plant) as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server.url, plant.public.decode()
        server.stop()
        thread.join(10)


def test_who_is_allowed_drives_the_plant(folders: Any, served: Any) -> None:
    url, key = served
    env = RemoteEnv(url, keys=folders[1], server_key=key)
    assert np.array_equal(env.reset(seed=1)[0], gymnasium.make("CartPole-v1").reset(seed=1)[0])
    env.close()


def test_strangers_plain_peers_and_those_who_take_the_plant_for_another_are_not_answered(
    folders: Any, served: Any
) -> None:
    url, key = served
    other = keys.read(folders[2]).public.decode()
    for arguments in ({"keys": folders[2], "server_key": key}, {}, {"keys": folders[1], "server_key": other}):
        with pytest.raises(LinkError, match="no answer"):
            RemoteEnv(url, timeout=0.5, **arguments)
    env = RemoteEnv(url, keys=folders[1], server_key=key)
    env.reset(seed=0)
    env.close()


def test_other_machines_come_in_by_keys_only(folders: Any) -> None:
    env = gymnasium.make("CartPole-v1")
    with pytest.raises(BadInput, match="other machines could drive the plant"):
        PlantServer(env, "tcp://0.0.0.0:*")
    with PlantServer(env, "tcp://0.0.0.0:*", keys=keys.read(folders[0])) as server:
        assert server.url.startswith("tcp://0.0.0.0:")
    with pytest.raises(BadInput, match="nobody is allowed"):
        PlantServer(env, "tcp://127.0.0.1:*", keys=keys.read(folders[2]))
    with pytest.raises(BadInput, match="keys are for tcp"):
        PlantServer(env, f"ipc://{folders[0]}/plant.ipc", keys=keys.read(folders[0]))


def test_a_secret_is_its_owners_and_is_not_overwritten(folders: Any) -> None:
    plant = folders[0]
    secret = plant / "secret.key"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert plant.stat().st_mode & 0o777 == 0o700
    before = secret.read_bytes()
    with pytest.raises(BadInput, match="is there already"):
        keys.new(plant)
    assert secret.read_bytes() == before
    secret.chmod(0o644)
    with pytest.raises(BadInput, match="others may read it; chmod 600"):
        keys.read(plant)


@pytest.mark.parametrize("key", ["", "abc", "x" * 39, "ü" * 40, " " * 40, "~" * 40])
def test_what_is_no_key_is_refused(folders: Any, key: str) -> None:
    with pytest.raises(BadInput, match="must be a key of 40 letters"):
        keys.allow(folders[0], key, "friend")


@pytest.mark.parametrize("name", ["", "../x", ".hidden", "a/b", "x" * 65])
def test_names_stay_in_their_folder(folders: Any, name: str) -> None:
    with pytest.raises(BadInput, match="name: letters"):
        keys.allow(folders[0], keys.read(folders[1]).public.decode(), name)


def test_a_name_is_one_keys_until_it_is_taken_back(folders: Any) -> None:
    plant, friend, stranger = folders
    ours, theirs = (keys.read(folder).public.decode() for folder in (friend, stranger))
    with pytest.raises(BadInput, match="'friend' is somebody else's; `neuroloop keys forget friend`"):
        keys.allow(plant, theirs, "friend")
    keys.allow(plant, ours, "friend")  # the same key again
    assert keys.read(plant).allowed == {"friend": ours.encode()}
    with pytest.raises(BadInput, match="nobody is allowed as 'lap'; allowed are: friend"):
        keys.forget(plant, "lap")
    keys.forget(plant, "friend")
    assert keys.allowed_now(keys.read(plant)) == frozenset()
    keys.allow(plant, theirs, "friend")
    with pytest.raises(BadInput, match="name: letters"):
        keys.forget(plant, "../secret")


def test_a_secret_key_is_not_taken_for_a_public_one(folders: Any, tmp_path: Path) -> None:
    plant, friend, _ = folders
    before, secret = keys.read(plant), keys.read(friend).secret
    renamed = friend / "lap.key"
    renamed.write_bytes(secret)
    for key in (friend / "secret.key", renamed):
        with pytest.raises(BadInput, match="is secret, and its owner's alone"):
            keys.allow(plant, str(key), "lap")
        with pytest.raises(BadInput, match=r"server_key: .* is secret"):
            RemoteEnv("tcp://127.0.0.1:5999", keys=friend, server_key=str(key))
    with pytest.raises(BadInput, match="our own secret key"):
        keys.allow(plant, before.secret.decode(), "lap")
    assert keys.read(plant) == before


def test_who_comes_without_keys_is_told_that_it_may_need_some(served: Any, folders: Any) -> None:
    with pytest.raises(LinkError, match=r"it may be locked; give our keys .*--keys, --server-key"):
        RemoteEnv(served[0], timeout=1.0)
    with PlantServer(gymnasium.make("CartPole-v1"), "tcp://127.0.0.1:*") as server:
        thread = threading.Thread(target=server.serve)
        thread.start()
        with pytest.raises(LinkError, match="we come with keys, and it is not locked"):
            RemoteEnv(server.url, timeout=1.0, keys=folders[1], server_key=served[1])
        server.stop()
        thread.join(10)


def test_a_tap_is_locked_by_keys_on_this_machine_too(folders: Any) -> None:
    agent = load_agent("random", "CartPole-v1")
    key = keys.read(folders[0]).public.decode()
    with (
        Tap("tcp://127.0.0.1:*", agent, keys=folders[0]) as tap,
        agent.watched(tap),
        Listener(tap.url) as stranger,
        Listener(tap.url, keys=folders[2], server_key=key) as other,
        Listener(tap.url, keys=folders[1], server_key=key) as friend,
    ):
        end, heard = time.monotonic() + 10.0, None
        while (heard is None or not stranger.why or not other.why) and time.monotonic() < end:
            agent.learn(1)
            heard = friend.next(0.01) or heard
        assert heard is not None
        assert (stranger.next(0.05), other.next(0.05)) == (None, None)
        assert "it may be locked" in str(stranger.silence(3.0))
        assert "our key is not allowed there" in str(other.silence(3.0))
    with Tap(f"ipc://{folders[0]}/s/tap.ipc", agent, keys=folders[0]):
        pass  # a socket has its mode


def test_what_other_machines_could_do_with_a_tap_is_said(folders: Any) -> None:
    agent = load_agent("random", "CartPole-v1")
    with pytest.raises(BadInput, match=r"tap: tcp://0\.0\.0\.0:5601: other machines could read along"):
        Tap("tcp://0.0.0.0:5601", agent)


def test_a_folder_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neuroloop keys new"):
        keys.read(tmp_path)
    with pytest.raises(BadInput, match="needs both"):
        RemoteEnv("tcp://127.0.0.1:5999", server_key="x" * 40)
