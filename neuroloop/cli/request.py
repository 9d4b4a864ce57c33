"""What the user asked `run` for, and the command that says it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

WITH_VALUES = (
    "env", "connect", "keys", "server_key", "events_from", "camera_key", "events", "steps", "episodes", "checkpoint_every",
    "record", "tap", "pictures", "tensorboard",
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


def command_to_go_on(request: Request, checkpoint: Path, seed: int) -> str:
    """The command that goes on from where a run was stopped, up to what was asked for."""
    left = request._replace(agent=None, env=None, events=None, settings=(), record=None)
    return command_of(left._replace(resume=checkpoint), seed)


class Session(NamedTuple):
    """What one call of `run` did."""

    first_step: int
    wall: float  # s
    interrupted: bool
