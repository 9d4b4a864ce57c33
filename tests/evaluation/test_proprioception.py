"""The figure of proprioceptive encoders measures what it says."""

from __future__ import annotations

import numpy as np

from neuroloop.encoders import make
from neuroloop.encoders.senses import MAKERS
from neuroloop.evaluation.suites import proprioception, sensors
from neuroloop.settings import Conjunctive, Gaussian, OneEncoder


def test_every_compiled_kind_is_measured():
    kinds = {kind.__struct_config__.tag for kind in OneEncoder.__args__ if kind not in MAKERS}
    assert {table["kind"] for table in proprioception.CASES.values()} == kinds


def test_a_tick_costs_what_the_figure_allows():
    """A sanity bound, ten times the target: machines that run tests are busy."""
    values = proprioception.proprio_us(quick=True)
    assert len(values) == 5
    assert 0.1 < min(values) < 30.0
    assert min(proprioception.encode_us("rate", quick=True)) < 30.0


def test_the_typical_case_has_all_senses_and_every_case_a_figure_of_its_own():
    encoder, _ = proprioception._ready(proprioception.TYPICAL)
    assert encoder.n == 4 * 2 * proprioception.N_JOINTS
    figures = [proprioception.figure_of(name) for name in proprioception.CASES]
    assert len(set(figures)) == len(figures)
    assert {"proprio_us", "proprio_gaussian_us", "proprio_send_on_delta_us", "proprio_rate_poisson_us"} <= set(figures)
    assert {*sensors.NO_TARGET} < {*figures}


def test_what_is_measured_spikes():
    for name, table in proprioception.CASES.items():
        encoder, observations = proprioception._ready(name)
        spikes = [encoder.encode(one).n for one in observations[:50]]
        assert np.mean(spikes) >= 1.0, name
        joints = proprioception.N_JOINTS
        assert isinstance(encoder.settings, Conjunctive | Gaussian) or encoder.n >= 2 * joints
        assert make(table, proprioception.SPACE).n == encoder.n
