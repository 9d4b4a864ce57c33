"""Going on from a checkpoint: with the options that the run had, unless others are given."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .request import Request

if TYPE_CHECKING:
    from ..agent import Agent

KINDS = {
    "steps": int, "episodes": int, "keep_on": bool, "connect": str, "keys": str, "server_key": str, "events_from": str,
    "camera_key": str, "realtime": bool, "fifo": bool, "checkpoint_every": int,
}  # fmt: skip


def options_of(request: Request) -> dict[str, Any]:
    """Those that a resumed run is to have too, as plain JSON. Paths become absolute."""
    given = {name: getattr(request, name) for name in KINDS}
    return {name: str(value.absolute()) if isinstance(value, Path) else value
            for name, value in given.items() if value is not None}  # fmt: skip


def taken_over(request: Request) -> Request:
    """A request to go on, with what its checkpoint says of the run. A limit that was reached counts no more.

    Raises `BadInput`.
    """
    from ..checkpoint import PATIENCE, read_facts, require_count
    from ..errors import BadInput
    from ..whole_file import sweep

    assert request.resume is not None
    if request.settings or request.env or request.events or request.seed is not None:
        raise BadInput(
            "--resume: a checkpoint keeps its settings, environment and seed; leave --set, --env, --events and --seed out"
        )
    sweep(request.resume, PATIENCE)  # what was being written when the run was killed
    _, facts = read_facts(request.resume)
    steps = require_count(facts, "steps")
    if request.steps is not None and request.steps < steps:
        raise BadInput(f"--steps: counts in all, and {request.resume} holds {steps} already")
    known = _known(facts.get("run"))
    for limit, done in (("steps", steps), ("episodes", facts.get("episodes", 0))):
        if known.get(limit, 0) <= done:
            known.pop(limit, None)
    if request.realtime or request.connect is not None:  # another place than before
        for name in ("connect", "keys", "server_key", "events_from", "camera_key", "realtime"):
            known.pop(name, None)
    return request._replace(**{name: value for name, value in known.items() if getattr(request, name) is None})


def _known(options: Any) -> dict[str, Any]:
    """Options of the run, as a checkpoint says them; what is no such thing is left out."""
    if not isinstance(options, dict):
        return {}
    known: dict[str, Any] = {name: value for name, value in options.items() if type(value) is KINDS.get(name)}
    if "keys" in known:
        known["keys"] = Path(known["keys"])
    return known


def say_where(learner: Agent, request: Request) -> None:
    """Where a run goes on, and what it takes to be there."""
    progress = learner.progress
    back = len(progress.actions)
    if back and learner.loop.plant.goes_on:
        how = "; the plant went on meanwhile, so a new episode begins"
    else:
        how = f"; the unfinished one is brought back by its {back} actions" if back else ""
    print(f"goes on from {request.resume}: step {progress.steps}, episode {progress.episode}{how}", file=sys.stderr)
