"""What a study has finished so far: an append-only file of JSON lines, on the disk before the next run begins.

The first line says which suite it belongs to; every session adds a line with its versions, every run a line with its key
and its row. A key stands for everything that a result depends on, so that runs of other settings, versions or code are kept
apart. A line cut short by `kill -9` or a full disk is left behind and its run is done again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import BadInput, NeuroloopError

FORMAT = 1
HEAD = "neuroloop study"  # key of the first line
START = f'{{"{HEAD}'.encode()


class Journal:
    """The finished runs of a suite, by key."""

    def __init__(self, path: Path, suite: str) -> None:
        """Raises `BadInput` for a file that is no journal of the suite, or a place that cannot be written."""
        self.path, self.suite = path, suite
        self.rows: dict[str, dict[str, Any]] = {}
        self.damaged = 0  # lines that could not be read
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a+b"):
                pass
            content = path.read_bytes()
        except OSError as error:
            raise BadInput(f"{path}: cannot be written: {error.strerror}") from None
        self._read(content)

    def begin(self, facts: Mapping[str, Any]) -> None:
        """Note a session: when it began, and what with."""
        self._append({HEAD: self.suite, "format": FORMAT, "began": f"{datetime.now():%Y-%m-%d %H:%M:%S}"} | dict(facts))

    def add(self, key: str, row: dict[str, Any]) -> None:
        """Put a finished run on the disk. Raises `NeuroloopError` if it is full."""
        self._append({"key": key, "row": row})
        self.rows[key] = row

    def others(self, key: str) -> bool:
        """Whether the same task, agent and seed were run with other settings, versions or code."""
        name, _, seed = _parts(key)
        return any(_parts(other)[::2] == (name, seed) and other != key for other in self.rows)

    def _append(self, line: dict[str, Any]) -> None:
        text = json.dumps(line, allow_nan=False).encode() + b"\n"
        try:
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # another bench may write too
                if _torn(file):
                    text = b"\n" + text
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise NeuroloopError(f"{self.path}: cannot be written: {error.strerror}") from None

    def _read(self, content: bytes) -> None:
        lines = [_parsed(text) for text in content.split(b"\n") if text]
        heads = [line for line in lines if _is_head(line)]
        if not heads and not (content.startswith(START) or START.startswith(content)):
            raise BadInput(f"{self.path}: is not a journal of ours; move it away")
        for head in heads:
            self._check(head)
        runs = [line for line in lines if _is_run(line)]
        self.rows = {line["key"]: line["row"] for line in runs}
        self.damaged = len(lines) - len(heads) - len(runs)

    def _check(self, head: dict[str, Any]) -> None:
        if head[HEAD] != self.suite:
            raise BadInput(f"{self.path}: belongs to the suite {head[HEAD]!r}, not to {self.suite!r}; move it away")
        if head.get("format") != FORMAT:
            raise BadInput(
                f"{self.path}: has format {head.get('format')!r}, this version reads {FORMAT}; --fresh begins a new one"
            )


def put_aside(path: Path) -> Path | None:
    """Rename a journal, so that a new one can begin; returns its new name."""
    if not path.exists():
        return None
    aside = path.with_name(f"{path.stem}-until-{datetime.now():%Y%m%d-%H%M%S-%f}{path.suffix}")
    return path.rename(aside)


def _torn(file: Any) -> bool:
    """Whether the last line has no end."""
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    torn: bool = file.read(1) != b"\n"
    return torn


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_head(line: Any) -> bool:
    return isinstance(line, dict) and HEAD in line


def _is_run(line: Any) -> bool:
    if not isinstance(line, dict) or not isinstance(line.get("row"), dict):
        return False
    return isinstance(line.get("key"), str) and line["key"].count("/") > 2


def _parts(key: str) -> tuple[str, str, str]:
    """What a key consists of: task and agent, digest, seed."""
    name, digest, seed = key.rsplit("/", 2)
    return name, digest, seed
