"""Pulse-width modulation: an actuator that is only switched, on for as large a share of the time as a pair of groups asks for.

x = (r₊ − r₋) / full_rate, cut to [−1, 1], as `rate.py` has it. Choices of two are *on* for the share (1 + x) / 2. A Box is
at the end that x points to for the share |x|, and at rest for what is left (sign-magnitude drive).

- *sigma-delta*: what was asked for and not given is carried over, and given as soon as it is half a pulse (Inose, Yasuda and
  Murakami 1962): over any time, the sum of what was given differs from what was asked by less than a pulse. No latency.
- *carrier*: x is read once a `cycle` of control steps; pulses come at its start (Holmes and Lipo 2003, regular sampling).

Credit: node perturbation (`currents.py`) with opposite signs in both groups. With a carrier only what was read is credited:
in other control steps the gate is shut.
"""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Arena, Graph, Mode, Phase
from ..network.decision.lif import Population
from ..rows import HEAD, f32, i32, i64, uniform
from ..settings import Pwm, WarmUp
from .currents import Currents
from .limits import Stage
from .rate import add_pair, difference, unit_of

USUAL_CYCLE = 5  # control steps


class Switch(NamedTuple):
    """Row of one dimension."""

    per_group: int
    counts: int  # i4[2, per_group]: plus, then minus
    gate: int  # f4[2, per_group]
    unit: int  # f8: x per spike
    cycle: int  # control steps of a carrier's period; 0: sigma-delta
    owed: int  # f8: what was asked for and not given, or what a carrier's period was asked for
    turn: int  # i4: the control step's number in the carrier's period
    winner: int  # i4: 1 if on, where choices are made
    persistence: int  # f4, of random choices
    stream: int
    redraw_stream: int
    levels: int  # 2: on or off; 3: a Box, with rest between
    command: int  # f8, and so on; of a Box
    low: int
    rest: int
    high: int


at = places(Switch)


@kernel
def begin(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """An episode owes nothing; plasticity pairs what will be read."""
    if f8[HEAD.first] != 0.0:
        f8[row[at.owed]], i4[row[at.turn]] = 0.0, 0
    gate = f32(1.0) if i4[row[at.turn]] == 0 else f32(0.0)
    for i in range(2 * row[at.per_group]):
        f4[row[at.gate] + i] = gate


@kernel
def switch(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """On, off or reversed for this control step."""
    x, owed, cycle = f8[row[at.unit]] * difference(i4, row[at.counts], row[at.per_group]), row[at.owed], row[at.cycle]
    x, out, turn = min(max(x, -1.0), 1.0), 0.0, i64(i4[row[at.turn]])
    if cycle == 0:
        f8[owed] += x
        if row[at.levels] == 2:
            out = 1.0 if f8[owed] >= 0.0 else -1.0
        elif abs(f8[owed]) >= 0.5:
            out = 1.0 if f8[owed] > 0.0 else -1.0
        f8[owed] -= out
    else:
        if turn == 0:
            f8[owed] = x
        share = 0.5 * (1.0 + f8[owed]) if row[at.levels] == 2 else abs(f8[owed])
        on = (turn + 0.5) / cycle < share
        if row[at.levels] == 2:
            out = 1.0 if on else -1.0
        elif on:
            out = 1.0 if f8[owed] > 0.0 else -1.0
        i4[row[at.turn]] = i32((turn + 1) % cycle)
    if row[at.levels] == 2:
        i4[row[at.winner]] = i32(1) if out > 0.0 else i32(0)
    elif out == 0.0:
        f8[row[at.command]] = f8[row[at.rest]]
    else:
        f8[row[at.command]] = f8[row[at.high]] if out > 0.0 else f8[row[at.low]]


@kernel
def babble(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """On or off by lot, or as before."""
    if f8[HEAD.first] != 0.0 or uniform(f8, row[at.redraw_stream], 0) >= f4[row[at.persistence]]:
        i4[row[at.winner]] = i32(uniform(f8, row[at.stream], 0) * f32(2.0))


def add_pwm(
    graph: Graph, name: str, config: Pwm, warm_up: WarmUp, population: Population, stage: Stage | None, d: int
) -> Currents:
    """Add the switch of dimension `d` by the two halves of the population; without a `stage` it chooses on or off."""
    per_group, lasting, cycle = population.n // 2, Arena.LASTING, config.cycle or USUAL_CYCLE
    command, low, rest, high = (0,) * 4 if stage is None else (stage.command, stage.low, stage.rest, stage.high)
    row = Switch(
        per_group=per_group, counts=population.counts, gate=population.gate, unit=unit_of(graph, per_group, config.full_rate),
        cycle=cycle if config.modulation == "carrier" else 0, owed=graph.f8(1, arena=Arena.TRANSIENT),
        turn=graph.i4(1), winner=graph.i4(1), persistence=graph.f4(1, warm_up.persistence, lasting),
        stream=graph.stream(f"{name}.babble"), redraw_stream=graph.stream("redraw"), levels=2 if stage is None else 3,
        command=command + d, low=low + d, rest=rest + d, high=high + d,
    )  # fmt: skip
    graph.index(row.turn, 1, cycle)
    part = graph.part(row)
    if stage is None:
        graph.name(f"selection.{name}.winner", "i4", row.winner, (1,))
        graph.index(row.winner, 1, 2)
        graph.call(Phase.COMPETE, babble, part, Mode.WARM_UP)
    graph.call(Phase.COMPETE, begin, part, Mode.ACT | Mode.LOOK)
    graph.call(Phase.DECODE, switch, part, Mode.ACT | Mode.LOOK)
    return add_pair(graph, name, config, population)
