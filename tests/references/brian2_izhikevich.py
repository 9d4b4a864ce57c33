"""Izhikevich (2003) cells in Brian2 by forward Euler: v and u are both advanced from their old values."""

import brian2 as b2
import inputs
import numpy as np
from with_brian2 import last, start, steps_of

EQUATIONS = """
dv/dt = (0.04 * v**2 + 5 * v + 140 - u + given_current(t)) / ms : 1
du/dt = a * (b * v - u) / ms : 1
a : 1
b : 1
c : 1
d : 1
"""


def main():
    """The four kinds of cell, with a constant and with a random current."""
    given, arrays = inputs.izhikevich()
    for us in (500, 100):
        found = {}
        for case in ("constant", "random"):
            start(us)
            levels = np.full(100, given["current"]) if case == "constant" else arrays["random"]
            current = b2.TimedArray(np.repeat(levels, round(given["hold"] * 1e6 / us)), dt=us * b2.us)
            cells = b2.NeuronGroup(
                4, EQUATIONS, threshold="v >= 30", reset="v = c; u += d", method="euler",
                namespace={"given_current": current, "ms": b2.ms},
            )  # fmt: skip
            for name in "abcd":
                setattr(cells, name, given[name])
            cells.v, cells.u = given["v_start"], given["u_start"]
            spikes, states = b2.SpikeMonitor(cells), last(cells, ["v", "u"])
            b2.run(given["duration"] * b2.second)
            found[f"v_{case}"], found[f"u_{case}"] = states.v[:, :300], states.u[:, :300]
            found[f"spikes_{case}"] = inputs.spike_table(steps_of(spikes, us), spikes.i)
        inputs.save(f"izhikevich_{us}us_brian2", given | {"dt": us / 1e6}, **arrays, **found)


if __name__ == "__main__":
    main()
