"""Both forms of R-STDP, inside a whole controller, equal an eager reference that keeps every row and clips every change.

The reference knows which spikes were fired, which action won and what the neuromodulator was; it works out traces, pairings,
eligibility, the predicted policy and weights for itself, in float64, for all presynaptic neurons at every control step.
"""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.decoders.winner_take_all import Selection, level_kernel
from neuroloop.graph import Mode
from neuroloop.network.decision.cells import CELL, CLASS, ROW_FIELDS, SLOT, Cells
from neuroloop.network.decision.dense import Dense
from neuroloop.network.decision.from_cells import FromCells
from neuroloop.plasticity import rstdp, rstdp_cells
from neuroloop.plasticity.rstdp import CAP, DECAY, GAIN, HIGH, LOW, PRE_ONLY, USUAL_TRACE
from neuroloop.plasticity.rstdp_cells import FACTOR, LEAST, MOST, OWED, OWES

STEPS, DECIDE_AT = 20, 10
TRACE_DECAY = np.exp(-1 / 5)


class Projection:
    """Weights and eligibility of all presynaptic neurons, and how they change in a control step."""

    def __init__(self, n_pre, log, rule, graph, selection):
        self.log, self.parameters, self.selection = log, graph.array("f4", rule.parameters, 7), selection
        self.weights, self.eligibility = np.zeros((2, n_pre, rule.n_post))
        self.modulator, self.scale = (graph.array("f8", symbol, 1) for symbol in (rule.modulator, rule.scale))
        self.last_scale, self.n_clipped = 1.0, 0

    def rescale(self):
        self.weights *= self.scale[0] / self.last_scale
        self.last_scale = self.scale[0]

    def pay(self, who):
        """w ← clip(w + g m E)."""
        p = self.parameters.astype(float)
        free = self.weights[who] + p[GAIN] * self.modulator[0] * self.scale[0] * self.eligibility[who]
        self.weights[who] = free.clip(p[LOW], p[HIGH])
        self.n_clipped += np.count_nonzero(free != self.weights[who])

    def pair(self, who, traces, fired, expected):
        """E ← λ E + C, with the credit of a predicted policy if there is a selection."""
        p, e = self.parameters.astype(float), self.eligibility
        gate = np.ones_like(fired)
        if self.selection is not None:
            per_group, winner = self.selection["per_group"], int(self.selection["winner"][0])
            mine = slice(winner * per_group, (winner + 1) * per_group)
            gate = np.zeros_like(fired)
            gate[DECIDE_AT:, mine] = 1.0
        pairings = traces.T @ (fired * gate)
        extra = (traces[-1] > 0.4 * p[USUAL_TRACE])[:, None] * p[PRE_ONLY]
        if self.selection is None:
            e[who] = np.minimum(p[DECAY] * e + pairings + extra, p[CAP])[who]
            return
        policy = expected.reshape(-1, per_group).mean(1) / self.selection["theta"]
        policy = np.exp(policy - policy.max())
        policy /= policy.sum()
        kernel, mean = self.selection["kernel"], pairings[:, mine].mean(1, keepdims=True)
        credit = np.repeat(kernel[:, winner] - kernel @ policy, per_group)
        grown = p[DECAY] * e + mean * credit + extra
        grown[:, mine] += pairings[:, mine] - mean
        e[who] = grown[who]


class DenseReference:
    """All neurons of a Gaussian code onto critic and actor."""

    def __init__(self, graph, selection):
        self.graph, self.rules = graph, graph.rows_of(rstdp.Rule)
        self.wires, self.n_pre = graph.rows_of(Dense), self.rules[0].n_pre
        self.level = graph.array("f4", self.wires[0].level, self.n_pre)
        self.all, self.trace = slice(None), np.zeros(self.n_pre)
        logs = ("critic", "actor[0]")
        self.projections = [
            Projection(self.n_pre, log, rule, graph, chosen)
            for log, rule, chosen in zip(logs, self.rules, (None, selection), strict=True)
        ]
        for projection, drawn in zip(self.projections, self.stored(), strict=True):
            projection.weights[:] = drawn[0]

    def stored(self):
        """Weights and eligibility of the network, for each projection."""
        return [
            (self.graph.array("f4", r.weights, r.n_pre, r.n_post) * p.scale[0],
             self.graph.array("f4", r.eligibility, r.n_pre, r.n_post))
            for r, p in zip(self.rules, self.projections, strict=True)
        ]  # fmt: skip

    def act(self, fresh):
        if fresh:
            self.trace = self.level.astype(float)
        traces = []
        for spikes in self.graph.log("pre"):
            self.trace = self.trace * TRACE_DECAY + spikes
            traces.append(self.trace)
        for projection, wire in zip(self.projections, self.wires, strict=True):
            projection.rescale()
            gain = self.graph.array("f4", wire.gain, 1)[0]
            expected = gain * self.level.astype(float) @ projection.weights
            projection.pay(self.all)
            projection.pair(self.all, np.array(traces), self.graph.log(projection.log), expected)

    def end(self):
        for projection in self.projections:
            projection.rescale()
            projection.pay(self.all)
            projection.eligibility[:] = 0.0

    def check(self, weights_within, eligibility_within):
        for (w, e), projection in zip(self.stored(), self.projections, strict=True):
            np.testing.assert_allclose(w, projection.weights, rtol=0, atol=weights_within)
            np.testing.assert_allclose(e, projection.eligibility, rtol=0, atol=eligibility_within)


