"""What is fine by itself but not with the rest: sizes, steps, kinds of parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroloop as nl
from neuroloop import ConfigError, Convolution, Network, Pairs, SpikeTrain
from neuroloop.network.layouts import Layout

NAN = float("nan")


def connect(n_pre: int = 4, n_post: int = 4, dt: float = 1e-3, **options: Any) -> Any:
    net = Network(dt=dt)
    return net.connect(net.input(n_pre), net.population(nl.LIF(), n_post), name="wire", **options)


# -- time constants and steps


@pytest.mark.parametrize(
    "model",
    [
        nl.LIF(tau_mem=9e-4),
        nl.LIF(tau_mem=[0.02, 0.02, 9e-4]),
        nl.ALIF(tau_mem=9e-4),
        nl.ALIF(tau_adapt=9e-4),
        nl.AdEx(tau_w=9e-4),
        nl.StochasticLIF(tau_mem=9e-4),
        nl.Readout(tau_mem=9e-4),
    ],
    ids=lambda model: type(model).__name__,
)
def test_time_constants_of_neurons_are_not_shorter_than_a_step(model):
    with pytest.raises(ConfigError, match=r"^cells\.tau_\w+: must be ≥ dt = 0\.001 s, got 0\.0009 s"):
        Network().population(model, 3, "cells")


@pytest.mark.parametrize(
    "options",
    [
        {"synapse": nl.Exponential(tau=9e-4)},
        {"synapse": nl.Alpha(tau=9e-4)},
        {"short_term": nl.ShortTerm(tau_rec=9e-4)},
        {"short_term": nl.ShortTerm(tau_fac=9e-4)},
        *({"plasticity": nl.STDP(**{tau: 9e-4})} for tau in ("tau_plus", "tau_minus")),
        *({"plasticity": nl.TripletSTDP(**{tau: 9e-4})} for tau in ("tau_plus", "tau_minus", "tau_x", "tau_y")),
        *({"plasticity": nl.RSTDP(**{tau: 9e-4})} for tau in ("tau_plus", "tau_minus", "tau_elig")),
    ],
)
def test_time_constants_of_synapses_and_rules_are_not_shorter_than_a_step(options):
    with pytest.raises(ConfigError, match=r"^wire\.\w+\.tau\w*: must be ≥ dt = 0\.001 s, got 0\.0009 s"):
        connect(**options)


@pytest.mark.parametrize("t_ref", [0.0015, [0.0, 0.001, 0.0005]])
def test_refractory_times_are_multiples_of_a_step(t_ref):
    with pytest.raises(ConfigError, match=r"^cells\.t_ref: must be a multiple of dt"):
        Network().population(nl.LIF(t_ref=t_ref), 3, "cells")


def test_models_say_what_step_and_rate_they_bear():
    with pytest.raises(ConfigError, match=r"^cells: Izhikevich needs dt ≤ 0.5 ms"):
        Network().population(nl.Izhikevich(), 3, "cells")
    with pytest.raises(ConfigError, match=r"^noise\.rate: must be ≤ 1 / dt = 1000 Hz"):
        Network().population(nl.Regular(rate=1001.0), 3, "noise")
    with pytest.raises(ConfigError, match=r"^cells\.v_reset: must be < v_th"):
        Network().population(nl.LIF(v_th=1.0, v_reset=1.0), 3, "cells")
    with pytest.raises(ConfigError, match=r"^cells: parameters do not go together, target is "):
        Network().population(nl.LIF(v_rest=2e38, v_th=3e38, bias=2e38), 3, "cells")


# -- layouts and sizes


@pytest.mark.parametrize(
    ("layout", "says"),
    [
        (nl.OneToOne(), "wire.layout: OneToOne needs populations of one size, got 4 and 5 neurons"),
        (nl.AllToOthers(), "wire.layout: AllToOthers connects a population with itself, got 4 and 5 neurons"),
        (nl.FixedOutDegree(n=6), "wire.layout.n: must be a whole number from 1 to 5, got 6"),
        (nl.FixedInDegree(n=4, autapses=False), "wire.layout.n: must be a whole number from 1 to 3, got 4"),
        (Pairs(pre=[0, 4], post=[0, 1]), "wire.layout.pre: must be whole numbers from 0 to 3, got [0, 4]"),
        (Pairs(pre=[0, 1], post=[0, 5]), "wire.layout.post: must be whole numbers from 0 to 4, got [0, 5]"),
        (Pairs(pre=[0, -1], post=[0, 0]), "wire.layout.pre: must be whole numbers from 0 to 3, got [0, -1]"),
        (Pairs(pre=[0, 1], post=[0]), "wire.layout: pre and post must be lists of one length"),
        (Pairs(pre=0, post=0), "wire.layout: pre and post must be lists of one length"),
        (Pairs(pre=[[0]], post=[[0]]), "wire.layout: pre and post must be lists of one length"),
        (Pairs(pre=[0.5], post=[0]), "wire.layout.pre: must be whole numbers"),
        (Pairs(pre=[NAN], post=[0]), "wire.layout.pre: must be whole numbers"),
        (Pairs(pre=["0"], post=[0]), "wire.layout.pre: must be a number"),
        (Pairs(pre=[True], post=[0]), "wire.layout.pre: must be a number"),
        (Pairs(pre=None, post=[0]), "wire.layout.pre: must be a number, got None"),
        (Layout(), "wire.layout: needs something like OneToOne(), got Layout()"),
        (nl.AllToAll, "wire.layout: needs something like OneToOne(), got <class"),
        (5, "wire.layout: needs something like OneToOne(), got 5"),
    ],
)
def test_layouts_fit_the_populations(layout, says):
    with pytest.raises(ConfigError) as refused:
        connect(4, 5, layout=layout)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"shape": (1, 2, 3)}, "wire.layout.shape: (1, 2, 3) are 6 neurons, pre has 4"),
        ({"shape": (1, -2, -2)}, "wire.layout.shape: must be a whole number from 1 to 4, got -2"),
        ({"shape": (1, 2.0, 2)}, "wire.layout.shape: must be a whole number"),
        ({"shape": (2, 2)}, "wire.layout.shape: must be (channels, height, width), got (2, 2)"),
        ({"shape": None}, "wire.layout.shape: must be (channels, height, width), got None"),
        ({"shape": "122"}, "wire.layout.shape: must be (channels, height, width), got '122'"),
        (
            {"kernel": np.ones((1, 2, 1, 1))},
            "wire.layout.kernel: must be of shape (filters, channels = 1, height, width)",
        ),
        ({"kernel": np.ones((1, 1))}, "wire.layout.kernel: must be of shape"),
        ({"kernel": np.ones((1, 1, 0, 1))}, "wire.layout.kernel: must be of shape"),
        ({"kernel": None}, "wire.layout.kernel: must be a number, got None"),
        ({"kernel": "x"}, "wire.layout.kernel: must be a number, got 'x'"),
        ({"kernel": [[[[NAN]]]]}, "wire.layout.kernel: must be finite"),
        ({"kernel": np.ones((1, 1, 3, 3))}, "wire.layout: gives (1, 0, 0)"),
        ({"stride": 0}, "wire.layout.stride: must be a whole number from 1"),
        ({"stride": 2}, "wire.layout: gives (1, 1, 1), 1 neurons; post has 4"),
        ({"padding": 1}, "wire.layout.padding: must be a whole number from 0 to 0"),
    ],
)
def test_convolutions_fit_the_populations(changes, says):
    good = {"shape": (1, 2, 2), "kernel": np.ones((1, 1, 1, 1))}
    with pytest.raises(ConfigError) as refused:
        connect(layout=Convolution(**{**good, **changes}))
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"times": [0.0], "ids": [3]}, "train.ids: must be whole numbers from 0 to 2"),
        ({"times": [0.0], "ids": [-1]}, "train.ids: must be whole numbers from 0 to 2"),
        ({"times": [0.0], "ids": [0.5]}, "train.ids: must be whole numbers from 0 to 2"),
        ({"times": [-0.1], "ids": [0]}, "train.times: must be ≥ 0 s and finite"),
        ({"times": [NAN], "ids": [0]}, "train.times: must be ≥ 0 s and finite"),
        ({"times": [0.1, 0.2], "ids": [0]}, "train: times and ids must be lists of one length"),
        ({"times": [0.1001, 0.1002], "ids": [0, 0]}, "train.times: a neuron can fire only once within dt"),
        ({"times": None, "ids": [0]}, "train: times and ids must be lists of one length"),
        ({"times": ["x"], "ids": [0]}, "train.times: must be a number"),
        ({"times": [1e300], "ids": [0]}, "train.times: must be < 9.0072e+12 s, got 1e+300 s"),
    ],
)
def test_trains_hold_spikes_that_can_be(given, says):
    with pytest.raises(ConfigError) as refused:
        Network().population(SpikeTrain(**given), 3, "train")
    assert str(refused.value).startswith(says)


# -- kinds of parts


def test_parts_are_of_the_kind_that_is_asked_for():
    for model in (None, "LIF", nl.LIF, nl.Neuron(), nl.Delta(), 5):
        with pytest.raises(ConfigError, match=r"^population: needs something like LIF\(\), got "):
            Network().population(model, 3)
    examples = {"synapse": "Exponential", "plasticity": "STDP", "device": "FixedPoint", "short_term": "ShortTerm"}
    for what, example in examples.items():
        for part in ("x", 5, nl.LIF(), nl.Delta, {}):
            with pytest.raises(ConfigError, match=rf"^wire\.{what}: needs .*{example}\("):
                connect(**{what: part})
    for end in (None, "input", 5):
        with pytest.raises(ConfigError, match="connect: needs two populations of this network"):
            Network().connect(end, end)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"probability": 0.5, "layout": nl.AllToAll()}, "wire: either layout or probability, not both"),
        ({"plasticity": nl.STDP(), "layout": nl.AllToOthers()}, "wire: AllToOthers shares weights"),
        ({"weights": nl.Uniform(), "layout": nl.AllToOthers()}, "wire.weights: AllToOthers shares weights"),
        ({"weights": nl.Uniform(low=1.0, high=0.0)}, "wire.weights.low: must be ≤ high"),
        (
            {"plasticity": nl.STDP(), "short_term": nl.ShortTerm()},
            "wire: short-term and long-term plasticity do not go",
        ),
        ({"device": nl.FixedPoint(), "bounds": (0, 1)}, "wire.device: does nothing without plasticity"),
        ({"plasticity": nl.STDP(), "device": nl.FixedPoint()}, "wire.device: FixedPoint needs bounds"),
        ({"plasticity": nl.STDP(dependence="multiplicative")}, "wire.bounds: multiplicative STDP needs bounds"),
        (
            {"plasticity": nl.STDP(), "layout": Pairs(pre=[0, 1], post=[0, 1]), "delay": [0.0, 0.001]},
            "wire.delay: plasticity needs one delay",
        ),
    ],
)
def test_parts_go_together(options, says):
    with pytest.raises(ConfigError) as refused:
        connect(**options)
    assert str(refused.value).startswith(says)


def test_ends_can_send_and_receive():
    net = Network()
    eyes, cells, readout = net.input(2, "eyes"), net.population(nl.LIF(), 2), net.population(nl.Readout(), 2, "readout")
    noise = net.population(nl.Poisson(), 2, "noise")
    for pre, post, says in (
        (readout, cells, "pre: 'readout' never fires"),
        (cells, eyes, "post: 'eyes' takes no input"),
        (cells, noise, "post: 'noise' takes no input"),
    ):
        with pytest.raises(ConfigError, match=rf"^wire\.{says}"):
            net.connect(pre, post, name="wire")
    with pytest.raises(ConfigError, match=r"^readout: never fires, so it has no spikes to return"):
        net.output(readout)


@pytest.mark.parametrize("rule", [None, "x", nl.STDP(), nl.Scaling])
def test_only_homeostatic_rules_adjust(rule):
    net = Network()
    with pytest.raises(ConfigError, match=r"^adjust: needs a homeostatic rule such as Scaling"):
        net.adjust(rule, net.population(nl.LIF(), 2))
    with pytest.raises(ConfigError, match=r"^ThresholdAdaptation: needs a population with a threshold"):
        net.adjust(nl.ThresholdAdaptation(target=1.0), rule)
