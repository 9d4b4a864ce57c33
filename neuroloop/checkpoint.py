"""Checkpoints: a zip of the agent's TOML, one JSON and `.npy` arrays. Never pickle: reading one runs nothing.

Written to a temporary name, flushed to the disk and renamed, so that a file of the final name is always whole.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import CheckpointError

FORMAT = 1
CONFIG, FACTS, ARRAYS = "agent.toml", "facts.json", "arrays/"
SPACES = ("observation_space", "action_space")
MOST_BYTES = 4 << 30  # of all members, unpacked
MOST_TEXT = 1 << 20  # bytes of the TOML or the JSON


class Checkpoint(NamedTuple):
    """What a file holds."""

    toml: str
    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically. Raises `CheckpointError` if the place cannot be written."""
    with _file_beside(path) as file:
        _write_to(file, checkpoint)
        file.flush()
        os.fsync(file.fileno())
        Path(file.name).chmod(0o666 & ~_umask())
        Path(file.name).replace(path)


def check_place(path: Path) -> None:
    """Make the folder of a checkpoint to come. Raises `CheckpointError` if none could be written there."""
    with _file_beside(path):
        pass


@contextlib.contextmanager
def _file_beside(path: Path) -> Iterator[Any]:
    """A temporary file in the folder of `path`, which is made if missing; gone afterwards unless it was renamed."""
    if path.exists() and not path.is_file():
        raise CheckpointError(f"{path}: cannot be written: is not a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write_to(file: Any, checkpoint: Checkpoint) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(CONFIG, checkpoint.toml)
        archive.writestr(FACTS, json.dumps({"format": FORMAT} | checkpoint.facts, indent=1, allow_nan=False))
        for name, array in checkpoint.arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, array, allow_pickle=False)
            archive.writestr(f"{ARRAYS}{name}.npy", buffer.getvalue())


def read(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises `CheckpointError`, saying what is wrong with the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read_from(archive, path)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from None
    except (
        zipfile.BadZipFile,
        EOFError,
        ArithmeticError,
        ValueError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        SyntaxError,
    ) as error:
        raise CheckpointError(f"{path}: not a neuroloop checkpoint, or damaged: {error}") from None
    except zipfile.zlib.error as error:  # type: ignore[attr-defined]
        raise CheckpointError(f"{path}: damaged: {error}") from None
    except MemoryError:
        raise CheckpointError(f"{path}: does not fit into memory") from None


def _read_from(archive: zipfile.ZipFile, path: Path) -> Checkpoint:
    members = {info.filename: info for info in archive.infolist()}
    size = sum(info.file_size for info in members.values())
    if size > MOST_BYTES:
        raise CheckpointError(f"{path}: would unpack to {size} bytes, more than {MOST_BYTES}")
    for name in (CONFIG, FACTS):
        if name not in members:
            raise CheckpointError(f"{path}: not a neuroloop checkpoint: {name} is missing")
        if members[name].file_size > MOST_TEXT:
            raise CheckpointError(
                f"{path}: {name} would unpack to {members[name].file_size} bytes, more than {MOST_TEXT}"
            )
    facts = json.loads(archive.read(FACTS))
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise CheckpointError(f"{path}: has a format that this version does not read (it reads {FORMAT})")
    arrays = {}
    for name in members:
        if name.startswith(ARRAYS) and name.endswith(".npy"):
            with archive.open(name) as member:
                arrays[name.removeprefix(ARRAYS).removesuffix(".npy")] = _read_array(member, members[name].file_size)
    return Checkpoint(archive.read(CONFIG).decode(), facts, arrays)


def _read_array(member: Any, size: int) -> NDArray[Any]:
    """Read one array, whose header may not promise more than the member holds."""
    version = np.lib.format.read_magic(member)
    if version != (1, 0):
        raise ValueError(f"array of unknown version {version}")
    try:
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(member, max_header_size=10_000)
    except Exception as error:  # NumPy parses it as Python, in more than one way
        raise ValueError(f"array with an unreadable header: {error}") from None
    if dtype.hasobject or dtype.kind not in "biuf" or fortran:
        raise ValueError(f"array of kind {dtype} is not accepted")
    count = math.prod(shape)
    if min(shape, default=0) < 0 or count * dtype.itemsize > size:
        raise ValueError(f"array of shape {shape} does not fit into {size} bytes")
    data = member.read(count * dtype.itemsize)
    return np.frombuffer(data, dtype, count).reshape(shape).copy()


def facts_of_versions() -> dict[str, str]:
    """Versions that bit-exactness depends on."""
    import platform
    from importlib.metadata import version

    names = ("neuroloop", "numpy", "numba", "gymnasium")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def facts_of_spaces(env: Any) -> dict[str, str]:
    """What an agent has to find again where it is put on another environment."""
    return {name: str(getattr(env, name)) for name in SPACES}


def check_spaces(facts: Mapping[str, Any], env_id: str, env: Any) -> None:
    """Raise `CheckpointError` unless another environment has the spaces of the one that an agent was trained on."""
    trained_on, spaces = facts.get("env"), facts_of_spaces(env)
    for name in SPACES:
        if name not in facts:
            raise CheckpointError(f"was trained on {trained_on}, not on {env_id}, and does not say what spaces it had")
        if facts[name] != spaces[name]:
            raise CheckpointError(
                f"was trained on {trained_on}, not on {env_id}: its {name} was {facts[name]}, and is {spaces[name]}"
            )


def require(facts: Mapping[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    """A fact of the right type. Raises `CheckpointError`."""
    value = facts.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise CheckpointError(f"{FACTS}: {name}: is missing or of the wrong type, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise CheckpointError(f"{FACTS}: {name}: must be finite, got {value!r}")
    return value


def require_count(facts: Mapping[str, Any], name: str) -> int:
    """A fact that counts something. Raises `CheckpointError`."""
    value: int = require(facts, name, int)
    if not 0 <= value < 2**53:
        raise CheckpointError(f"{FACTS}: {name}: must be from 0 to 2**53 - 1, got {value}")
    return value
