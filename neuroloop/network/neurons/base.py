"""What a model of neurons says of itself, and the loop that is made around its update.

A model is a struct of parameters with an `update`: a plain function of one neuron's numbers, named as it pleases:

- its state variables, as `STATE` names them; they are returned in that order, and whether the neuron fires comes last;
- `drive`: the synaptic and injected current of this step; `jump`: what delta synapses add to the membrane; `leak`: the
  synaptic conductance (then `drive` holds Σ g E; a function that does not ask for `leak` finds g (E − v) in `drive`);
- `ready`: whether the neuron is not refractory, for models with a `t_ref`; `noise`: a standard normal and `chance`: a uniform
  random number, both drawn anew; `dt`: s;
- anything that `factors` returns.

The loop around it is written once, below, with the receptors of the population in it, so that everything of a neuron is
loaded and stored once a step and the whole loop vectorises. Populations of the same model and receptors share one kernel.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..._numba import Kernel, generated, inline, kernel, places
from ...rows import HEAD, draw, draw_normal, f32, i32, i64
from ..axon import close_line, open_line
from ..parameters import Model
from ..synapses import FIELDS, code_of

BLOCK = 256  # neurons after which spikes are looked for


class Neuron(Model, frozen=True, kw_only=True):
    """Base of all models of neurons."""

    STATE: ClassVar[dict[str, str | float]] = {}  # initial values: numbers, or names of parameters
    SPIKES: ClassVar[bool] = True  # whether it fires at all

    def check(self, p: SimpleNamespace, where: str, dt: float) -> None:
        """Raise `ConfigError` where checked parameters do not go together, or not with the step."""

    def factors(self, p: SimpleNamespace, dt: float) -> dict[str, Any]:
        """What `update` reads: numbers, or arrays of one for each neuron. `p` holds the checked parameters."""
        return vars(p)

    def update(self, leaky: bool) -> Callable[..., Any]:
        """The function that advances a neuron; `leaky`: there are synaptic conductances."""
        raise NotImplementedError

    def time_constant(self) -> Any:
        """Of an exponential membrane, s, for exact currents; infinite for other membranes."""
        return getattr(self, "tau_mem", np.inf)


class Body(NamedTuple):
    """What every population's row begins with: an axon, then"""

    n: int
    ring: int
    starts: int
    counts: int
    mask: int
    state: int
    capacity: int
    rest: int  # f4[n]: steps of refractoriness left
    scratch: int  # i4[BLOCK]
    stream: int
    dt: int  # f4, s
    current: int  # f4[n], from outside
    part: int  # 1 + the number of this part
    n_state: int  # number of state variables, which follow
    receptors: int  # where in the row the receptors begin
    n_receptors: int
    every: int  # steps after which `tidy` looks again


at = places(Body)
FIRST = len(Body._fields)


@inline
def faded(x):  # type: ignore[no-untyped-def]
    """Exactly zero where it is too small to matter: denormal numbers cost a hundred times a normal one."""
    return f32(0.0) if abs(x) <= f32(1e-20) else x  # what is no number stays so, to be found


_LOOP = """\
def neurons(f4, i4, row, f8):
    n, rest, mask, current = row[0], row[{b.rest}], row[{b.scratch}], row[{b.current}]
    where, n_spikes = open_line(i4, row), 0
{before}
    for start in range(0, n, {block}):
        size = min({block}, n - start)
        some = i32(0)
        for k in range(size):
            i = start + k
            my_drive, my_jump, my_leak = {drive}, f32(0.0), f32(0.0)
{inside}
            {results} = update({arguments})
            fired = i32(1) if spike else i32(0)
{stores}
            i4[mask + k] = fired
            some |= fired
        if some != i32(0):
            for k in range(size):
                if i4[mask + k] != 0:
                    i4[where + n_spikes] = i32(start + k)
                    n_spikes += 1
    close_line(i4, row, f8, where, n_spikes, row[{b.part}])
    f8[{head.updates}] += n
"""
_GIVEN = {
    "drive": "my_drive",
    "jump": "my_jump",
    "leak": "my_leak",
    "ready": "f4[rest + i] <= f32(0.0)",
    "noise": f"draw_normal(f8, row[{at.stream}], i)",
    "chance": f"draw(f8, row[{at.stream}], -1 - i)",  # noise takes the places from 0 on
    "dt": f"f4[row[{at.dt}]]",
}


