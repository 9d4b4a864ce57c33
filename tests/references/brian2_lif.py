"""LIF with given currents, and through exponential and alpha current synapses, integrated exactly by Brian2."""

import brian2 as b2
import inputs
import numpy as np
from with_brian2 import clamped, last, seconds, start, steps_of, trains

CURRENT = "dv/dt = (drive - v) / tau_mem : 1 (unless refractory)"
SYNAPSE = {
    "exp": ("dcurrent/dt = -current / tau_syn : 1", "current_post += weight"),
    "alpha": ("dcurrent/dt = (y - current) / tau_syn : 1\n dy/dt = -y / tau_syn : 1", "y_post += exp(1) * weight"),
}


def lif_current():
    """Four cells, the last one with the staircase."""
    given, arrays = inputs.lif_current()
    found = {}
    for us in (1000, 100):
        start(us)
        levels = np.tile(given["drives"] + [0.0], (100, 1))
        levels[:, 3] = arrays["staircase"]
        drives = b2.TimedArray(np.repeat(levels, round(given["hold"] * 1e6 / us), axis=0), dt=us * b2.us)
        cells = b2.NeuronGroup(
            4, CURRENT + "\n drive : 1", threshold="v >= 1", reset="v = 0", method="exact",
            refractory=clamped(given["t_ref"], us), namespace=seconds(given) | {"drives": drives},
        )  # fmt: skip
        cells.run_regularly("drive = drives(t, i)")
        spikes, states = b2.SpikeMonitor(cells), last(cells, "v")
        b2.run(given["duration"] * b2.second)
        found[f"v_{us}us"] = states.v[:, :200]
        found[f"spikes_{us}us"] = inputs.spike_table(steps_of(spikes, us), spikes.i)
    inputs.save("lif_current_brian2", given, **arrays, **found)


def psc():
    """One cell for each case, kind of synapse and step length."""
    given, arrays = inputs.psc()
    found = {}
    for us in (1000, 100):
        for kind, (equation, on_pre) in SYNAPSE.items():
            for case in ("sub", "supra"):
                start(us)
                steps = arrays["input_steps_sub" if case == "sub" else f"input_steps_supra_{us}us"]
                weights = arrays[f"weights_{case}"]
                cell = b2.NeuronGroup(
                    1, CURRENT.replace("drive", "current") + "\n" + equation, threshold="v >= 1", reset="v = 0",
                    refractory=clamped(given["t_ref"], us), method="exact", namespace=seconds(given),
                )  # fmt: skip
                source = trains(steps, np.arange(len(steps)), len(steps), us)
                synapses = b2.Synapses(source, cell, "weight : 1", on_pre=on_pre)
                synapses.connect()
                synapses.weight = weights
                spikes, states = b2.SpikeMonitor(cell), last(cell, ["v", "current"])
                n_steps = given["n_steps_sub"] if case == "sub" else round(given["duration_supra"] * 1e6 / us)
                b2.run(n_steps * us * b2.us)
                found[f"v_{case}_{kind}_{us}us"] = states.v[0, :300]
                if case == "sub":
                    found[f"i_{case}_{kind}_{us}us"] = states.current[0, :300]
                found[f"spikes_{case}_{kind}_{us}us"] = steps_of(spikes, us)
    inputs.save("psc_brian2", given, **arrays, **found)


if __name__ == "__main__":
    lif_current()
    psc()
