"""Which format a file has: told by its first bytes where it is read, by its name where it is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ...errors import BadInput, unknown
from . import aedat4, hdf5
from .evt import Evt2Writer, Evt3Writer, EvtReader
from .npy import MAGIC, NpyReader, NpyWriter
from .source import Source, Target


class Format(NamedTuple):
    """How a format is recognised and made."""

    suffixes: tuple[str, ...]
    write: Callable[[Path, int, int, Path], Target]  # where, width, height, and what to call it in errors
    about: str


FORMATS = {
    "npy": Format((".npy",), NpyWriter, "NumPy records"),
    "hdf5": Format((".h5", ".hdf5"), hdf5.Hdf5Writer, "HDF5, columns compressed by lzf"),
    "aedat4": Format((".aedat4",), aedat4.Aedat4Writer, "AEDAT 4.0, compressed by lz4"),
    "evt3": Format((".raw",), Evt3Writer, "Prophesee RAW"),
    "evt2": Format((), Evt2Writer, "Prophesee RAW, older"),
}
READERS: dict[bytes, Callable[[Path], Source]] = {
    MAGIC: NpyReader,
    hdf5.MAGIC: hdf5.Hdf5Reader,
    aedat4.MAGIC: aedat4.Aedat4Reader,
    b"% ": EvtReader,
}


def open_source(path: Path) -> Source:
    """Open a file to read from. Raises `BadInput` for what is no event file."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
        for magic, reader in READERS.items():
            if head.startswith(magic):
                return reader(path)
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror or error}") from None
    if head.startswith(b"#!AER-DAT") and head[9:12] != b"4.0":
        raise BadInput(f"{path}: is AEDAT {head[9:12].decode('latin-1')}; of AEDAT, only version 4.0 is read")
    got = repr(head[:8]) if head else "an empty file"
    raise BadInput(f"{path}: not an event file: expected .npy, HDF5, AEDAT4 or EVT2/EVT3 RAW, got {got}")


def format_of(path: Path, name: str | None) -> Format:
    """The format to write a file in. Raises `BadInput` for an unknown one."""
    if name is not None:
        if name not in FORMATS:
            raise BadInput(unknown("event format", str(name), FORMATS))
        return FORMATS[name]
    suffix = path.suffix.lower()
    for known in FORMATS.values():
        if suffix in known.suffixes:
            return known
    suffixes = [suffix for known in FORMATS.values() for suffix in known.suffixes]
    raise BadInput(
        f"{path}: the name of an event file ends in one of {', '.join(suffixes)}, got {suffix or 'no ending'!r}"
    )