def asked_for(update: Callable[..., Any], state: tuple[str, ...]) -> list[str]:
    """The factors that an update asks for, in order."""
    return [name for name in inspect.signature(update).parameters if name not in _GIVEN and name not in state]


@functools.cache
def kernel_of(
    update: Callable[..., Any],
    state: tuple[str, ...],
    receptors: tuple[str, ...],
    own: bool,
    t_ref: bool,
    injected: bool,
    fading: bool,
) -> Kernel:
    """The kernel of a model with certain receptors. A row goes on after `Body` with state, factors and receptors.

    `own`: factors differ between neurons; `t_ref`: neurons are refractory after a spike, and the last factor says how many
    steps; `injected`: there is a current from outside; `fading`: control steps are so long that currents fade within one.
    """
    asked, factors = list(inspect.signature(update).parameters), asked_for(update, state)
    factors += ["t_ref"] * t_ref
    place = {name: FIRST + k for k, name in enumerate([*state, *factors])}
    before = [f"at_{name} = row[{place[name]}]" for name in (*state, *factors)]
    before += [] if own else [f"my_{name} = f4[at_{name}]" for name in factors]
    inside = [f"my_{name} = f4[at_{name} + i]" for name in (*state, *(factors if own else ()))]
    for r, kind in enumerate(receptors):
        lines = code_of(kind, r, FIRST + len(place) + FIELDS * r, own, "leak" in asked, fading)
        before, inside = before + lines[0], inside + lines[1]
    given = _GIVEN if t_ref else _GIVEN | {"ready": "True"}
    stores = [f"f4[at_{name} + i] = my_{name}" for name in state]
    if t_ref:
        stores.append("f4[rest + i] = my_t_ref if spike else max(f4[rest + i] - f32(1.0), f32(0.0))")
    text = _LOOP.format(
        b=at, head=HEAD, block=BLOCK, before=_indented(before, 4), inside=_indented(inside, 12),
        stores=_indented(stores, 12), results=", ".join([*(f"my_{name}" for name in state), "spike"]),
        arguments=", ".join(given.get(name, f"my_{name}") for name in asked),
        drive="f4[current + i]" if injected else "f32(0.0)",
    )  # fmt: skip
    names = {"draw": draw, "draw_normal": draw_normal, "faded": faded, "open_line": open_line, "close_line": close_line}
    return generated("neurons", text, {**names, "f32": f32, "i32": i32, "i64": i64, "update": update})


@kernel
def tidy(f4, i4, row, f8):  # type: ignore[no-untyped-def]
    """Notice state that is not finite; what has faded becomes exactly zero, before it costs a denormal number's time."""
    if i64(f8[HEAD.clock]) % row[at.every] >= max(i64(f8[HEAD.step]) + 1, 1):
        return
    for s in range(row[at.n_state]):
        state, bad = row[FIRST + s], i32(0)
        for i in range(row[0]):
            bad |= i32(0) if abs(f4[state + i]) <= f32(3e38) else i32(1)
            f4[state + i] = faded(f4[state + i])
        if bad != i32(0):
            f8[HEAD.fault] = row[at.part]
    for r in range(row[at.n_receptors]):
        arrivals, level = row[row[at.receptors] + FIELDS * r], row[row[at.receptors] + FIELDS * r + 1]
        for i in range(row[0]):
            f4[arrivals + i] = faded(f4[arrivals + i])
        if level != 0:
            for i in range(row[0]):
                f4[level + i] = faded(f4[level + i])


def _indented(lines: list[str], by: int) -> str:
    return "\n".join(" " * by + line for line in lines)
