"""Adaptive exponential cells (Brette and Gerstner 2005) in Brian2: forward Euler at 0.1 ms, and a reference at 0.01 ms."""

import brian2 as b2
import inputs
import numpy as np
from with_brian2 import last, start, steps_of

EQUATIONS = """
dv/dt = (g_l * (e_l - v) + g_l * delta_t * exp((v - v_t) / delta_t) - w + current) / c_m : volt
dw/dt = (a * (v - e_l) - w) / tau_w : amp
current : amp
"""
UNITS = {
    "c_m": b2.farad, "g_l": b2.siemens, "e_l": b2.volt, "v_t": b2.volt, "delta_t": b2.volt, "tau_w": b2.second,
    "a": b2.siemens, "b": b2.amp, "v_reset": b2.volt, "v_peak": b2.volt,
}  # fmt: skip


def main():
    """Three constant currents from the first step on."""
    given, _ = inputs.adex()
    found = {}
    for name, us in (("euler", 100), ("fine", 10)):
        start(us)
        cells = b2.NeuronGroup(
            3, EQUATIONS, threshold="v >= v_peak", reset="v = v_reset; w += b", method="euler",
            namespace={key: given[key] * unit for key, unit in UNITS.items()},
        )  # fmt: skip
        cells.v, cells.current = given["e_l"] * b2.volt, given["currents"] * b2.amp
        spikes, states = b2.SpikeMonitor(cells), last(cells, ["v", "w"])
        b2.run(given["duration"] * b2.second)
        n_sub = 100 // us
        found[f"v_{name}"] = np.asarray(states.v)[:, n_sub - 1 :: n_sub][:, :300]
        found[f"w_{name}"] = np.asarray(states.w)[:, n_sub - 1 :: n_sub][:, :300]
        found[f"spikes_{name}"] = inputs.spike_table(steps_of(spikes, us), spikes.i)
    inputs.save("adex_brian2", given | {"dt": 1e-4, "dt_fine": 1e-5}, **found)


if __name__ == "__main__":
    main()
