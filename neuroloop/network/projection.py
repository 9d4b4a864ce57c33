"""A projection of a network: what was asked for, checked at once; after building, live views of its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, ConfigError
from .axon import Axon
from .devices import Device
from .layouts import AllToAll, AllToOthers, Convolution, Layout, OneToOne, Pairs, Rows, Sparse
from .neurons.base import Neuron
from .parameters import (
    LARGEST,
    Model,
    NonNegative,
    Number,
    Range,
    checked,
    number,
    numbers,
    one_of,
    slow_enough,
    steps,
)
from .population import Built, Population
from .rule import Rule
from .short_term import ShortTerm
from .synapses import Synapse, check_synapse

if TYPE_CHECKING:
    from .._numba import Kernel
    from .network import Network


class Uniform(Model, frozen=True, kw_only=True):
    """Weights drawn evenly from [low, high)."""

    low: Number = 0.0
    high: Number = 1.0


class Normal(Model, frozen=True, kw_only=True):
    """Weights drawn from a normal distribution."""

    mean: Number = 0.0
    sd: NonNegative = 1.0


Sign = Literal["excitatory", "inhibitory"]


class Asked(NamedTuple):
    """What `Network.connect` was asked for."""

    pre: Population
    post: Population
    weights: Any
    delay: Any
    layout: Layout
    synapse: Synapse
    plasticity: Rule | None
    short_term: ShortTerm | None
    device: Device | None
    bounds: tuple[float, float]
    sign: Sign | None


class Projection:
    """Synapses from one population to another."""

    def __init__(self, network: Network, name: str, asked: Asked) -> None:
        self.network, self.name = network, name
        _check_kinds(name, asked)
        asked.layout.check(f"{name}.layout", asked.pre.n, asked.post.n)
        check_synapse(asked.synapse, f"{name}.synapse", network.dt)
        if not asked.pre.fires:
            raise ConfigError(f"{name}.pre: {asked.pre.name!r} never fires")
        if not isinstance(asked.post.model, Neuron):
            raise ConfigError(f"{name}.post: {asked.post.name!r} takes no input")
        self.asked = asked._replace(bounds=_bounds(name, asked))
        self.delay_steps = steps(_delays(name, asked), network.dt, f"{name}.delay")
        _check_weights(name, self.asked)
        self._check_parts()
        self.rows: Rows | None = None
        self.wired: Wired | None = None
        self.settler: tuple[Kernel, int] | None = None

    def _check_parts(self) -> None:
        name, asked = self.name, self.asked
        plastic = [part for part in (asked.plasticity, asked.device) if part is not None]
        if plastic and isinstance(asked.layout, Convolution | AllToOthers):
            kind = type(asked.layout).__name__
            raise ConfigError(f"{name}: {kind} shares weights among synapses, so they cannot change one by one")
        if plastic and self.delay_steps.ndim:
            raise ConfigError(f"{name}.delay: plasticity needs one delay for all synapses, got an array")
        if asked.plasticity is not None:
            asked.plasticity.check(name, asked, self.network.dt)
            slow_enough(checked(asked.plasticity, f"{name}.plasticity"), self.network.dt, f"{name}.plasticity")
        elif asked.device is not None:
            raise ConfigError(f"{name}.device: does nothing without plasticity; leave it out")
        if asked.short_term is not None:
            if asked.plasticity is not None:
                raise ConfigError(f"{name}: short-term and long-term plasticity do not go together on one projection")
            slow_enough(checked(asked.short_term, f"{name}.short_term"), self.network.dt, f"{name}.short_term")
        if asked.device is not None:
            asked.device.check(f"{name}.device", asked.bounds)

    def __repr__(self) -> str:
        return f"Projection({self.name!r}, {self.asked.pre.name!r} -> {self.asked.post.name!r})"

    @property
    def weights(self) -> NDArray[np.float32]:
        """A live view of the weights, brought up to date: (n_pre, n_post), (n,) or (n_synapses,) as `pairs` lists them."""
        return self.network.view(f"{self.name}.weights", settled=True)

    @weights.setter
    def weights(self, value: Any) -> None:
        view, array = self.weights, numbers(value, f"{self.name}.weights")
        if array.shape not in ((), view.shape):
            raise BadInput(f"{self.name}.weights: expected shape {view.shape}, got {array.shape}")
        _check_values(f"{self.name}.weights", array, self.asked.bounds)
        view[...] = array
        if self.asked.device is not None:
            self.asked.device.prepare(view, self.asked.bounds)

    @property
    def eligibility(self) -> NDArray[np.float32]:
        """A live view of the eligibility traces at the end of the latest control step, shaped as the weights."""
        return self.network.view(f"{self.name}.eligibility", settled=True)

    @property
    def pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Presynaptic and postsynaptic neurons of all synapses, in the order of `weights.ravel()`."""
        asked = self.asked
        if isinstance(asked.layout, Convolution):
            raise BadInput(
                f"{self.name}: a convolution has a kernel instead of pairs; see `output_shape` of its layout"
            )
        self.network.build()
        if self.rows is not None:
            return np.repeat(np.arange(asked.pre.n), np.diff(self.rows.pointers)), self.rows.targets.astype(np.int64)
        if isinstance(asked.layout, OneToOne):
            return np.arange(asked.pre.n), np.arange(asked.pre.n)
        pre, post = np.divmod(np.arange(asked.pre.n * asked.post.n), asked.post.n)
        others = pre != post if isinstance(asked.layout, AllToOthers) else slice(None)
        return pre[others], post[others]

    @property
    def delays_differ(self) -> bool:
        """Whether synapses have delays of their own; then spikes wait in a wheel."""
        return bool(self.delay_steps.size) and bool(np.ptp(self.delay_steps))

    @property
    def reach(self) -> int:
        """For how many steps the spikes of the presynaptic neurons are read."""
        return 0 if self.delays_differ else int(np.max(self.delay_steps, initial=0))


