"""What the user asked `run` for, and the command that says it."""

from __future__ import annotations

import shlex
from itertools import count
from pathlib import Path
from typing import NamedTuple

WITH_VALUES = (
    "env", "connect", "keys", "server_key", "events_from", "camera_key", "events", "steps", "episodes", "checkpoint_every",
    "save", "record", "tap", "pictures", "tensorboard",
)  # fmt: skip
FLAGS = "realtime", "fifo", "keep_on", "view", "web"


class Request(NamedTuple):
    """What the user asked `run` for."""

    agent: str | None  # not needed where it goes on from a checkpoint
    env: str | None
    seed: int | None
    settings: tuple[str, ...]
    steps: int | None
    episodes: int | None
    keep_on: bool | None
    resume: Path | None
    events: Path | None = None
    connect: str | None = None
    keys: Path | None = None
    server_key: str | None = None
    tap: str | None = None
    pictures: float | None = None
    events_from: str | None = None
    camera_key: str | None = None
    realtime: bool | None = None
    fifo: bool | None = None
    checkpoint_every: int | None = None  # environment steps; 0: only at the end; None: by the clock
    save: Path | None = None
    record: Path | None = None
    tensorboard: Path | None = None
    view: bool = False
    web: bool = False


def command_of(request: Request, seed: int) -> str:
    """The command that makes the same run again, from scratch or from the same checkpoint."""
    words = ["neuroloop", "run", *([request.agent] if request.agent else [])]
    words += ["--resume", str(request.resume)] if request.resume else ["--seed", str(seed)]
    for name in WITH_VALUES:
        value = getattr(request, name)
        words += [] if value is None else [f"--{name.replace('_', '-')}", str(value)]
    words += [f"--{name.replace('_', '-')}" for name in FLAGS if getattr(request, name)]
    for setting in request.settings:
        words += ["--set", setting]
    return shlex.join(words)


def command_after(request: Request, checkpoint: Path, seed: int, go_on: bool) -> tuple[str, str]:
    """What the command is good for that a report ends with, and the command.

    "go on": from where the run was stopped, up to what was asked for. "again": makes the same run, and overwrites no
    recording. "done by": made it, but cannot any more, since the checkpoint that it began with has gone on itself.
    """
    if not go_on and is_same(request.resume, checkpoint):
        return "done by", command_of(request, seed)
    if request.record is not None:
        request = request._replace(record=free(request.record))
    if not go_on:
        return "again", command_of(request, seed)
    left = request._replace(agent=None, env=None, events=None, settings=(), resume=checkpoint)
    return "go on", command_of(left, seed)


def free(path: Path) -> Path:
    """A name that no file has: run.mcap, run-2.mcap and so on."""
    if not path.exists():
        return path
    names = (path.with_name(f"{path.stem}-{n}{path.suffix}") for n in count(2))
    return next(name for name in names if not name.exists())


def is_same(one: Path | None, other: Path) -> bool:
    """Whether two names are of one file, which may not be there yet."""
    return one is not None and one.resolve() == other.resolve()


class Session(NamedTuple):
    """What one call of `run` did."""

    first_step: int
    wall: float  # s
    interrupted: bool
    saved_step: int | None  # of the checkpoint that is there now
