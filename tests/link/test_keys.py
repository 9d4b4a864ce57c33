"""Keys: who is allowed comes in over tcp, who is not does not, and secrets stay secret."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from neuroloop.errors import BadInput, LinkError
from neuroloop.link import keys
from neuroloop.link.remote import RemoteEnv
from neuroloop.link.server import PlantServer


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


def test_a_folder_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neuroloop keys new"):
        keys.read(tmp_path)
    with pytest.raises(BadInput, match="needs both"):
        RemoteEnv("tcp://127.0.0.1:5999", server_key="x" * 40)
