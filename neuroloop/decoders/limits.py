"""The output stage: a command becomes what the actuator is asked for, within bounds that hold whatever the network does.

For each dimension, in this order, with rest r (0, or what the action space has nearest to it) and the action before a':

    deadband   |x − r| < b: x ← r
    amplitude  x ← clip(x, r − m, r + m), and the bounds of the action space
    slew       x ← clip(x, a' − s, a' + s), with a' = r where an episode begins

so slew has the last word: on its way to a command, an action passes through the deadband. A decoder's command is kept, so
what is random in the warm-up is limited too. Whole numbers are rounded last, and may change by up to one more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._numba import inline, kernel, places
from ..errors import ConfigError
from ..graph import Arena, Graph, Mode, Phase
from ..rows import HEAD, uniform
from ..settings import ClockConfig, Limits, WarmUp
from .actions import Values

NO_LIMIT = 1e300  # finite, as all of a checkpoint is


class Stage(NamedTuple):
    """Row of an output stage for `n` dimensions. Arrays are f8[n]."""

    n: int
    command: int  # what a decoder asks for
    action: int  # what comes of it
    low: int  # bounds of the action space
    rest: int
    high: int
    least: int  # and of the amplitude
    most: int
    deadband: int
    step: int  # most change in a control step
    persistence: int  # f4, of random commands
    stream: int
    redraw_stream: int


at = places(Stage)


@inline
def value_of(x, low, rest, high):  # type: ignore[no-untyped-def]
    """Where x ∈ [−1, 1] lies between the bounds, 0 being rest: a pull one way, and the other."""
    x = min(max(x, -1.0), 1.0)
    return rest + x * (high - rest) if x > 0.0 else rest + x * (rest - low)


@kernel
def babble(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Random commands, or those of before."""
    if f8[HEAD.first] != 0.0 or uniform(f8, row[at.redraw_stream], 0) >= f4[row[at.persistence]]:
        for d in range(row[at.n]):
            low, high = f8[row[at.low] + d], f8[row[at.high] + d]
            share = float(uniform(f8, row[at.stream], d))
            f8[row[at.command] + d] = (1.0 - share) * low + share * high


@kernel
def limit(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """From commands to actions."""
    for d in range(row[at.n]):
        x, rest = f8[row[at.command] + d], f8[row[at.rest] + d]
        if abs(x - rest) < f8[row[at.deadband] + d]:
            x = rest
        x = min(max(x, f8[row[at.least] + d]), f8[row[at.most] + d])
        before = rest if f8[HEAD.first] != 0.0 else f8[row[at.action] + d]
        f8[row[at.action] + d] = min(max(x, before - f8[row[at.step] + d]), before + f8[row[at.step] + d])


def numbers_of(limits: Limits | None, values: Values, clock: ClockConfig) -> dict[str, NDArray[np.float64]]:
    """`least`, `most`, `deadband` and `step` of each dimension. Raises `ConfigError`."""
    asked = limits or Limits()
    if asked.slew is not None and asked.step is not None:
        raise ConfigError("decoder.limits: either slew, a second, or step, a control step; not both")
    slew, step = (_each(getattr(asked, key), key, values.low.size) for key in ("slew", "step"))
    step = np.minimum(slew * clock.period, step)
    if not (step > 0.0).all():
        raise ConfigError("decoder.limits: slew and step must be above 0, or nothing would ever move")
    amplitude, rest = _each(asked.amplitude, "amplitude", values.low.size), values.rest
    least, most = np.maximum(values.low, rest - amplitude), np.minimum(values.high, rest + amplitude)
    if values.whole:
        least, most = np.ceil(least), np.floor(most)
    deadband = _each(asked.deadband, "deadband", values.low.size)
    farthest = np.minimum(np.maximum(values.high - rest, rest - values.low), amplitude)
    _check_room(asked, np.floor(farthest) if values.whole else farthest, deadband)
    return {"least": least, "most": most, "deadband": deadband, "step": np.minimum(step, NO_LIMIT)}


def _check_room(asked: Limits, reach: NDArray[np.float64], deadband: NDArray[np.float64]) -> None:
    """Raise `ConfigError` where an action could not leave rest, or only in one jump; `reach`: how far it may go."""
    if asked.amplitude is not None and not (reach > 0.0).all():
        raise ConfigError(f"decoder.limits.amplitude: leaves no action but rest, got {asked.amplitude}; make it larger")
    if (deadband > reach).any():
        d = int(np.argmax(deadband - reach))
        raise ConfigError(
            f"decoder.limits.deadband: must be at most {reach[d]:g}, as far as dimension {d} goes from rest, "
            f"got {deadband[d]:g}; make it smaller, or the amplitude larger"
        )


def _each(value: float | tuple[float, ...] | None, key: str, n: int) -> NDArray[np.float64]:
    if isinstance(value, tuple) and len(value) != n:
        raise ConfigError(f"decoder.limits.{key}: must be one number or {n}, one for each dimension, got {len(value)}")
    return np.broadcast_to(np.asarray(NO_LIMIT if value is None else value, np.float64), (n,)).copy()


def add_stage(graph: Graph, limits: Limits | None, values: Values, warm_up: WarmUp, chosen: bool) -> Stage:
    """Add the output stage; `chosen`: commands come from selections, which do their own babbling."""
    n, rest = values.low.size, values.rest
    stage = Stage(
        n=n, command=graph.f8(n, rest, Arena.TRANSIENT), action=graph.f8(n, rest, Arena.TRANSIENT),
        low=graph.f8(n, values.low), rest=graph.f8(n, rest), high=graph.f8(n, values.high),
        **{key: graph.f8(n, numbers) for key, numbers in numbers_of(limits, values, graph.clock).items()},
        persistence=graph.f4(1, warm_up.persistence, Arena.LASTING), stream=graph.stream("decoder.babble"),
        redraw_stream=graph.stream("redraw"),
    )  # fmt: skip
    graph.name("decoder.command", "f8", stage.command, (n,))
    graph.name("decoder.action", "f8", stage.action, (n,))
    for symbol in (stage.low, stage.rest, stage.high, stage.least, stage.most, stage.deadband, stage.step):
        graph.constant("f8", symbol, n)
    part = graph.part(stage)
    if not chosen:
        graph.call(Phase.COMPETE, babble, part, Mode.WARM_UP)
    graph.call(Phase.LIMIT, limit, part, Mode.ACT | Mode.LOOK | Mode.WARM_UP)
    return stage
