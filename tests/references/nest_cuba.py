"""The current-based network of Brette et al. (2007) with 400 neurons in NEST: iaf_psc_exp at 0.1 ms, delay 1.5 ms."""

import inputs
import nest
import numpy as np
from with_nest import spikes_of, start, trace, watch


def main():
    """Connections and initial membranes as given to Brian2."""
    given, arrays = inputs.cuba()
    us = 100
    start(us)
    membrane = {"C_m": 1e3 * given["tau_mem"], "tau_m": 1e3 * given["tau_mem"], "t_ref": 1e3 * given["t_ref"]}
    voltages = {"E_L": 1e3 * given["e_l"], "V_th": 1e3 * given["v_th"], "V_reset": 1e3 * given["v_reset"]}
    tau = {"tau_syn_ex": 1e3 * given["tau_exc"], "tau_syn_in": 1e3 * given["tau_inh"]}
    cells = nest.Create("iaf_psc_exp", given["n"], membrane | voltages | tau)
    cells.V_m = 1e3 * arrays["v_start"]
    weights = 1e3 * np.where(arrays["pre"] < given["n_exc"], given["w_exc"], given["w_inh"])
    first = cells[0].global_id
    delays = np.full(weights.size, 1e3 * given["delay"])
    nest.Connect(
        arrays["pre"].astype(int) + first, arrays["post"].astype(int) + first, "one_to_one",
        {"weight": weights, "delay": delays, "synapse_model": "static_synapse"},
    )  # fmt: skip
    meter, recorder = watch(cells[0, 1, 320], ["V_m"], us), nest.Create("spike_recorder")
    nest.Connect(cells, recorder)
    nest.Simulate(1e3 * given["duration"] + 2)
    steps, senders = spikes_of(recorder, us)
    during = steps < round(given["duration"] / given["dt"])
    table = inputs.spike_table(steps[during], senders[during] - first)
    inputs.save("cuba_nest", given, v=1e-3 * trace(meter, "V_m", 3, 300), spikes=table)


if __name__ == "__main__":
    main()
