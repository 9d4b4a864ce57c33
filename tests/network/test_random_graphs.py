"""Whatever is put together runs, and runs the same way again: networks that hypothesis makes up."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop import (
    LIF,
    STDP,
    AllToAll,
    AllToOthers,
    Delta,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    Network,
    Normal,
    OneToOne,
    Pairs,
    Poisson,
    Readout,
    ShortTerm,
    Spikes,
    Uniform,
)

N_STEPS = 60  # in all, however they are gathered in control steps
SIZES, DELAYS = st.integers(1, 8), st.sampled_from([0.0, 1e-3, 2e-3, 0.016, 0.1])


@st.composite
def graphs(draw: Any) -> dict[str, Any]:
    """Populations and the projections among them, as plain choices."""
    kinds = st.sampled_from([LIF(), LIF(bias=1.3), Poisson(rate=200.0), Readout(), None])
    populations = draw(st.lists(st.tuples(kinds, SIZES), min_size=1, max_size=4))
    senders = [k for k, (kind, _) in enumerate(populations) if not isinstance(kind, Readout)]
    receivers = [k for k, (kind, _) in enumerate(populations) if isinstance(kind, LIF | Readout)]
    n_projections = draw(st.integers(0, 5)) if senders and receivers else 0
    projections = []
    for _ in range(n_projections):
        pre, post = draw(st.sampled_from(senders)), draw(st.sampled_from(receivers))
        projections.append((pre, post, *draw(wires(populations[pre][1], populations[post][1]))))
    return {"populations": populations, "projections": projections, "seed": draw(st.integers(0, 2**53 - 1))}


@st.composite
def wires(draw: Any, n_pre: int, n_post: int) -> tuple[Any, dict[str, Any]]:
    """Weights and options of a projection that fit together."""
    n = draw(st.integers(0, 12))
    pre, post = (draw(st.lists(st.integers(0, m - 1), min_size=n, max_size=n)) for m in (n_pre, n_post))
    layouts = [AllToAll(), FixedProbability(probability=0.5), FixedOutDegree(n=n_post), FixedInDegree(n=1)]
    layouts += [OneToOne(), AllToOthers()] * (n_pre == n_post) + [Pairs(pre=pre, post=post)] * 2
    layout = draw(st.sampled_from(layouts))
    shared = isinstance(layout, AllToOthers)
    weights = 0.4 if shared else draw(st.sampled_from([0.4, Uniform(low=-0.5, high=1.0), Normal(mean=0.3, sd=0.5)]))
    options: dict[str, Any] = {"layout": layout, "delay": draw(DELAYS), "synapse": Delta(), "bounds": (-1.0, 1.0)}
    kind = draw(st.sampled_from(["still", "tiring"] + ["learns"] * (not shared)))
    if kind == "learns":
        options["plasticity"] = STDP()
    elif isinstance(layout, Pairs) and draw(st.booleans()):
        options["delay"] = np.array(draw(st.lists(DELAYS, min_size=n, max_size=n)), float)
    if kind == "tiring":
        options["short_term"] = ShortTerm()
    return weights, options


def run(graph: dict[str, Any], n_steps: int) -> Any:
    """Spikes of the output, weights and the counters of a run in control steps of so many steps."""
    net = Network(seed=graph["seed"], n_steps=n_steps)
    made = [net.input(n) if kind is None else net.population(kind, n) for kind, n in graph["populations"]]
    for pre, post, weights, options in graph["projections"]:
        net.connect(made[pre], made[post], weights, **options)
    inputs = [one for one in made if one.model is None]
    fires = {one.name: np.random.default_rng(one.n).random((N_STEPS, one.n)) < 0.2 for one in inputs}
    heard = []
    for begin in range(0, N_STEPS, n_steps):
        spikes = {
            name: Spikes.of(*np.nonzero(lines[begin : begin + n_steps]), n_steps) for name, lines in fires.items()
        }
        out = net.run(spikes)
        heard += [out.at(k).tolist() for k in range(n_steps)]
    weights = [one.weights.tolist() for one in net.projections.values()]
    return heard, weights, net.counters._replace(plasticity_events=0)


@given(graphs())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_network_runs_the_same_way_again_and_however_its_steps_are_gathered(graph):
    once = run(graph, 6)
    assert run(graph, 6) == once
    assert run(graph, 1) == once
    assert run(graph, 60) == once
