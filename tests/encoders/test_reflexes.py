"""Afferents of a joint and the decoders' pairs: each index is one muscle, and a reflex onto itself brings the joint to rest."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import LIF, Delta, Network, Pairs, decoders, encoders

DT, N_STEPS = 1e-3, 20
SPACE = spaces.Dict({name: spaces.Box(-1.0, 1.0, (1,), np.float64) for name in "qvf"})
RANGES = {"kind": "fixed", "low": [-1.0, -1.0, -1.0], "high": [1.0, 1.0, 1.0]}
AFFERENTS = {"kind": "spindle", "on": ["q"], "velocity": ["v"], "load": ["f"], "margin": 0.5, "max_rate": 1000.0}
TO_ITSELF, TO_THE_OTHER = [0, 2, 1, 3], [2, 0, 3, 1]  # motor neurons: two of the agonist, two of the antagonist


@pytest.mark.parametrize(
    ("state", "muscle"),
    [
        ((-0.9, 0.0, 0.0), 0), ((0.9, 0.0, 0.0), 1), ((0.0, -0.5, 0.0), 0), ((0.0, 0.5, 0.0), 1), ((0.0, 0.0, 0.5), 0),
        ((0.0, 0.0, -0.5), 1),
    ],
    ids=["q low", "q high", "moves down", "moves up", "pulls up", "pulls down"],
)  # fmt: skip
def test_the_first_of_each_pair_belongs_to_the_muscle_that_pulls_up(state, muscle):
    """It is long where q is low, stretched by motion down, and pulls with positive torque; the second is its opposite."""
    encoder = encoders.make(AFFERENTS | {"normalise": RANGES}, SPACE, n_steps=100)
    spikes = encoder.encode({name: [x] for name, x in zip("qvf", state, strict=True)})
    pairs = np.bincount(spikes.ids[: spikes.n], minlength=encoder.n).reshape(4, 2)
    more = pairs[:, muscle] - pairs[:, 1 - muscle]
    assert (more >= -1).all(), "a phase of its own may give the other muscle one spike more"
    assert more.sum() > 20


def joint(posts: list[int], q: float, v: float, n_ticks: int = 150) -> np.ndarray:
    """Where a frictionless joint (1 kg m², at most 10 N m) is, control step by control step, under its stretch reflex."""
    table = {"senses": ["position", "velocity"], "on": ["q"], "velocity": ["v"], "kind": "spindle", "max_rate": 1000.0}
    encoder = encoders.make(table | {"normalise": {"kind": "fixed", "low": [-1.0, -5.0], "high": [1.0, 5.0]}}, SPACE)
    decoder = decoders.make({"kind": "rate", "full_rate": 500.0}, spaces.Box(-10.0, 10.0, (1,), np.float64), neurons=2)
    net = Network(dt=DT, n_steps=N_STEPS)
    afferents, motor = net.input(encoder.n), net.population(LIF(tau_mem=0.005), decoder.n_inputs)
    net.connect(afferents, motor, 2.0, synapse=Delta(), layout=Pairs(pre=[0, 1, 2, 3], post=posts))
    encoder.reset(0)
    decoder.reset(0)
    seen = []
    for _ in range(n_ticks):
        torque = float(decoder.decode(net.run(encoder.encode({"q": [q], "v": [v], "f": [0.0]})))[0])
        for _ in range(N_STEPS):
            v += torque * DT
            q = float(np.clip(q + v * DT, -1.0, 1.0))
        seen.append(q)
    return np.array(seen)


@pytest.mark.parametrize(("q", "v"), [(0.6, 0.0), (-0.6, 0.0), (0.0, 1.5), (0.0, -1.5)])
def test_a_stretch_reflex_wired_one_to_one_brings_the_joint_to_rest(q, v):
    """Afferents of the agonist drive the group that pulls towards positive q: negative feedback."""
    path = joint(TO_ITSELF, q, v)
    assert np.abs(path[:25]).max() > 0.1, "it was away"
    assert np.abs(path[-50:]).max() < 0.05
    assert np.ptp(path[-50:]) < 0.03


def test_wired_to_the_other_muscle_it_runs_into_its_limit():
    assert joint(TO_THE_OTHER, 0.2, 0.0)[-1] == 1.0
    assert joint(TO_THE_OTHER, -0.2, 0.0)[-1] == -1.0
