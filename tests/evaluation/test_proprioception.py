"""The figure of proprioceptive encoders measures what it says."""

from __future__ import annotations

import numpy as np

from neuroloop.encoders import make
from neuroloop.encoders.senses import MAKERS
from neuroloop.evaluation.suites import proprioception
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


def test_what_is_measured_spikes():
    for name, table in proprioception.CASES.items():
        encoder, observations = proprioception._ready(name)
        spikes = [encoder.encode(one).n for one in observations[:50]]
        assert np.mean(spikes) >= 1.0, name
        joints = proprioception.N_JOINTS
        assert isinstance(encoder.settings, Conjunctive | Gaussian) or encoder.n >= 2 * joints
        assert make(table, proprioception.SPACE).n == encoder.n