class CellsReference(DenseReference):
    """All conjunctive cells onto critic and actor; those without a row have weights that nobody reads."""

    def __init__(self, graph, selection):
        (self.cells,), self.graph = graph.rows_of(Cells), graph
        self.rules, self.wires = graph.rows_of(rstdp_cells.Rule), graph.rows_of(FromCells)
        self.n_pre = n = next(r.rows for r in graph._regions if r.name == "cells.records")
        self.n_slots = self.cells.n_active * (self.cells.memory + 2)
        self.row_of = graph.array("i4", self.cells.row_of, n)
        self.records = graph.array("i4", self.cells.records, n, ROW_FIELDS)
        self.wanted = graph.array("i4", self.cells.wanted, self.cells.n_active)
        self.projections = [
            Projection(n, log, rule, graph, chosen)
            for log, rule, chosen in zip(("critic", "actor[0]"), self.rules, (None, selection), strict=True)
        ]
        self.trace, self.age, self.known = np.zeros(n), np.full(n, -1), np.zeros(n, bool)
        self.step, self.n_paid_late = 0, 0

    def act(self, fresh):
        active = np.isin(np.arange(self.n_pre), self.wanted)
        if fresh:
            self.trace = np.where(active, 1.25, self.trace)
        for projection, wire in zip(self.projections, self.wires, strict=True):
            projection.rescale()
            start = float(self.graph.array("f8", wire.start, 1)[0])
            projection.weights[active & ~self.known] = start
        self.known |= active
        self.age[active] = 0
        live = self.age >= 0
        classes = np.where(active, self.records[self.row_of, CLASS], -1)
        traces = []
        for _ in range(STEPS):
            self.step += 1
            self.trace = self.trace * TRACE_DECAY + (classes == self.step % 4)
            traces.append(self.trace)
        for projection, wire in zip(self.projections, self.wires, strict=True):
            gain = self.graph.array("f4", wire.gain, 1)[0]
            expected = gain * 1.25 * projection.weights[active].sum(0)
            projection.pay(live)
            projection.pair(live, np.array(traces), self.graph.log(projection.log), expected)
        self.trace[self.trace <= 0.05] = 0.0
        self._forget(live & (self.age >= self.cells.memory))
        self.age[self.age >= 0] += 1

    def end(self):
        live = self.age >= 0
        for projection in self.projections:
            projection.rescale()
            projection.pay(live)
        self._forget(live)

    def _forget(self, who):
        for projection in self.projections:
            projection.eligibility[who] = 0.0
        self.trace[who], self.age[who] = 0.0, -1

    def stored(self):
        return [self._stored(rule, projection) for rule, projection in zip(self.rules, self.projections, strict=True)]

    def _stored(self, rule, projection):
        """Weights with what they are owed, and true eligibility, by cell."""
        scale, n = projection.scale[0], rule.n_post
        low, high = projection.parameters[[LOW, HIGH]] / scale
        every = self.graph.array("f4", rule.weights, self.n_pre, n)
        eligible = self.graph.array("f4", rule.eligibility, self.n_slots, n)
        owes = self.graph.array("f4", rule.owes, self.n_slots, OWES)
        weights, eligibility = np.zeros((2, self.n_pre, n))
        for cell in np.flatnonzero(self.known):
            row = self.row_of[cell]
            assert self.records[row, CELL] == cell
            slot, w = self.records[row, SLOT], every[row].astype(float)
            assert (slot >= 0) == (self.age[cell] >= 0)
            if slot >= 0:
                e = eligible[slot].astype(float)
                path = np.multiply.outer(owes[slot, [OWED, MOST, LEAST]], e)
                over = np.maximum(w + path[1:].max(0) - high, 0.0)
                under = np.maximum(low - w - path[1:].min(0), 0.0)
                assert not np.any((over > 0) & (under > 0)), "reflection is exact at one bound only"
                self.n_paid_late += owes[slot, MOST] != owes[slot, LEAST]
                w = (w + path[0] - over + under).clip(low, high)
                eligibility[cell] = owes[slot, FACTOR] * e
            weights[cell] = w * scale
        return weights, eligibility


