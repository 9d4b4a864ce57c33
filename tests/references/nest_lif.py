"""LIF with given currents, and through exponential and alpha current synapses: NEST iaf_psc_exp and iaf_psc_alpha."""

import inputs
import nest
import numpy as np
from with_nest import generators, lif, spikes_of, start, trace, watch


def lif_current():
    """Four cells, the last one with the staircase, which is set between stretches of 10 ms."""
    given, arrays = inputs.lif_current()
    found = {}
    for us in (1000, 100):
        start(us)
        cells = nest.Create("iaf_psc_exp", 4, lif(given) | {"tau_m": 1e3 * given["tau_mem"]})
        cells[:3].I_e = given["drives"]
        meter, recorder = watch(cells, ["V_m"], us), nest.Create("spike_recorder")
        nest.Connect(cells, recorder, syn_spec={"delay": us / 1000})
        with nest.RunManager():
            for level in arrays["staircase"]:
                cells[3].I_e = level
                nest.Run(1e3 * given["hold"])
        steps, senders = spikes_of(recorder, us)
        found[f"v_{us}us"] = trace(meter, "V_m", 4, 200)
        found[f"spikes_{us}us"] = inputs.spike_table(steps, senders - cells[0].global_id)
    inputs.save("lif_current_nest", given, **arrays, **found)


def psc():
    """One cell for each case, kind of synapse and step length."""
    given, arrays = inputs.psc()
    found = {}
    tau = {"tau_m": 1e3 * given["tau_mem"], "tau_syn_ex": 1e3 * given["tau_syn"], "tau_syn_in": 1e3 * given["tau_syn"]}
    for us in (1000, 100):
        for kind in ("exp", "alpha"):
            for case in ("sub", "supra"):
                start(us)
                steps = arrays["input_steps_sub" if case == "sub" else f"input_steps_supra_{us}us"]
                weights = arrays[f"weights_{case}"]
                cell = nest.Create(f"iaf_psc_{kind}", 1, lif(given) | tau)
                source = generators(steps, np.arange(len(steps)), len(steps), us)
                delay = {"delay": us / 1000}
                nest.Connect(source, cell, "all_to_all", delay | {"weight": weights[np.newaxis]})
                meter, recorder = watch(cell, ["V_m", "I_syn_ex", "I_syn_in"], us), nest.Create("spike_recorder")
                nest.Connect(cell, recorder, syn_spec=delay)
                n_steps = given["n_steps_sub"] if case == "sub" else round(given["duration_supra"] * 1e6 / us)
                nest.Simulate((n_steps + 2) * us / 1000)
                current = trace(meter, "I_syn_ex", 1, 300) + trace(meter, "I_syn_in", 1, 300)
                found[f"v_{case}_{kind}_{us}us"] = trace(meter, "V_m", 1, 300)[0]
                if case == "sub":
                    found[f"i_{case}_{kind}_{us}us"] = current[0]
                steps, _ = spikes_of(recorder, us)
                found[f"spikes_{case}_{kind}_{us}us"] = steps[steps < n_steps]
    inputs.save("psc_nest", given, **arrays, **found)


if __name__ == "__main__":
    lif_current()
    psc()
