"""Every rule on every layout works, or is refused where it is asked for, by a message that names the part."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop.errors import BadInput, ConfigError, DivergedError
from neuroloop.network.devices import FixedPoint, Memristive
from neuroloop.network.layouts import (
    AllToAll,
    AllToOthers,
    Convolution,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    OneToOne,
    Pairs,
)
from neuroloop.network.network import Network
from neuroloop.network.neurons.lif import LIF
from neuroloop.network.neurons.readout import Readout
from neuroloop.network.short_term import ShortTerm
from neuroloop.network.synapses import Delta
from neuroloop.plasticity.pes import PES
from neuroloop.plasticity.rewarded import RSTDP
from neuroloop.plasticity.stdp import STDP, TripletSTDP
from neuroloop.types import Spikes

N = 4
OWN = {
    "all to all": AllToAll(), "one to one": OneToOne(), "by chance": FixedProbability(probability=0.5),
    "in degree": FixedInDegree(n=2), "out degree": FixedOutDegree(n=2), "pairs": Pairs(pre=[0, 0, 3], post=[1, 2, 0]),
}  # fmt: skip
SHARED = {
    "convolution": Convolution(shape=(1, 2, 2), kernel=np.ones((1, 1, 1, 1))), "others": AllToOthers(),
}  # fmt: skip
RULES = {
    "stdp": lambda net: STDP(),
    "triplet": lambda net: TripletSTDP(),
    "multiplicative": lambda net: STDP(dependence="multiplicative", pairs="nearest"),
    "rewarded": lambda net: RSTDP(),
    "modulated": lambda net: RSTDP(modulator=net.modulator("dopamine")),
    "modulated one by one": lambda net: RSTDP(modulator=net.modulator("dopamine", N)),
    "pes": lambda net: PES(error=net.modulator("error", N)),
}
BY_RULE = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@pytest.fixture
def ends():
    """A network with an input and a population of four each."""
    net = Network(n_steps=5)
    return net, net.input(N), net.population(LIF(v_th=0.4), N, name="post")


BUSY = Spikes.of(steps=np.repeat(range(5), N), ids=np.tile(range(N), 5), n_steps=5)


@BY_RULE
@pytest.mark.parametrize("delay", [0.0, 0.003])
@pytest.mark.parametrize("layout", OWN.values(), ids=OWN)
def test_every_rule_works_where_each_synapse_has_a_weight_of_its_own(ends, rule, layout, delay):
    net, pre, post = ends
    plastic = net.connect(
        pre, post, 0.3, layout=layout, delay=delay, synapse=Delta(), plasticity=rule(net), bounds=(0.0, 1.0)
    )
    for name in net.modulators:
        net.modulators[name].value = 1.0
    for _ in range(4):
        net.run(BUSY, reward=1.0)
    assert plastic.weights.size == plastic.pairs[0].size > 0
    assert np.any(plastic.weights != np.float32(0.3))


@BY_RULE
@pytest.mark.parametrize("layout", SHARED.values(), ids=SHARED)
def test_no_rule_works_where_synapses_share_a_weight(ends, rule, layout):
    net, pre, post = ends
    with pytest.raises(ConfigError, match=rf"^plastic: {type(layout).__name__} shares weights among synapses"):
        net.connect(pre, post, 0.3, layout=layout, plasticity=rule(net), bounds=(0.0, 1.0), name="plastic")


@BY_RULE
def test_no_rule_works_with_a_delay_of_each_synapse(ends, rule):
    net, pre, post = ends
    with pytest.raises(ConfigError, match=r"^plastic\.delay: plasticity needs one delay"):
        net.connect(
            pre, post, 0.3, layout=OWN["pairs"], delay=[0.001, 0.002, 0.003], plasticity=rule(net), bounds=(0.0, 1.0),
            name="plastic",
        )  # fmt: skip


@BY_RULE
def test_no_rule_goes_together_with_short_term_plasticity(ends, rule):
    net, pre, post = ends
    with pytest.raises(ConfigError, match=r"^plastic: short-term and long-term plasticity do not go together"):
        net.connect(pre, post, 0.3, plasticity=rule(net), short_term=ShortTerm(), bounds=(0.0, 1.0), name="plastic")


OTHER = Network()
WRONG = {
    "a device without plasticity": (lambda net: {"device": FixedPoint(), "bounds": (0, 1)}, r"\.device: does nothing without"),
    "error-driven learning on a device": (
        lambda net: {"device": FixedPoint(), "bounds": (0, 1), "plasticity": RULES["pes"](net)},
        r"\.device: PES writes float weights only",
    ),
    "a device without bounds": (
        lambda net: {"device": Memristive(), "plasticity": STDP()}, r"\.device: Memristive needs bounds"
    ),
    "a device with one bound": (
        lambda net: {"device": FixedPoint(), "plasticity": STDP(), "bounds": (0, np.inf)}, r"\.device: FixedPoint needs bounds"
    ),
    "no bits": (
        lambda net: {"device": FixedPoint(bits=0), "plasticity": STDP(), "bounds": (0, 1)},
        r"\.device\.bits: must be a whole number from 1 to 16",
    ),
    "negative noise": (
        lambda net: {"device": Memristive(noise=-0.1), "plasticity": STDP(), "bounds": (0, 1)},
        r"\.device\.noise: must be ≥ 0",
    ),
    "multiplicative without bounds": (
        lambda net: {"plasticity": STDP(dependence="multiplicative")}, r"\.bounds: multiplicative STDP needs bounds"
    ),
    "an unknown dependence": (
        lambda net: {"plasticity": STDP(dependence="multiplied")},
        r"\.plasticity\.dependence: unknown choice 'multiplied': did you mean 'multiplicative'",
    ),
    "an unknown schedule": (lambda net: {"plasticity": RSTDP(schedule="eager")}, r"\.plasticity\.schedule: unknown choice"),
    "a modulator of the wrong size": (
        lambda net: {"plasticity": RSTDP(modulator=net.modulator("m", 3))},
        r"\.plasticity\.modulator: has 3 numbers, must have 1 or 4",
    ),
    "an error of the wrong size": (
        lambda net: {"plasticity": PES(error=net.modulator("m", 3))}, r"\.plasticity\.error: has 3 numbers, must have 4"
    ),
    "a modulator of another network": (
        lambda net: {"plasticity": RSTDP(modulator=OTHER.modulator(f"m{len(OTHER.modulators)}"))},
        r"\.plasticity\.modulator: must come from this network",
    ),
    "an error of another network": (
        lambda net: {"plasticity": PES(error=OTHER.modulator(f"m{len(OTHER.modulators)}", N))},
        r"\.plasticity\.error: must come from this network",
    ),
    "a number for a modulator": (
        lambda net: {"plasticity": RSTDP(modulator=1.0)}, r"\.plasticity\.modulator: must come from this network"
    ),
    "laziness for several modulators": (
        lambda net: {"plasticity": RSTDP(modulator=net.modulator("m", N), schedule="lazy")},
        r"\.plasticity\.schedule: 'lazy' needs one modulator",
    ),
    "laziness for late answers": (
        lambda net: {"plasticity": RSTDP(late=True, schedule="lazy")}, r"\.plasticity\.schedule: 'lazy' does not go with late"
    ),
    "a rule faster than the steps": (
        lambda net: {"plasticity": STDP(tau_plus=1e-4)}, r"\.plasticity\.tau_plus: must be ≥ dt"
    ),
    "a name for a rule": (lambda net: {"plasticity": "stdp"}, r"\.plasticity: needs something like STDP"),
    "a rule for a device": (
        lambda net: {"plasticity": STDP(), "device": STDP(), "bounds": (0, 1)}, r"\.device: needs something like FixedPoint"
    ),
    "a rule for short-term plasticity": (lambda net: {"short_term": STDP()}, r"\.short_term: needs ShortTerm"),
}  # fmt: skip


@pytest.mark.parametrize(("what", "message"), WRONG.values(), ids=WRONG)
def test_what_does_not_go_together_is_refused(ends, what, message):
    net, pre, post = ends
    with pytest.raises(ConfigError, match="^plastic" + message):
        net.connect(pre, post, 0.3, name="plastic", **what(net))


TIMES = ("tau_plus", "tau_minus", "tau_elig", "tau_x", "tau_y", "tau")
AMOUNTS = ("a_plus", "a_minus", "a2_plus", "a3_plus", "a2_minus", "a3_minus")


@pytest.mark.parametrize("rule", [STDP, TripletSTDP, RSTDP, PES])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.001, "much", [0.1, 0.2]], ids=str)
def test_parameters_that_cannot_be_are_refused_with_their_path(ends, rule, bad):
    net, pre, post = ends
    modulator = {"error": net.modulator("error", N)} if rule is PES else {}
    for field in (f for f in rule.__struct_fields__ if f in (*TIMES, *AMOUNTS)):
        with pytest.raises(ConfigError, match=rf"^plastic\.plasticity\.{field}: must be"):
            net.connect(pre, post, 0.3, plasticity=rule(**{field: bad}, **modulator), name="plastic")


@pytest.mark.parametrize("field", ["rate", "tau_elig"])
def test_a_rate_may_be_negative_but_not_nan_and_a_time_not_zero(ends, field):
    net, pre, post = ends
    with pytest.raises(ConfigError, match=rf"^plastic\.plasticity\.{field}: must be"):
        net.connect(pre, post, 0.3, plasticity=RSTDP(**{field: np.nan if field == "rate" else 0.0}), name="plastic")
    net.connect(pre, post, 0.3, plasticity=RSTDP(rate=-0.1), name="plastic")


@pytest.mark.parametrize(("field", "bad"), [("u", 1.5), ("u", np.nan), ("tau_rec", 0.0), ("tau_fac", -1.0)])
def test_short_term_parameters_that_cannot_be_are_refused_with_their_path(ends, field, bad):
    net, pre, post = ends
    with pytest.raises(ConfigError, match=rf"^plastic\.short_term\.{field}: must be"):
        net.connect(pre, post, 0.3, short_term=ShortTerm(**{field: bad}), name="plastic")


def test_a_modulator_takes_finite_numbers_of_its_own_shape_only():
    net = Network()
    net.population(LIF(), 1)
    modulator = net.modulator("dopamine", 3)
    for bad in (np.nan, [1.0, 2.0], [np.inf, 0.0, 0.0]):
        with pytest.raises(BadInput, match=r"^dopamine\.value: must be"):
            modulator.value = bad


def test_weights_outside_the_bounds_cannot_be_set(ends):
    net, pre, post = ends
    plastic = net.connect(pre, post, 0.3, plasticity=STDP(), bounds=(0.0, 1.0), name="plastic")
    for bad in (1.5, np.nan, np.full((N, N), -1.0)):
        with pytest.raises(ConfigError, match=r"^plastic\.weights: must"):
            plastic.weights = bad
    assert np.all(plastic.weights == np.float32(0.3))


DIVERGING = {
    "stdp": STDP(a_plus=3e38, a_minus=0.0), "rewarded": RSTDP(rate=1e38, a_plus=1e3, a_minus=0.0),
    "triplet": TripletSTDP(a2_plus=3e38),
}  # fmt: skip


def run_busily(net, n_ticks):
    for _ in range(n_ticks):
        net.run(BUSY, reward=1.0)


@pytest.mark.parametrize("rule", DIVERGING.values(), ids=DIVERGING)
@pytest.mark.parametrize("layout", [AllToAll(), OneToOne()], ids=["dense", "sparse"])
def test_weights_that_grow_beyond_all_bounds_stop_the_run_with_the_name_of_the_projection(ends, rule, layout):
    net, pre, post = ends
    net.connect(pre, post, 0.9, layout=layout, synapse=Delta(), plasticity=rule, name="plastic")
    with pytest.raises(DivergedError, match=r"^plastic: (weights|eligibility) are no longer finite"):
        run_busily(net, 3)


@pytest.mark.parametrize("rule", [STDP(), RSTDP()], ids=["stdp", "rewarded"])
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan], ids=str)
def test_a_weight_overwritten_by_what_is_not_finite_stops_the_control_step_that_sends_it(ends, rule, bad):
    net, pre, post = ends
    plastic = net.connect(pre, post, 0.1, synapse=Delta(), plasticity=rule, name="plastic")
    net.run(BUSY)
    plastic.weights[1, 2] = bad
    net.run()  # nobody sends it
    with pytest.raises(DivergedError, match=r"^plastic: weights are no longer finite"):
        net.run(Spikes.of(steps=[0], ids=[1], n_steps=5))


def test_a_weight_that_is_not_finite_stops_readouts_too(ends):
    net, pre, _ = ends
    readout, error = net.population(Readout(), N), net.modulator("error", N)
    plastic = net.connect(pre, readout, 0.1, plasticity=PES(error=error), name="plastic")
    net.run(BUSY)
    plastic.weights[:] = np.inf
    with pytest.raises(DivergedError, match=r"^plastic: weights are no longer finite"):
        net.run(BUSY)