def _check_kinds(name: str, asked: Asked) -> None:
    one_of((Layout, Sparse), asked.layout, f"{name}.layout", "OneToOne()")
    one_of((Synapse,), asked.synapse, f"{name}.synapse", "Exponential()")
    if asked.plasticity is not None:
        one_of((Rule,), asked.plasticity, f"{name}.plasticity", "STDP()")
    if asked.device is not None:
        one_of((Device,), asked.device, f"{name}.device", "FixedPoint()")
    if asked.short_term is not None and not isinstance(asked.short_term, ShortTerm):
        raise ConfigError(f"{name}.short_term: needs ShortTerm(…), got {asked.short_term!r}")


def _bounds(name: str, asked: Asked) -> tuple[float, float]:
    bounds = numbers(asked.bounds, f"{name}.bounds")
    if bounds.shape != (2,):
        raise ConfigError(f"{name}.bounds: must be two numbers, got {asked.bounds}")
    if asked.sign is not None and not (isinstance(asked.sign, str) and asked.sign in get_args(Sign)):
        raise ConfigError(f"{name}.sign: must be 'excitatory' or 'inhibitory', got {asked.sign!r}")
    with np.errstate(over="ignore"):
        low, high = (float(bound) for bound in bounds.astype(np.float32))
    low, high = (
        max(low, 0.0) if asked.sign == "excitatory" else low,
        min(high, 0.0) if asked.sign == "inhibitory" else high,
    )
    if not low < high:
        raise ConfigError(f"{name}.bounds: the lower must be below the upper, got {low:g} and {high:g}")
    return low, high


def _delays(name: str, asked: Asked) -> Any:
    """One delay, or one for each of the given synapses."""
    delay = number(asked.delay, Range(0.0, unit="s"), f"{name}.delay", _n_given(asked.layout))
    if np.ndim(delay) and not isinstance(asked.layout, Pairs):
        raise ConfigError(f"{name}.delay: one for each synapse needs layout = Pairs(pre=…, post=…)")
    return delay


def _n_given(layout: Layout) -> int | None:
    return len(np.asarray(layout.pre)) if isinstance(layout, Pairs) else None


def _check_weights(name: str, asked: Asked) -> None:
    where, weights, layout = f"{name}.weights", asked.weights, asked.layout
    if isinstance(weights, Uniform | Normal):
        checked(weights, where)
        if isinstance(layout, Convolution | AllToOthers):
            raise ConfigError(f"{where}: {type(layout).__name__} shares weights among synapses, so they are not drawn")
        if isinstance(weights, Uniform):
            if weights.low > weights.high:
                raise ConfigError(f"{where}.low: must be ≤ high, got {weights.low:g} and {weights.high:g}")
            _check_values(where, np.array([weights.low, weights.high], np.float64), asked.bounds)
        return
    array = numbers(weights, where)
    shapes: list[tuple[int, ...]] = [()]
    if isinstance(layout, AllToAll):
        shapes.append((asked.pre.n, asked.post.n))
    elif isinstance(layout, OneToOne):
        shapes.append((asked.pre.n,))
    elif isinstance(layout, Pairs):
        shapes.append((_n_given(layout) or 0,))
    if array.shape not in shapes:
        expected = " or ".join("one number" if not shape else f"an array of shape {shape}" for shape in shapes)
        raise ConfigError(f"{where}: must be {expected}, got shape {array.shape}")
    if isinstance(layout, Convolution):
        array = array * numbers(layout.kernel, where)
    _check_values(where, array, asked.bounds)


def _check_values(where: str, array: NDArray[np.float64], bounds: tuple[float, float]) -> None:
    wrong = ~(np.abs(array) <= LARGEST)
    if wrong.any():
        raise ConfigError(f"{where}: must be finite, within ±{LARGEST:g}, got {array[wrong].ravel()[0]:g}")
    low, high = bounds
    outside = (array.astype(np.float32) < low) | (array.astype(np.float32) > high)
    if outside.any():
        raise ConfigError(f"{where}: must lie within {low:g} and {high:g}, got {array[outside].ravel()[0]:g}")


class Wired(NamedTuple):
    """A projection in the graph: what plasticity needs to know. Symbols and numbers."""

    name: str
    pre: Axon
    post: Built
    delay: int  # steps
    n_synapses: int
    dense: bool
    pointers: int  # address of int64[n_pre + 1]
    targets: int  # address of int32[n_synapses]; unused if dense
    weights: int
    arrivals: int
    bounds: tuple[float, float]
    shape: tuple[int, ...]
