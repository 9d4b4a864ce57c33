"""Places of sockets: whose they are, and who may come in."""

import os
import stat
from pathlib import Path

import gymnasium
import pytest

from neuroloop.errors import BadInput
from neuroloop.link.endpoint import endpoint_of
from neuroloop.link.publisher import Publisher
from neuroloop.link.server import PlantServer


def test_a_socket_is_its_owners_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with PlantServer(gymnasium.make("CartPole-v1"), f"ipc://{tmp_path}/plant.ipc"):
            mode = (tmp_path / "plant.ipc").stat().st_mode
            again = os.umask(0)
    finally:
        os.umask(before)
    assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode), again) == (True, 0o600, 0)


def test_a_home_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    made = Publisher(endpoint_of("ipc://~/s/tap.ipc"))
    assert made.url == f"ipc://{tmp_path}/s/tap.ipc"
    assert (tmp_path / "s" / "tap.ipc").is_socket()
    made.close()
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize("mode", [0o700, 0o1777])
def test_a_folder_of_somebody_else_is_refused_also_a_sticky_one(tmp_path: Path, mode: int) -> None:
    if os.geteuid():
        pytest.skip("only root gives folders away")
    folder = tmp_path / "theirs"
    folder.mkdir()
    folder.chmod(mode)
    os.chown(folder, 12345, 12345)
    with pytest.raises(BadInput, match="belongs to somebody else"):
        Publisher(endpoint_of(f"ipc://{folder}/tap.ipc"))
    os.chown(folder, 0, 0)
    Publisher(endpoint_of(f"ipc://{folder}/tap.ipc")).close()
