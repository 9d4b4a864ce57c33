"""All kinds of figures by name, and which of them a run's files permit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import BadInput, unknown
from .learning import Statistic, plot_learning_curve
from .raster import plot_raster
from .runs import Run
from .signals import plot_signals
from .style import Printed, Width
from .timing import plot_timing
from .trajectory import plot_trajectory
from .weights import plot_weights

ARGUMENTS = "first", "last", "names", "only", "against"  # errors that begin so
OF_CHECKPOINTS = "learning", "weights"


class Wanted(NamedTuple):
    """What to show of what there is."""

    first: int = 0  # control steps
    last: int | None = None
    names: Sequence[str] = ()  # of signals, dimensions, or inputs and populations
    against: bool = False
    statistic: Statistic = "iqm"
    title: str = ""
    width: Width | None = None  # None: as the figure itself has it


def _size(wanted: Wanted) -> dict[str, Any]:
    return {"title": wanted.title} | ({} if wanted.width is None else {"width": wanted.width})


def _window(wanted: Wanted) -> dict[str, Any]:
    return {"first": wanted.first, "last": wanted.last} | _size(wanted)


def _learning(runs: Sequence[Run], wanted: Wanted) -> Printed:
    return plot_learning_curve(list(runs), statistic=wanted.statistic, **_size(wanted))


def _weights(runs: Sequence[Run], wanted: Wanted) -> Printed:
    if len(runs) > 2:
        raise BadInput(f"weights: are compared between two checkpoints, got {len(runs)}")
    *before, after = [_checkpoint(run) for run in runs]
    if not before and runs[0].recording is not None:
        before = [runs[0].recording]
    return plot_weights(after, before[0] if before else None, **_size(wanted))


def _raster(runs: Sequence[Run], wanted: Wanted) -> Printed:
    return plot_raster(_recording(runs), only=list(wanted.names) or None, **_window(wanted))


def _signals(runs: Sequence[Run], wanted: Wanted) -> Printed:
    return plot_signals(_recording(runs), *wanted.names, **_window(wanted))


def _timing(runs: Sequence[Run], wanted: Wanted) -> Printed:
    return plot_timing(_recording(runs), **_window(wanted))


def _trajectory(runs: Sequence[Run], wanted: Wanted) -> Printed:
    return plot_trajectory(_recording(runs), *wanted.names, against=wanted.against, **_window(wanted))


KINDS: Mapping[str, Callable[[Sequence[Run], Wanted], Printed]] = {
    "learning": _learning, "weights": _weights, "raster": _raster, "signals": _signals, "trajectory": _trajectory,
    "timing": _timing,
}  # fmt: skip


def draw(what: str, runs: Sequence[Run], wanted: Wanted) -> Printed:
    """The figure of a name. Raises `BadInput`, also where the files do not hold what it needs."""
    check(what)
    try:
        return KINDS[what](runs, wanted)
    except BadInput as error:
        raise type(error)(_with_file(str(error), what, runs)) from None


def _with_file(why: str, what: str, runs: Sequence[Run]) -> str:
    """With the file that is meant, unless that is said, or an argument is what is wrong."""
    if len(runs) != 1 or why.partition(":")[0] in ARGUMENTS:
        return why
    path, saved, recording = runs[0][:3]
    file = path if what in OF_CHECKPOINTS or recording is None else recording
    return why if why.startswith(tuple(f"{one}:" for one in (path, saved, recording))) else f"{file}: {why}"


def check(what: str) -> None:
    """Raise `BadInput` for a name that no figure has."""
    if what not in KINDS:
        raise BadInput(f"--what: {unknown('figure', what, KINDS)}")


def draw_all(runs: Sequence[Run], wanted: Wanted) -> tuple[dict[str, Printed], dict[str, str]]:
    """Every figure that the files permit by name, and why the others cannot be."""
    figures, missing = {}, {}
    for what in KINDS:
        try:
            figures[what] = draw(what, runs, wanted)
        except BadInput as error:
            missing[what] = str(error)
    return figures, missing


def by_reason(missing: Mapping[str, str]) -> dict[str, list[str]]:
    """Names of figures that cannot be, by why."""
    found: dict[str, list[str]] = {}
    for name, why in missing.items():
        found.setdefault(why, []).append(name)
    return found


def _recording(runs: Sequence[Run]) -> Path:
    if len(runs) > 1:
        raise BadInput(f"shows one recording, got {len(runs)} runs; name one")
    if runs[0].recording is None:
        raise BadInput(f"{runs[0].path}: holds no recording (.mcap); `neuroloop run … --record FILE.mcap` makes one")
    return runs[0].recording


def _checkpoint(run: Run) -> Path:
    if run.checkpoint is None:
        raise BadInput(f"{run.path}: holds no checkpoint (.zip), and so no weights at its end")
    return run.checkpoint
