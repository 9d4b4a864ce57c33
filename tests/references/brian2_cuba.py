"""The current-based network of Brette et al. (2007) with 400 neurons in Brian2, integrated exactly at 0.1 ms."""

import brian2 as b2
import inputs
import numpy as np
from with_brian2 import clamped, start, steps_of

EQUATIONS = """
dv/dt = (i_exc + i_inh + e_l - v) / tau_mem : volt (unless refractory)
di_exc/dt = -i_exc / tau_exc : volt
di_inh/dt = -i_inh / tau_inh : volt
"""
TIMES, VOLTS = ("tau_mem", "tau_exc", "tau_inh"), ("e_l", "v_th", "v_reset", "w_exc", "w_inh")


def main():
    """Given connections and initial membranes; writes them too."""
    given, arrays = inputs.cuba()
    us = 100
    start(us)
    namespace = {k: given[k] * b2.second for k in TIMES} | {k: given[k] * b2.volt for k in VOLTS}
    cells = b2.NeuronGroup(
        given["n"], EQUATIONS, threshold="v >= v_th", reset="v = v_reset", method="exact",
        refractory=clamped(given["t_ref"], us), namespace=namespace,
    )  # fmt: skip
    cells.v = arrays["v_start"] * b2.volt
    excitatory = arrays["pre"] < given["n_exc"]
    projections = []
    for name, mine in (("exc", excitatory), ("inh", ~excitatory)):
        synapses = b2.Synapses(
            cells, cells, on_pre=f"i_{name}_post += w_{name}", delay=given["delay"] * b2.second, namespace=namespace
        )
        synapses.connect(i=arrays["pre"][mine].astype(int), j=arrays["post"][mine].astype(int))
        projections.append(synapses)
    spikes = b2.SpikeMonitor(cells)
    states = b2.StateMonitor(cells, "v", record=[0, 1, 320], when="end", order=100)
    b2.Network(cells, *projections, spikes, states).run(given["duration"] * b2.second)
    inputs.save("cuba_inputs", given, **arrays)
    table = inputs.spike_table(steps_of(spikes, us), spikes.i)
    inputs.save("cuba_brian2", given, v=np.asarray(states.v)[:, :300], spikes=table)
    print("rate", len(spikes.t) / given["n"] / given["duration"], "Hz")


if __name__ == "__main__":
    main()
