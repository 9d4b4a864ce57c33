"""What a model of neurons says of itself, and the loop that is made around its update.

A model is a struct of parameters with an `update`: a plain function of one neuron's numbers, named as it pleases:

- its state variables, as `STATE` names them; they are returned in that order, and whether the neuron fires comes last;
- `drive`: the synaptic and injected current of this step; `jump`: what delta synapses add to the membrane; `leak`: the
  synaptic conductance (then `drive` holds Σ g E; a function that does not ask for `leak` finds g (E − v) in `drive`);
- `ready`: whether the neuron is not refractory, for models with a `t_ref`; `noise`: a standard normal and `chance`: a uniform
  random number, both drawn anew; `dt`: s;
- anything that `factors` returns.

The loop around it is written once, below, and compiled with the function in it, so that both vectorise.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

from ..._numba import Kernel, generated
from ...errors import ConfigError
from ...rows import HEAD, draw, draw_normal, f32, i32, i64
from ..parameters import Model
from ..synapses import receive

BLOCK = 256  # neurons that are advanced together, so that what passes between receptors and membranes stays in the L1 cache


class Neuron(Model, frozen=True, kw_only=True):
    """Base of all models of neurons."""

    STATE: ClassVar[dict[str, str | float]] = {}  # initial values: numbers, or names of parameters

    def factors(self, p: SimpleNamespace, dt: float) -> dict[str, Any]:
        """What `update` reads: numbers, or arrays of one for each neuron. `p` holds the checked parameters."""
        return vars(p)

    def update(self, leaky: bool) -> Callable[..., Any]:
        """The function that advances a neuron; `leaky`: there are synaptic conductances."""
        raise NotImplementedError


class Fixed:
    """Where the numbers of a population's row stand that all models have."""

    N, DEPTH, HISTORY, COUNTS, REST, T_REF, DRIVE, CURRENT, MASK, STREAM, SPIKES, UPDATES, N_RECEPTORS, FIRST = range(14)


_LOOP = '''\
def neurons(f4, i4, row, f8):
    n, depth, rest, mask = row[{f.N}], row[{f.DEPTH}], row[{f.REST}], row[{f.MASK}]
    drive, current = row[{f.DRIVE}], row[{f.CURRENT}]
    jump, leak = drive + {block}, drive + {twice}
    first, n_receptors = row[{f.FIRST}], row[{f.N_RECEPTORS}]
{hoisted}
    now = i64(f8[{clock}]) % depth
    line, n_spikes = row[{f.HISTORY}] + now * n, 0
    for start in range(0, n, {block}):
        size = min({block}, n - start)
        for k in range(size):
            f4[drive + k] = f4[current + start + k]
            f4[jump + k] = f4[leak + k] = f32(0.0)
        receive(f4, row, first, n_receptors, start, size, drive, jump, {leak}, {v})
        some = f32(0.0)
        for k in range(size):
            i = start + k
{loads}
            {results} = update({arguments})
            fired = f32(1.0) if spike else f32(0.0)
{stores}
            f4[mask + k] = fired
            some = max(some, fired)
        if some > f32(0.0):
            for k in range(size):
                if f4[mask + k] != f32(0.0):
                    i4[line + n_spikes] = i32(start + k)
                    n_spikes += 1
    i4[row[{f.COUNTS}] + now] = i32(n_spikes)
    f8[row[{f.SPIKES}]] += n_spikes
    f8[row[{f.UPDATES}]] += n
'''
_GIVEN = {
    "drive": "f4[drive + k]",
    "jump": "f4[jump + k]",
    "leak": "f4[leak + k]",
    "ready": "f4[rest + i] <= f32(0.0)",
    "noise": f"draw_normal(f8, row[{Fixed.STREAM}], i)",
    "chance": f"draw(f8, row[{Fixed.STREAM}], i)",
    "dt": f"f4[row[{Fixed.T_REF}] + 1]",
}


def names_of(update: Callable[..., Any], state: tuple[str, ...], where: str, known: dict[str, Any]) -> list[str]:
    """The factors that an update asks for, in order."""
    asked = [name for name in inspect.signature(update).parameters if name not in _GIVEN and name not in state]
    for name in asked:
        if name not in known:
            raise ConfigError(f"{where}: its update asks for {name!r}, which is neither state, given, nor a factor")
    return asked


def kernel_of(
    update: Callable[..., Any], state: tuple[str, ...], factors: list[str], own: frozenset[str], t_ref: bool
) -> Kernel:
    """The kernel of a model. A row goes on after its fixed numbers with state, factors and receptors.

    `own`: the factors that differ between neurons; `t_ref`: whether neurons are refractory after a spike.
    """
    asked = list(inspect.signature(update).parameters)
    place = {name: Fixed.FIRST + 1 + k for k, name in enumerate([*state, *factors])}
    hoisted = [f"at_{name} = row[{place[name]}]" for name in (*state, *factors)]
    hoisted += [f"my_{name} = f4[at_{name}]" for name in factors if name not in own]
    loads = [f"my_{name} = f4[at_{name} + i]" for name in (*state, *sorted(own))]
    loads += [f"my_{name} = {expression}" for name, expression in _GIVEN.items() if name in asked]
    stores = [f"f4[at_{name} + i] = my_{name}" for name in state]
    if t_ref:
        hoisted.append(f"t_ref = f4[row[{Fixed.T_REF}]]")
        stores.append("f4[rest + i] = t_ref if spike else max(f4[rest + i] - f32(1.0), f32(0.0))")
    else:
        loads = [line.replace(_GIVEN["ready"], "True") for line in loads]
    text = _LOOP.format(
        f=Fixed, block=BLOCK, twice=2 * BLOCK, clock=HEAD.clock, hoisted=_indented(hoisted, 4), loads=_indented(loads, 12),
        stores=_indented(stores, 12), results=", ".join([*(f"my_{name}" for name in state), "spike"]),
        arguments=", ".join(f"my_{name}" for name in asked), leak="leak" if "leak" in asked else "-1",
        v="at_v" if "v" in state else "0",
    )  # fmt: skip
    names = {"draw": draw, "draw_normal": draw_normal, "f32": f32, "i32": i32, "i64": i64, "receive": receive}
    return generated("neurons", text, {**names, "update": update})


def _indented(lines: list[str], by: int) -> str:
    return "\n".join(" " * by + line for line in lines)
