"""Ctrl-C and SIGTERM as a wish to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Stop:
    """The signal that asked the run to stop, or 0."""

    signal = 0


@contextmanager
def stop_on_signals(then: Callable[[], None] | None = None) -> Iterator[Stop]:
    """Note the first SIGINT or SIGTERM, and call `then`; a second one acts as usual."""
    stop = Stop()
    before: dict[int, Any] = {}

    def restore() -> None:
        for which, handler in before.items():
            signal.signal(which, handler)

    def note(number: int, frame: object) -> None:
        stop.signal = number
        restore()
        if then is not None:
            then()

    for which in (signal.SIGINT, signal.SIGTERM):
        before[which] = signal.signal(which, note)
    try:
        yield stop
    finally:
        restore()
