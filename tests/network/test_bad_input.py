"""Whatever cannot be is refused where it is handed in, by an error of neuroloop's that names the part: never by numpy's."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

import neuroloop as nl
from neuroloop import ConfigError, Network, NeuroloopError, Pairs, Uniform
from neuroloop.network.parameters import Range

NAN, INF = float("nan"), float("inf")
NEVER = [
    NAN,
    INF,
    -INF,
    1e300,
    "1.0",
    "x",
    b"1",
    True,
    [True],
    [1.0, 2.0],
    [[1.0]],
    [],
    {},
    object(),
    1j,
    [[1], [1, 2]],
]


def bad_values(hint: Any) -> list[Any]:
    """What a field of this type must not be."""
    optional = type(None) in get_args(hint)
    if optional:
        hint = get_args(hint)[0]
    if get_origin(hint) is Annotated:
        allowed = next(meta for meta in get_args(hint) if isinstance(meta, Range))
        below = (
            [] if np.isinf(allowed.low) else [allowed.low - 1.0, -1e-9 if allowed.low == 0.0 else allowed.low - 1e-9]
        )
        above = [] if np.isinf(allowed.high) else [allowed.high + 1.0]
        return NEVER + below + above + [allowed.low] * allowed.above + [1e-60] * allowed.above + [None] * (not optional)
    if get_origin(hint) is Literal:
        return ["nonsense", "", None, 3, True, NAN, ["all"], object()]
    if hint is bool:
        return ["yes", 2, None, 1.0, NAN, [True]]
    if hint is int:
        return [-1, 1.0, "1", None, True, NAN, INF, [1], 10**30, object()]
    return []


def cases(*models: Any) -> list[Any]:
    """Every field of every model, with everything that it must not be."""
    return [
        pytest.param(model, field, bad_values(hint), id=f"{type(model).__name__}-{field}")
        for model in models
        for field, hint in get_type_hints(type(model), include_extras=True).items()
        if field in model.__struct_fields__ and bad_values(hint)
    ]


def spoilt(model: Any, field: str, value: Any) -> Any:
    """The model with another value of a field. Constructors check nothing."""
    return type(model)(**{name: getattr(model, name) for name in model.__struct_fields__} | {field: value})


def refuses(where: str, call: Any, values: Any) -> None:
    """`call` of each value is refused by a message that begins with the place and says what was expected."""
    for value in values:
        with np.errstate(all="raise"), pytest.raises(NeuroloopError) as refused:
            call(value)
        said = str(refused.value)
        assert said.startswith(where), (value, said)
        assert any(word in said for word in ("must", "needs", "unknown", "expected", "did you mean")), (value, said)


def ends(net: Network) -> tuple[Any, Any]:
    return net.input(4, "pre"), net.population(nl.LIF(), 4, "post")


def connect(**options: Any) -> Any:
    net = Network()
    return net.connect(*ends(net), name="wire", **options)


MODELS = [
    nl.LIF(), nl.ALIF(), nl.AdEx(), nl.StochasticLIF(), nl.Readout(), nl.Izhikevich(), nl.Poisson(), nl.Regular(),
]  # fmt: skip
SYNAPSES = [nl.Exponential(), nl.Exponential(reversal=0.0), nl.Alpha(), nl.Alpha(reversal=-1.0)]
LAYOUTS = [
    nl.FixedProbability(probability=0.5), nl.FixedOutDegree(n=2), nl.FixedInDegree(n=2),
    nl.Convolution(shape=(1, 2, 2), kernel=np.ones((1, 1, 1, 1))),
]  # fmt: skip


@pytest.mark.parametrize(("model", "field", "bad"), cases(*MODELS))
def test_models_of_neurons(model, field, bad):
    net = Network(dt=1e-4)
    net.population(model, 3, "fine")
    refuses(f"cells.{field}: ", lambda value: net.population(spoilt(model, field, value), 3, "cells"), bad)


@pytest.mark.parametrize(("model", "field", "bad"), cases(*SYNAPSES))
def test_synapses(model, field, bad):
    connect(synapse=model)
    refuses(f"wire.synapse.{field}: ", lambda value: connect(synapse=spoilt(model, field, value)), bad)


@pytest.mark.parametrize(("model", "field", "bad"), cases(*LAYOUTS))
def test_layouts(model, field, bad):
    connect(layout=model)
    refuses(f"wire.layout.{field}: ", lambda value: connect(layout=spoilt(model, field, value)), bad)


@pytest.mark.parametrize(("model", "field", "bad"), cases(nl.STDP(), nl.TripletSTDP(), nl.RSTDP()))
def test_rules_of_plasticity(model, field, bad):
    connect(plasticity=model)
    refuses(f"wire.plasticity.{field}: ", lambda value: connect(plasticity=spoilt(model, field, value)), bad)


@pytest.mark.parametrize(("model", "field", "bad"), cases(nl.ShortTerm()))
def test_short_term_plasticity(model, field, bad):
    refuses(f"wire.short_term.{field}: ", lambda value: connect(short_term=spoilt(model, field, value)), bad)


@pytest.mark.parametrize(("model", "field", "bad"), cases(nl.FixedPoint(), nl.Memristive()))
def test_devices(model, field, bad):
    plastic = {"plasticity": nl.STDP(), "bounds": (0, 1)}
    connect(device=model, **plastic)
    refuses(f"wire.device.{field}: ", lambda value: connect(device=spoilt(model, field, value), **plastic), bad)


@pytest.mark.parametrize(("model", "field", "bad"), cases(Uniform(), nl.Normal()))
def test_distributions_of_weights(model, field, bad):
    refuses(f"wire.weights.{field}: ", lambda value: connect(weights=spoilt(model, field, value)), bad)


@pytest.mark.parametrize(
    ("model", "field", "bad"),
    cases(nl.Normalise(total=1.0), nl.Scaling(target=5.0), nl.ThresholdAdaptation(target=5.0)),
)
def test_homeostasis(model, field, bad):
    net = Network()
    pre, post = ends(net)
    wire = net.connect(pre, post, plasticity=nl.STDP(), name="wire")
    target = post if isinstance(model, nl.ThresholdAdaptation) else wire
    net.adjust(model, target)
    refuses(target.name, lambda value: net.adjust(spoilt(model, field, value), target), bad)


def test_modulators_of_plasticity_come_from_the_same_network():
    strangers = ["dopamine", 1.0, Network().modulator("m", 4), Network()]
    refuses("wire.plasticity.modulator: ", lambda value: connect(plasticity=nl.RSTDP(modulator=value)), strangers)
    refuses("wire.plasticity.error: ", lambda value: connect(plasticity=nl.PES(error=value)), [*strangers, None])


def test_networks():
    refuses("dt: ", lambda value: Network(dt=value), [*NEVER, 0.0, -1e-3, 1e-7, 2.0, None])
    refuses("n_steps: ", lambda value: Network(n_steps=value), [0, -1, 1.0, "1", None, True, NAN, 10**6, [1]])
    refuses("seed: ", lambda value: Network(seed=value), [-1, 2**53, 0.0, "1", None, True, NAN, [1]])


def test_sizes():
    net, sizes = Network(), [0, -1, 2.0, "2", None, True, NAN, [2], 2**31, 10**30]
    refuses("cells.n: ", lambda n: net.population(nl.LIF(), n, "cells"), sizes)
    refuses("eyes.n: ", lambda n: net.input(n, "eyes"), sizes)
    refuses("dopamine.n: ", lambda n: net.modulator("dopamine", n), sizes)


def test_currents():
    net, bad = Network(), [*NEVER, [1.0, NAN, 1.0], [[1.0] * 3], np.ones(4)]
    refuses("cells.current: ", lambda value: net.population(nl.LIF(), 3, "cells", current=value), bad)


def test_delays():
    pairs = Pairs(pre=[0, 1, 2], post=[0, 1, 2])
    refuses("wire.delay: ", lambda value: connect(delay=value), [*NEVER, -0.1, [0.0] * 4, [0.1] * 16])
    refuses(
        "wire.delay: ",
        lambda value: connect(delay=value, layout=pairs),
        [*NEVER, [0.0, NAN, 0.0], [0.0] * 4, [0, 0, -1]],
    )
    not_multiples_or_endless = [0.0015, 1e-7, 1.0005, 1e7, 1e30, [0.001, 0.0, 0.0005]]
    refuses("wire.delay: must be ", lambda value: connect(delay=value, layout=pairs), not_multiples_or_endless)


@pytest.mark.parametrize("layout", [nl.AllToAll(), nl.OneToOne(), nl.AllToOthers(), *LAYOUTS, Pairs(pre=[1], post=[2])])
def test_weights(layout):
    bad = [
        NAN,
        INF,
        1e300,
        "1.0",
        "x",
        True,
        None,
        {},
        object(),
        1j,
        [[1], [1, 2]],
        np.ones((3, 4)),
        ["a"] * 4,
        [True] * 4,
    ]
    bad += [np.full((4, 4), NAN), [NAN], [1e39] * 4, [[[1.0]]]]
    refuses("wire.weights: ", lambda value: connect(weights=value, layout=layout), bad)
    wire = connect(weights=0.5, layout=layout, bounds=(0, 1))
    if not isinstance(layout, nl.Convolution):  # whose kernel cannot be changed
        refuses("wire.weights: ", lambda value: setattr(wire, "weights", value), [*bad, -0.1, 1.1])


def test_bounds_and_signs():
    bad = [*(value for value in NEVER if value != [1.0, 2.0]), None, (0, 1, 2), (NAN, 1), (1, 0), (1, 1), ("a", "b")]
    refuses("wire.bounds: ", lambda value: connect(bounds=value), bad)
    refuses("wire.sign: ", lambda value: connect(sign=value), ["both", "", 1, True, NAN, ["excitatory"], np.ones(3)])


def test_probabilities():
    refuses("wire.probability: ", lambda value: connect(probability=value), [*NEVER, -0.1, 1.1])


def test_values_that_are_set_between_runs():
    net = Network()
    cells, dopamine = net.population(nl.LIF(), 3, "cells", current=0.0), net.modulator("dopamine", 3)
    bad = [
        NAN,
        INF,
        1e300,
        "x",
        True,
        None,
        {},
        object(),
        1j,
        [[1], [1, 2]],
        np.ones(2),
        np.ones((2, 3)),
        [1.0, NAN, 1.0],
    ]
    for variable in ("v", "current", "v_th"):
        refuses(f"cells.{variable}: ", lambda value, v=variable: cells.__setitem__(v, value), bad)
    refuses("dopamine.value: ", lambda value: setattr(dopamine, "value", value), bad)
    refuses("seconds: ", net.simulate, [*NEVER, None, -1.0, 0.0005, 1e18])


def test_unknown_and_missing_parameters_are_named_with_the_closest_match():
    with pytest.raises(ConfigError, match=r"^LIF: unknown parameter 'tau_mm': did you mean 'tau_mem'\?"):
        nl.LIF(tau_mm=0.01)
    with pytest.raises(ConfigError, match=r"^Normalise: Missing required argument 'total'"):
        nl.Normalise()
    with pytest.raises(ConfigError, match=r"^Delta: Extra positional arguments provided"):
        nl.Delta(0.005)
