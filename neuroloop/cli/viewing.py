"""`neuroloop run --view`: the live view of a run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .request import Request

if TYPE_CHECKING:
    from ..agent import Agent


def check_view(request: Request) -> None:
    """Raise `BadInput` for a view that cannot be."""
    from ..errors import BadInput

    if request.web and not request.view:
        raise BadInput("--web: is where the run is shown; add --view")
    if request.view:
        from ..view.window.window import check_installed

        check_installed()


@contextmanager
def viewing(request: Request, learner: Agent) -> Iterator[None]:
    """Show the run for a while, if the user asked for it; and say where."""
    if not request.view:
        yield
        return
    from ..view.window.beside import PICTURES, viewed
    from ..view.window.window import has_screen

    rate = None if request.realtime else PICTURES  # in real time nobody can wait for a picture, unless they say so
    pictures = rate if request.pictures is None else request.pictures
    with viewed(learner, web=request.web or not has_screen(), pictures=pictures) as where:
        print(f"view        {where}", file=sys.stderr, flush=True)
        yield
