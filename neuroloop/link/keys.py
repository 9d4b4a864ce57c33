"""Keys for links that leave this machine: CURVE (curve25519), by which each side knows the other and nobody else reads along.

A folder, its owner's only, holds an identity and whom it lets in:

    secret.key       our secret key, Z85, mode 0600
    public.key       our public key, which others allow
    allowed/NAME.key public keys of those who may speak to us
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import NamedTuple

import zmq
from zmq.utils import z85

from ..errors import BadInput

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Keys(NamedTuple):
    """An identity and whom it lets in, Z85."""

    public: bytes
    secret: bytes
    allowed: dict[str, bytes]
    folder: Path | None = None  # where they were read


def new(folder: Path) -> bytes:
    """Make an identity; returns its public key. Raises `BadInput` where there is one already."""
    folder = folder.expanduser()
    secret = folder / "secret.key"
    if secret.exists():
        raise BadInput(f"{secret}: is there already; remove it by hand if nobody needs it any more")
    if not zmq.has("curve"):
        raise BadInput("this build of ZeroMQ has no CURVE; install pyzmq from its wheels")
    public_key, secret_key = zmq.curve_keypair()
    while not public_key[:1].isalnum():  # one that begins with "-" would be taken for an option
        public_key, secret_key = zmq.curve_keypair()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secret_key)
        (folder / "public.key").write_bytes(public_key)
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror}; name another folder") from None
    return public_key


def allow(folder: Path, key: str, name: str) -> Path:
    """Let the owner of a public key in. Raises `BadInput` for what is no key, or secret, and for a name that another has."""
    folder, checked = folder.expanduser(), key_of(key, "key")
    place = _place_of(folder, name)
    try:
        if _is_secret_of(checked, folder):
            raise BadInput("key: is our own secret key; nobody else may have it. Give the public key of the other side")
        if place.exists() and _read(place) != checked:
            raise BadInput(
                f"name: {name!r} is somebody else's; `neuroloop keys forget {name}` first, or give another name"
            )
        for made in (folder, place.parent):
            made.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_bytes(checked)
    except OSError as error:
        raise BadInput(f"{place}: {error.strerror}") from None
    return place


def forget(folder: Path, name: str) -> Path:
    """Let the owner of an allowed key in no more; a connection that stands stays. Raises `BadInput` if nobody is."""
    folder = folder.expanduser()
    place = _place_of(folder, name)
    try:
        place.unlink()
    except FileNotFoundError:
        known = ", ".join(path.stem for path in sorted(place.parent.glob("*.key"))) or "nobody"
        raise BadInput(f"name: nobody is allowed as {name!r}; allowed are: {known}") from None
    except OSError as error:
        raise BadInput(f"{place}: {error.strerror}") from None
    return place


def _place_of(folder: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise BadInput(f"name: letters, digits, '.', '_' and '-', got {name!r}")
    return folder / "allowed" / f"{name}.key"


def _is_secret_of(key: bytes, folder: Path) -> bool:
    """Whether it is the secret that belongs to the public key in a folder."""
    public = folder / "public.key"
    return public.is_file() and zmq.curve_public(key) == public.read_bytes().strip()


def read(folder: Path) -> Keys:
    """The identity in a folder. Raises `BadInput` where there is none, or others could read its secret."""
    folder = folder.expanduser()
    secret = folder / "secret.key"
    try:
        mode, others = secret.stat().st_mode, [place for place in (folder, folder / "allowed") if _is_open(place)]
        keys = Keys(
            _read(folder / "public.key"),
            _read(secret),
            _allowed(folder),
            folder,
        )
    except FileNotFoundError:
        raise BadInput(f"{folder}: holds no keys; `neuroloop keys new --folder {folder}` makes them") from None
    except OSError as error:
        raise BadInput(f"{folder}: {error.strerror}") from None
    if mode & 0o077:
        raise BadInput(f"{secret}: others may read it; chmod 600 it")
    if others:
        raise BadInput(f"{others[0]}: others may write there, and let anybody in; chmod 700 it")
    return keys


def _is_open(folder: Path) -> bool:
    return folder.exists() and bool(folder.stat().st_mode & 0o022)


def allowed_now(keys: Keys) -> frozenset[bytes]:
    """Whose keys are allowed by now; files that cannot be read allow nobody."""
    try:
        found = keys.allowed if keys.folder is None else _allowed(keys.folder)
    except (OSError, BadInput):
        return frozenset()
    return frozenset(found.values())


def _allowed(folder: Path) -> dict[str, bytes]:
    return {path.stem: _read(path) for path in sorted((folder / "allowed").glob("*.key"))}


def key_of(text: str, what: str) -> bytes:
    """A Z85 key, or the one in a file, such as a `public.key` that was brought over. Raises `BadInput`; also for a secret."""
    path, is_file = Path(text), False
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # what is no name of a file
        path = path.expanduser()
        is_file = len(text) != 40 and path.is_file()
    if not is_file:
        return _key(text, what)
    try:
        key = _read(path)
        if path.name == "secret.key" or _is_secret_of(key, path.parent):
            raise BadInput(f"{what}: {path} is secret, and its owner's alone; bring over the public.key beside it")
    except OSError as error:
        raise BadInput(f"{what}: {path}: {error.strerror}") from None
    return key


def _key(text: str, what: str) -> bytes:
    key = text.strip()
    try:
        if len(key) == 40 and len(z85.decode(key.encode("ascii"))) == 32:
            return key.encode("ascii")
    except (ValueError, KeyError, UnicodeEncodeError, OverflowError):
        pass
    raise BadInput(f"{what}: must be a key of 40 letters, as `neuroloop keys show` prints it, got {text!r}")


def _read(path: Path) -> bytes:
    return _key(path.read_bytes()[:1000].decode("ascii", "replace"), str(path))
