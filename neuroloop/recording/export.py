"""Recordings as files that others read: tables, datasets, events, films. Never written over what is there already."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ..errors import RecordingError, unknown
from ..whole_file import folder_beside, settle, sweep
from .reader import Recording

KINDS = {  # module, function and ending of each
    "npz": ("tables", "to_npz", ".npz"),
    "csv": ("tables", "to_csv", ".csv"),
    "parquet": ("parquet", "to_parquet", ".parquet"),
    "minari": ("minari", "to_minari", ".minari"),
    "aedat4": ("films", "to_aedat4", ".aedat4"),
    "gif": ("films", "to_gif", ".gif"),
    "mp4": ("films", "to_mp4", ".mp4"),
}


def export(path: str | Path, to: str, out: str | Path | None = None) -> Path:
    """Export a recording to one of `KINDS`; by default beside it, with another ending.

    Raises `RecordingError` for what does not hold what is wanted, or where it cannot be written; `MissingExtra` where a
    library is missing.
    """
    if to not in KINDS:
        raise RecordingError(unknown("kind of file", to, KINDS))
    module, function, ending = KINDS[to]
    recording = Recording(path)
    target = recording.path.with_suffix(ending) if out is None else Path(out)
    if target.exists():
        raise RecordingError(f"{target}: is there already; name another one")
    write: Callable[[Recording, Path], None] = getattr(import_module(f".exporting.{module}", __package__), function)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        with folder_beside(target) as folder:
            write(recording, folder / target.name)
            settle(folder / target.name, target)
    except FileExistsError:
        raise RecordingError(f"{target}: is there already; name another one") from None
    except OSError as error:
        raise RecordingError(f"{target}: cannot be written: {error.strerror or error}") from None
    return target
