"""The tap of a run: what it publishes while it goes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .request import Request

if TYPE_CHECKING:
    from ..agent import Agent


@contextmanager
def tapped(request: Request, learner: Agent) -> Iterator[None]:
    """Publish every tick for a while, if the user asked for it; and say where, and how it went."""
    from ..errors import BadInput

    if request.tap is None:
        if request.pictures is not None and not request.view:
            raise BadInput("--pictures: are published by a tap, or shown by a view; add --tap ENDPOINT or --view")
        yield
        return
    from ..link.telemetry.tap import Tap
    from ..view.window.beside import rendering

    with (
        rendering(learner.env, request.pictures is not None),
        Tap(request.tap, learner, pictures=request.pictures, keys=request.keys) as tap,
        learner.watched(tap),
    ):
        if request.pictures is not None and not tap.pictures:
            raise BadInput(f"--pictures: {learner.env_id} gives none here; {_how(request)}, or leave --pictures out")
        print(f"tapped at {tap.url}", file=sys.stderr, flush=True)
        yield
    full = f"; a reader's queue ran full {tap.overflows} times" if tap.overflows else ""
    print(f"tap         {tap.ticks} ticks told{full}", file=sys.stderr)


def _how(request: Request) -> str:
    if request.connect is not None:
        return "serve it with `--set render_mode=rgb_array`, in lockstep"
    return "give it a mode in which it does, `--set plant.arguments.render_mode=rgb_array`"