def drive(controller, reference, n_ticks, weights_within, eligibility_within):
    """Random observations, rewards and ends; the reference follows every control step. Returns the modes that were run."""
    network, rng, modes = controller.network, np.random.default_rng(11), []
    run = network.run

    def run_and_follow(mode, **arguments):
        run(mode, **arguments)
        modes.append(mode)
        if mode is Mode.ACT:
            reference.act(arguments["fresh"])
        elif mode in Mode.TERMINATE | Mode.CLOSE:
            reference.end()
        reference.check(weights_within, eligibility_within)

    network.run, first, position = run_and_follow, True, np.zeros(2)
    for _ in range(n_ticks):
        position = np.clip(position + rng.normal(0.0, 0.15, 2), -1, 1)
        controller.act(position.astype(np.float32), rng.normal(), first=first)
        first = rng.random() < 0.08
        if first:
            controller.finish(position.astype(np.float32), rng.normal(), terminated=bool(rng.random() < 0.5))
    return modes


# bounds of both weights, gains of both rules, value range; narrow bounds are hit often, but not both by one debt
SETTINGS = {
    "wide": ((-6.0, 6.0), (-2.0, 2.0), 0.4, 0.5, "automatic"),
    "narrow": ((-0.4, 0.3), (-0.1, 0.15), 0.12, 0.15, (-3.0, 3.0)),
}
FIXED = {"kind": "fixed", "low": [-1.0, -1.0], "high": [1.0, 1.0]}
ENCODERS = {
    "cells": {"kind": "conjunctive", "modules": 6, "tiles": [3, 5], "dimensions": [0.5, 0.5], "normalise": FIXED},
    "dense": {"kind": "gaussian", "neurons": 7, "width": 0.15, "normalise": FIXED},
}
REFERENCES = {"cells": CellsReference, "dense": DenseReference}


@pytest.mark.parametrize("actions", [spaces.Discrete(3), spaces.Box(-1.0, 1.0, (1,))], ids=["choices", "levels"])
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("form", ["cells", "dense"])
def test_weights_and_eligibility_follow_the_eager_rule(open_controller, small_agent, form, settings, actions):
    value_bounds, policy_bounds, value_gain, policy_gain, value_range = SETTINGS[settings]
    trace = "replacing" if settings == "wide" else "accumulating"
    plain = {"gain": value_gain, "lambda": 0.7, "trace": trace, "pre_only": 0.1}
    predictive = {"gain": policy_gain, "lambda": 0.8, "predictive": True, "pre_only": 0.05}
    agent = small_agent(
        encoder=ENCODERS[form],
        projection={
            "value": {"bounds": value_bounds, "plasticity": plain},
            "policy": {"bounds": policy_bounds, "plasticity": predictive},
        },
        decoder={"levels": 5},
        learner={"value_range": value_range, "gamma": 0.9},
        warm_up={"decisions": 20},
    )
    space = spaces.Box(-1.0, 1.0, (2,))
    controller, graph = open_controller(agent, space, actions, seed=3)
    (chosen,) = graph.rows_of(Selection)
    selection = {
        "per_group": chosen.per_group,
        "winner": graph.array("i4", chosen.winner, 1),
        "theta": 0.83 * 0.3,
        "kernel": level_kernel(chosen.groups, None if isinstance(actions, spaces.Discrete) else 0.15),
    }
    reference = REFERENCES[form](graph, selection)
    # float32 keeps 6e-8 of a number; eligibility is a few tens, weights up to 6, and some hundred changes add up
    modes = drive(controller, reference, n_ticks=250, weights_within=3e-5, eligibility_within=1e-4)
    assert {Mode.ACT, Mode.TERMINATE, Mode.CLOSE} <= set(modes)
    assert (controller.network.signal("value.scale") != 1.0) == (value_range == "automatic")
    for projection in reference.projections:
        assert (projection.n_clipped > 100) == (settings == "narrow")
        assert np.abs(projection.weights).max() > 0.05
    if form == "cells":
        assert reference.n_paid_late > 1000
