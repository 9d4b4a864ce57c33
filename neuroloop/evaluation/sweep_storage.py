"""The storage file of a sweep: Optuna's journal, one JSON a line, which one process at a time may write.

Every line is on the disk before the sweep goes on. What `kill -9` leaves behind is put right when the file is opened again:
a lock without an owner, and half of a last line if the machine went down.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from .. import config
from ..checkpoint import facts_of_versions
from ..errors import BadInput
from .sweep_settings import Study

NAME = "sweep"  # of the study in its file
BEGINNING = b'{"op_code"'


class Journal(JournalFileBackend):
    """Optuna's journal, saying where it is when the disk is full."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        try:
            super().append_logs(logs)
        except OSError as error:
            raise _not_written(self._file_path, error) from None


@contextmanager
def open_storage(path: Path) -> Iterator[JournalStorage]:
    """The storage in `path`, made if missing. Raises `BadInput` if it cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise _not_written(path, error) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput(f"{path}: another sweep is writing to this file; give --storage another one") from None
        Path(f"{path}.lock").unlink(missing_ok=True)
        _mend(path)
        yield _journal(path)


def _not_written(path: Path | str, error: OSError) -> BadInput:
    return BadInput(f"{path}: cannot be written: {error.strerror}")


def _mend(path: Path) -> None:
    """Drop half a line at the end. Raises `BadInput` for a file of something else."""
    content = path.read_bytes()
    if content and not content.startswith(BEGINNING[: len(content)]):
        raise BadInput(f"{path}: is not the storage file of a sweep")
    if content and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


def _journal(path: Path) -> JournalStorage:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        return JournalStorage(Journal(str(path)))
    except Exception as error:  # Optuna trusts its files, so anything may come
        raise BadInput(f"{path}: is damaged: {error!r}; keep it aside and give --storage another one") from None


def open_study(storage: JournalStorage, study: Study, path: Path) -> optuna.Study:
    """The trials so far. Raises `BadInput` if they were made with other settings, which would not compare."""
    direction = study.settings.objective.direction
    now = _fingerprint(study)
    try:
        saved = optuna.create_study(storage=storage, study_name=NAME, direction=direction, load_if_exists=True)
    except (ValueError, KeyError) as error:
        raise BadInput(f"{path}: {error}") from None
    then = saved.user_attrs.get("settings")
    if then is None:
        saved.set_user_attr("settings", now)
        saved.set_user_attr("versions", facts_of_versions())
    elif then != now:
        changed = ", ".join(sorted(key for key in then.keys() | now.keys() if then.get(key) != now.get(key)))
        raise BadInput(
            f"{path}: holds trials made with other settings ({changed}), which do not compare; "
            "put them back, or begin anew with another --storage"
        )
    return saved


def _fingerprint(study: Study) -> dict[str, Any]:
    """What must not change between trials that are compared: all but how many there are."""
    settings = msgspec.to_builtins(study.settings)
    kept = {
        key: value for key, value in settings.items() if key not in ("about", "agent", "set", "trials", "env", "search")
    }
    for table in ("env", "search"):
        kept |= {f"{table}.{key}": entry for key, entry in settings[table].items()}
    kept["agent"] = config.to_toml(study.base)
    as_read: dict[str, Any] = json.loads(json.dumps(kept))
    return as_read
