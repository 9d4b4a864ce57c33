"""Which decoder goes with which action space, and from a decoder's table to its parts: the only place that knows all kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from gymnasium import Space

from ..errors import ConfigError
from ..graph import Graph
from ..network.decision.lif import Population
from ..settings import (
    Choosing,
    DecoderConfig,
    FirstSpike,
    LeakyIntegrator,
    LinearReadout,
    PopulationVector,
    Pwm,
    Rate,
    Softmax,
    WarmUp,
)
from .actions import ActionCode, code_of, code_of_switches, code_of_values
from .currents import Currents
from .first_spike import add_first_spike
from .leaky_integrator import add_leaky_integrator
from .levels import add_levels
from .limits import Stage, add_stage
from .linear_readout import add_linear_readout
from .population_vector import add_population_vector
from .pwm import add_pwm
from .rate import add_rate
from .winner_take_all import Selection, add_selection, reach

Make = Callable[[int, int], Population]  # the population of a dimension, for so many groups


class Decoding(NamedTuple):
    """A population that a decoder reads, and who explores in it."""

    population: Population
    selection: Selection | None
    currents: Currents | None
    reach: float = 1.0  # what multiplies the bounds of weights onto it
    sigma: float = 1.0  # of the currents
    stage: Stage | None = None  # what comes after it


def code_for(config: DecoderConfig | Softmax, space: Space[Any]) -> ActionCode:
    """How a decoder makes actions of a space. Raises `UnsupportedSpace` if it cannot, `ConfigError` for idle limits."""
    match config:
        case PopulationVector():
            return code_of_values(space, config.levels)
        case Rate() | LeakyIntegrator():
            return code_of_values(space, 2)
        case LinearReadout():
            return code_of_values(space, 2, together=True)
        case Pwm():
            code = code_of_switches(space)
        case _:
            code = code_of(space, config.levels)
    if isinstance(config, Softmax) or config.limits is None:
        return code
    if code.values is None:
        raise ConfigError(f"decoder.limits: does nothing for {space}, whose actions have no size; leave it out")
    return code._replace(decode=code.values.maker(), staged=True)


def add_decoder(
    graph: Graph, config: DecoderConfig, warm_up: WarmUp, code: ActionCode, make: Make
) -> tuple[Decoding, ...]:
    """Add a decoder and the populations that it reads, which `make` adds."""
    stage, made = None, []
    if code.staged and code.values is not None:
        stage = add_stage(graph, config.limits, code.values, warm_up, isinstance(config, Choosing))
    for d, groups in enumerate(code.groups):
        population = make(d, groups)
        if isinstance(config, Choosing):
            selection = _add_selection(graph, config, warm_up, code, population, d)
            if stage is not None and code.values is not None:
                add_levels(graph, selection, code.values, stage, d)
            wider = reach(groups, config.spread) if code.ordered else 1.0
            made.append(Decoding(population, selection, None, wider, stage=stage))
        else:
            currents = _add_reader(graph, config, warm_up, population, stage, d, groups)
            made.append(Decoding(population, None, currents, sigma=config.noise, stage=stage))
    return tuple(made)


def _add_selection(
    graph: Graph, config: Choosing, warm_up: WarmUp, code: ActionCode, population: Population, d: int
) -> Selection:
    groups = code.groups[d]
    if not isinstance(config, FirstSpike):
        return add_selection(graph, str(d), config, warm_up, population, groups, code.ordered)
    values = code.values
    silent = 0 if values is None else int(np.argmin(np.abs(values.levels(groups)[:, d] - values.rest[d])))
    return add_first_spike(graph, str(d), config, warm_up, population, groups, code.ordered, silent)


def _add_reader(
    graph: Graph,
    config: PopulationVector | Rate | LeakyIntegrator | Pwm | LinearReadout,
    warm_up: WarmUp,
    population: Population,
    stage: Stage | None,
    d: int,
    groups: int,
) -> Currents:
    if isinstance(config, Pwm):
        return add_pwm(graph, str(d), config, warm_up, population, stage, d)
    assert stage is not None, "only switches do without values"
    match config:
        case PopulationVector():
            return add_population_vector(graph, str(d), config, population, groups, stage, d)
        case Rate():
            return add_rate(graph, str(d), config, population, stage, d)
        case LeakyIntegrator():
            return add_leaky_integrator(graph, str(d), config, population, stage, d)
        case LinearReadout():
            return add_linear_readout(graph, config, population, stage)
