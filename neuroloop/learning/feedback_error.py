"""Feedback-error learning: the command of an innate controller teaches the network that is to replace it.

An innate controller (Kawato, Furukawa and Suzuki 1987) answers readings of the observation, for each dimension of the action

    u_d = clip(Σ_k g_kd y_kd, ±1)

in units of the action's range, 0 being rest: a proportional-derivative controller, say, whose readings are errors and
velocities. With `reflex` u is added to what the network does, so that the plant is under control from the start; what the
controller still has to do is the error of the network's command for the control step before, and its neuromodulator:

    m_d = u_d  where |u_d| > dead zone

*PES* (MacNeil and Eliasmith 2011) meets it with presynaptic traces, whatever the neurons fired, and *R-STDP* with pairings of
spikes; groups that pull the action down learn the opposite of those that pull it up. Without `reflex` the network acts alone
and u is only the teacher, as the signed error of the lane-keeping literature is (Bing et al. 2018).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space

from .._numba import kernel, places
from ..decoders.limits import Stage
from ..encoders.observation import Layout, join
from ..encoders.selection import layout_of_keys
from ..errors import ConfigError
from ..graph import Graph, Mode, Phase
from ..rows import HEAD
from ..settings import FeedbackError
from .returns import add_returns, clipped

ACTING = Mode.ACT | Mode.LOOK


class Innate(NamedTuple):
    """Row of an innate controller. All are f8."""

    n: int  # dimensions of the action
    terms: int
    readings: int  # f8[terms, n]
    gains: int  # f8[terms, n]
    u: int  # f8[n]
    modulators: int  # f8[n]
    dead_zone: int
    error: int  # mean |u|, for those who watch
    awake: int  # 1 once learning began
    command: int  # f8[n], and so on: see `limits.py`
    low: int
    rest: int
    high: int


at = places(Innate)


@kernel
def answer(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """What the innate controller would do."""
    n, total = row[at.n], 0.0
    for d in range(n):
        u = 0.0
        for k in range(row[at.terms]):
            u += f8[row[at.gains] + k * n + d] * f8[row[at.readings] + k * n + d]
        f8[row[at.u] + d] = clipped(u, 1.0)
        total += abs(f8[row[at.u] + d])
    f8[row[at.error]] = total / n


@kernel
def teach(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Send the neuromodulators; an episode's first control step has no command before it to judge."""
    judges = f8[HEAD.first] == 0.0
    for d in range(row[at.n]):
        u = f8[row[at.u] + d]
        f8[row[at.modulators] + d] = u if judges and abs(u) > f8[row[at.dead_zone]] else 0.0
    f8[row[at.awake]] = 1.0


@kernel
def hush(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """No neuromodulators."""
    for d in range(row[at.n]):
        f8[row[at.modulators] + d] = 0.0


@kernel
def help_out(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Add what the innate controller does to what the network does."""
    for d in range(row[at.n]):
        u, rest = f8[row[at.u] + d], f8[row[at.rest] + d]
        reach = f8[row[at.high] + d] - rest if u > 0.0 else rest - f8[row[at.low] + d]
        f8[row[at.command] + d] += u * reach


def readings_of(config: FeedbackError, space: Space[Any], dimensions: int) -> Layout:
    """The layout of all readings, one term after the other. Raises `ConfigError`."""
    layouts = []
    for name, term in config.feedback.items():
        path = f"learner.feedback.{name}"
        layout = layout_of_keys(space, term.on, f"{path}.on")
        if layout.size != dimensions:
            raise ConfigError(
                f"{path}.on: must name one reading for each of {dimensions} dimensions of the action, got {layout.size}"
            )
        if isinstance(term.gain, tuple) and len(term.gain) != dimensions:
            raise ConfigError(f"{path}.gain: must be one number or {dimensions}, got {len(term.gain)}")
        layouts.append(layout)
    return join([(layout, lambda observation: observation) for layout in layouts])


def add_feedback_error(graph: Graph, config: FeedbackError, readings: int, modulators: int, stage: Stage) -> None:
    """Add the innate controller. Its readings lie at a symbol, and its neuromodulators, one a dimension, go to another."""
    n, terms = stage.n, len(config.feedback)
    add_returns(graph, config.gamma)
    gains = np.array([np.broadcast_to(term.gain, n) for term in config.feedback.values()], np.float64)
    row = Innate(
        n=n, terms=terms, readings=readings, gains=graph.f8(gains.size, gains), u=graph.f8(n), modulators=modulators,
        dead_zone=graph.f8(1, config.dead_zone), error=graph.signal("td_error"), awake=graph.signal("awake"),
        command=stage.command, low=stage.low, rest=stage.rest, high=stage.high,
    )  # fmt: skip
    graph.name("learner.feedback", "f8", row.u, (n,))
    graph.constant("f8", row.gains, gains.size)
    part = graph.part(row)
    graph.call(Phase.SENSE, answer, part, ACTING)
    graph.call(Phase.TEACH, teach, part, Mode.ACT)
    graph.call(Phase.TEACH, hush, part, Mode.TERMINATE | Mode.CLOSE)
    if config.reflex:
        graph.call(Phase.DECODE, help_out, part, ACTING)
