"""Where a plant is found: `ipc://PATH` or `tcp://HOST:PORT`, and what may be done there."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import ipaddress
import os
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..errors import BadInput

LONGEST_PATH = 107  # bytes of a UNIX socket's path
EXAMPLES = "such as ipc:///tmp/plant.ipc or tcp://127.0.0.1:5555"
_TCP = re.compile(r"tcp://(\[[^\]]+\]|[^:/]+):(\d+|\*)")


class Endpoint(NamedTuple):
    """A place, checked."""

    url: str
    path: Path | None  # of the socket, for ipc
    loopback: bool  # whether nobody else's machine reaches it


def endpoint_of(url: str, name: str = "endpoint") -> Endpoint:
    """An endpoint, checked. Raises `BadInput` for what is none."""
    if url.startswith("ipc://"):
        return _socket_at(url, name)
    match = _TCP.fullmatch(url)
    if match is None:
        raise BadInput(f"{name}: must be ipc://PATH or tcp://HOST:PORT, {EXAMPLES}, got {url!r}")
    if match[2] != "*" and not 1 <= int(match[2]) <= 65535:
        raise BadInput(f"{name}: a port is a number from 1 to 65535, got {match[2]}")
    return Endpoint(url, None, _is_loopback(match[1].strip("[]")))


def _socket_at(url: str, name: str) -> Endpoint:
    """A socket that is a file, so that its mode says who may come in: Linux's abstract names (`@`) let everybody in."""
    told = url.removeprefix("ipc://")
    if told.startswith("@") or told == "*":
        raise BadInput(f"{name}: needs the path of a file, {EXAMPLES}, got {url!r}")
    try:
        path = Path(told).expanduser()
    except RuntimeError:  # there is no such user
        raise BadInput(f"{name}: whose home is meant in {url!r}? name a path, {EXAMPLES}") from None
    if not path.name or len(os.fsencode(path)) > LONGEST_PATH or "\0" in told:
        raise BadInput(f"{name}: needs a path of at most {LONGEST_PATH} bytes, {EXAMPLES}, got {url!r}")
    return Endpoint(f"ipc://{path}" if told.startswith("~") else url, path, True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def taking(path: Path) -> Iterator[None]:
    """While a socket takes its place, which is its owner's only. Raises `BadInput` where others could put another one there,
    something else lies there, or a socket that somebody serves: ZeroMQ would take its file away."""
    folder = _own_folder(path)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # of two that come at once, one finds the other
        if path.is_socket():
            if _is_served(path):
                raise BadInput(f"ipc://{path}: somebody is served there already; stop it, or name another place")
        elif path.exists():
            raise BadInput(f"ipc://{path}: something that is no socket lies there; name another place")
        before = os.umask(0o077)  # so that nobody comes in before its mode is set
        try:
            yield
        finally:
            os.umask(before)
        path.chmod(0o600)
    finally:
        os.close(folder)


def _is_served(path: Path) -> bool:
    """Whether somebody listens at a socket; a process that was killed leaves one behind where nobody does."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except OSError as error:
            return error.errno not in (errno.ECONNREFUSED, errno.ENOENT)
    return True


def _own_folder(path: Path) -> int:
    """The folder of a socket, opened; it is made, for its owner only, if it is missing. Raises `BadInput`."""
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror}; name another folder for the socket") from None
    trouble = ""
    if found.st_uid not in (0, os.geteuid()):
        trouble = (
            "belongs to somebody else, who could put another socket there; name a folder of your own for the socket"
        )
    elif stat.S_IMODE(found.st_mode) & 0o022 and not found.st_mode & stat.S_ISVTX:
        trouble = "others may write there; chmod 700 it, or name another folder for the socket"
    if trouble:
        os.close(opened)
        raise BadInput(f"{folder}: {trouble}")
    return opened
