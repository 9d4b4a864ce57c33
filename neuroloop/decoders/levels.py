"""The level that a selection chose as a command of the output stage, so that its limits hold for choices as well."""

from __future__ import annotations

from typing import NamedTuple

from .._numba import kernel, places
from ..graph import Graph, Mode, Phase
from .actions import Values
from .limits import Stage
from .winner_take_all import Selection


class Chosen(NamedTuple):
    """Row of one dimension."""

    winner: int  # i4
    table: int  # f8[levels]
    command: int  # f8


at = places(Chosen)


@kernel
def look_up(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """The value of the level that won."""
    f8[row[at.command]] = f8[row[at.table] + i4[row[at.winner]]]


def add_levels(graph: Graph, selection: Selection, values: Values, stage: Stage, d: int) -> None:
    """Have the selection command dimension `d` of the action."""
    table = graph.f8(selection.groups, values.levels(selection.groups)[:, d])
    part = graph.part(Chosen(winner=selection.winner, table=table, command=stage.command + d))
    graph.call(Phase.DECODE, look_up, part, Mode.ACT | Mode.LOOK | Mode.WARM_UP)
