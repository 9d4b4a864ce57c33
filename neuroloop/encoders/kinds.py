"""All kinds of encoders: from what an agent senses to parts of its network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph import Graph
from ..network.decision.cells import CellSource
from ..network.decision.source import Source
from ..settings import (
    BurstCode,
    Conjunctive,
    Gaussian,
    LatencyCode,
    PhaseCode,
    RateCode,
    Rhythm,
    SendOnDelta,
    Spindles,
)
from ..walk import MOST
from .burst import add_burst
from .conjunctive import add_conjunctive
from .delta import add_delta
from .firing import Firing, as_source
from .gaussian import add_tuned
from .hosted import add_played
from .latency import add_latency
from .normaliser import Inputs, add_inputs
from .phase import add_phase
from .rate import add_rate
from .rhythm import add_rhythm
from .senses import Sense, Senses
from .spindle import add_spindles

ADDERS: dict[type[Any], Callable[..., Firing]] = {
    Gaussian: add_tuned,
    RateCode: add_rate,
    LatencyCode: add_latency,
    SendOnDelta: add_delta,
    BurstCode: add_burst,
    PhaseCode: add_phase,
    Rhythm: add_rhythm,
    Spindles: add_spindles,
}
Part = Firing | CellSource


def add_parts(graph: Graph, senses: Senses, memory: int, fires: bool = True) -> dict[str, Part]:
    """Add all encoders to the graph, by name. See `add_conjunctive` for `memory` and `fires`."""
    inputs, added = add_inputs(graph, senses.layout.size), dict[str, Part]()
    for sense in senses.parts:
        added[sense.name] = _add(graph, sense, inputs, memory, fires)
        inputs = inputs.after(sense.layout.size)
    for symbol, ends in ((inputs.low, senses.readings.low), (inputs.high, senses.readings.high)):
        graph.fill("f8", symbol, ends.clip(-MOST, MOST))
    return added


def add_encoder(graph: Graph, senses: Senses, memory: int) -> dict[str, list[Source | CellSource]]:
    """Add all encoders as presynaptic neurons, by the names that projections come from: "encoder", "encoder.NAME".

    Where a projection comes from several, it is as if they were one: their usual drives add up.
    """
    paths = {sense.name: sense.path for sense in senses.parts}
    parts = {
        name: as_source(graph, part, paths[name]) if isinstance(part, Firing) else part
        for name, part in add_parts(graph, senses, memory).items()
    }
    if len(parts) == 1 and "" in parts:
        return {"encoder": list(parts.values())}
    rate = sum(part.usual_drive / part.tau_trace for part in parts.values())
    every: list[Source | CellSource] = [part._replace(usual_drive=rate * part.tau_trace) for part in parts.values()]
    return {"encoder": every} | {f"encoder.{name}": [part] for name, part in parts.items()}


def _add(graph: Graph, sense: Sense, inputs: Inputs, memory: int, fires: bool) -> Part:
    config, layout = sense.config, sense.layout
    if sense.host is not None:
        return add_played(graph, sense.host, getattr(config, "tau_trace", 0.005))
    if isinstance(config, Conjunctive):
        return add_conjunctive(graph, config, layout, memory, fires, inputs, sense.path)
    return ADDERS[type(config)](graph, config, layout, inputs, sense.path)
