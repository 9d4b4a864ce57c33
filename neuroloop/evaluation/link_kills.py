"""What becomes of a run over a link when either process is killed at random moments, again and again.

A series is a run of so many kills, and ends with a comparison: a command that was applied twice, or not, or from before a
restart, would leave other bits in the agent than an undisturbed run (`kills.py`).
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from ..errors import NeuroloopError
from .kills import Killed, controller_stops, plant_kills
from .link_processes import folder

Who = Literal["plant", "controller"]
MORE = 300  # steps that a controller does after its last kill


class Kills(NamedTuple):
    """What came of all series."""

    who: Who
    kills: int
    series: int
    wrong: int  # series that ended in other bits
    lost: int  # kills of series that did not go on
    cut: int  # episodes that were lost, of a plant's
    back_s: list[float]  # from a plant's kill until it answered again; from a controller's start until it learned
    why: str  # the first series that did not go on said so


def kills(who: Who, series: int, each: int) -> Kills:
    """So many series of so many kills each."""
    ended, why = list[Killed](), list[str]()
    for seed in range(series):
        with folder() as place:
            try:
                ended.append(KINDS[who](each, place, seed))
            except (NeuroloopError, RuntimeError) as error:
                why.append(str(error))
    back = [s for one in ended for s in one.back_s]
    wrong, cut = sum(not one.same for one in ended), sum(len(one.cut) for one in ended)
    return Kills(who, series * each, series, wrong, len(why) * each, cut, back, why[0] if why else "")


def _plant(each: int, place: Path, seed: int) -> Killed:
    return plant_kills(each, place, seed)


def _controller(each: int, place: Path, seed: int) -> Killed:
    return controller_stops(each, place, MORE, seed, stops=(signal.SIGKILL,))


KINDS: dict[Who, Callable[[int, Path, int], Killed]] = {"plant": _plant, "controller": _controller}
