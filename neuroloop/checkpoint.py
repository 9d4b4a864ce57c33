"""Checkpoints: a zip of the agent's TOML, one JSON and `.npy` arrays. Never pickle: reading one runs nothing.

A file of the final name is always whole (`whole_file.py`).
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import CheckpointError
from .whole_file import beside, replacing, sweep

FORMAT = 1
CONFIG, FACTS, ARRAYS = "agent.toml", "facts.json", "arrays/"
SPACES = ("observation_space", "action_space")
MOST_BYTES = 4 << 30  # of all members, unpacked
MOST_TEXT = 1 << 20  # bytes of the TOML or the JSON
PATIENCE = 10.0  # s for what writes on for a run that was killed
BLOCK = 1 << 16  # bytes packed at a time
ZIP64 = 1 << 30  # bytes of an array from which a zip needs longer numbers


class Checkpoint(NamedTuple):
    """What a file holds."""

    toml: str
    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically. Raises `CheckpointError` if the place cannot be written."""
    with _said(path), replacing(path) as file:
        _write_to(file, checkpoint)


def check_place(path: Path) -> None:
    """Make the folder of a checkpoint to come, and clear away what killed processes left there.

    Raises `CheckpointError` if nothing could be written.
    """
    with _said(path):
        sweep(path, PATIENCE)
        with beside(path):
            pass


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    """What the disk refuses, in words; the folder is made if missing."""
    if path.exists() and not path.is_file():
        raise CheckpointError(f"{path}: cannot be written: is not a file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be written: {error.strerror}") from None


def _write_to(file: Any, checkpoint: Checkpoint) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(CONFIG, checkpoint.toml)
        archive.writestr(FACTS, json.dumps({"format": FORMAT} | checkpoint.facts, indent=1, allow_nan=False))
        for name, array in checkpoint.arrays.items():
            with archive.open(f"{ARRAYS}{name}.npy", "w", force_zip64=array.nbytes > ZIP64) as member:
                _write_array(member, array)


def _write_array(member: IO[bytes], array: NDArray[Any]) -> None:
    """Block by block: packing lets other threads go on, and what lies between is short."""
    array = np.asarray(array, order="C")
    np.lib.format.write_array_header_1_0(member, np.lib.format.header_data_from_array_1_0(array))
    whole = array.reshape(-1).view(np.uint8)
    for start in range(0, whole.size, BLOCK):
        member.write(whole[start : start + BLOCK].data)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises `CheckpointError`, saying what is wrong with the file."""
    with _opened(path) as archive:
        return Checkpoint(*_texts(archive, path), _arrays(archive))


def read_facts(path: Path) -> tuple[str, dict[str, Any]]:
    """The configuration and the facts of a checkpoint, without its arrays. Raises `CheckpointError`."""
    with _opened(path) as archive:
        return _texts(archive, path)


def parse(content: bytes, name: str) -> Checkpoint:
    """The checkpoint in the bytes of a file, which errors call `name`. Raises `CheckpointError`."""
    with _opened(name, io.BytesIO(content)) as archive:
        return Checkpoint(*_texts(archive, name), _arrays(archive))


@contextlib.contextmanager
def _opened(path: Path | str, content: IO[bytes] | None = None) -> Iterator[zipfile.ZipFile]:
    """A checkpoint's zip; what is wrong with it is said."""
    try:
        with zipfile.ZipFile(content or path) as archive:
            yield archive
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


def _texts(archive: zipfile.ZipFile, path: Path | str) -> tuple[str, dict[str, Any]]:
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
    return archive.read(CONFIG).decode(), facts


def _arrays(archive: zipfile.ZipFile) -> dict[str, NDArray[Any]]:
    arrays = {}
    for name, info in {info.filename: info for info in archive.infolist()}.items():
        if name.startswith(ARRAYS) and name.endswith(".npy"):
            with archive.open(name) as member:
                arrays[name.removeprefix(ARRAYS).removesuffix(".npy")] = _read_array(member, info.file_size)
    return arrays


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


@functools.cache
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
