"""LIF with conductance synapses: NEST iaf_cond_exp and iaf_cond_alpha (Runge-Kutta-Fehlberg 4(5), one step of 0.1 ms)."""

import inputs
import nest
import numpy as np
from with_nest import generators, lif, spikes_of, start, trace, watch


def main():
    """One cell for each case and kind of synapse."""
    given, arrays = inputs.conductance()
    us = 100
    reversal = {"E_ex": given["e_exc"], "E_in": given["e_inh"], "g_L": 1.0}
    tau = {"tau_syn_ex": 1e3 * given["tau_exc"], "tau_syn_in": 1e3 * given["tau_inh"]}
    found = {}
    for kind in ("exp", "alpha"):
        for case in ("sub", "supra"):
            start(us)
            cell = nest.Create(f"iaf_cond_{kind}", 1, lif(given) | reversal | tau)
            steps, weights = arrays[f"input_steps_{case}"], arrays[f"weights_{case}"]
            source = generators(steps, np.arange(len(steps)), len(steps), us)
            nest.Connect(source, cell, "all_to_all", {"delay": us / 1000, "weight": weights[np.newaxis]})
            meter, recorder = watch(cell, ["V_m", "g_ex", "g_in"], us), nest.Create("spike_recorder")
            nest.Connect(cell, recorder, syn_spec={"delay": us / 1000})
            n_steps = given["n_steps_sub"] if case == "sub" else round(given["duration_supra"] / given["dt"])
            nest.Simulate((n_steps + 2) * us / 1000)
            for ours, theirs in (("v", "V_m"), ("g_exc", "g_ex"), ("g_inh", "g_in"))[: 3 if case == "sub" else 1]:
                found[f"{ours}_{case}_{kind}"] = trace(meter, theirs, 1, 300)[0]
            steps, _ = spikes_of(recorder, us)
            found[f"spikes_{case}_{kind}"] = steps[steps < n_steps]
    inputs.save("conductance_nest", given, **arrays, **found)


if __name__ == "__main__":
    main()
