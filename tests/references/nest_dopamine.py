"""Dopamine-modulated STDP (Izhikevich 2007; Potjans et al. 2010): NEST stdp_dopamine_synapse, brought up to date each 10 ms."""

import inputs
import nest
import numpy as np
from with_nest import generators, parrots, start


def main():
    """Two synapses, without and with a baseline. Delays of a step are undone by firing a step early."""
    given, arrays = inputs.dopamine()
    us = 1000
    n_samples = round(given["duration"] / given["sample"])
    found = {}
    for case, baseline in enumerate(given["baselines"]):
        start(us)
        delay = {"delay": us / 1000}
        pre = parrots(arrays["pre"][:, 0], arrays["pre"][:, 1], 2, us)
        post = nest.Create("parrot_neuron", 2, {"tau_minus": 1e3 * given["tau_minus"]})
        nest.Connect(generators(arrays["post"][:, 0] - 1, arrays["post"][:, 1], 2, us), post, "one_to_one", delay)
        dopamine = parrots(arrays["dopamine"] - 1, np.zeros(15, int), 1, us)
        transmitter = nest.Create("volume_transmitter", {"deliver_interval": round(given["sample"] / given["dt"])})
        nest.Connect(dopamine, transmitter, syn_spec=delay)
        rule = {"A_plus": given["a_plus"], "A_minus": given["a_minus"], "b": 1e-3 * baseline, "Wmin": -1e3, "Wmax": 1e3}
        tau = {name: 1e3 * given[name] for name in ("tau_plus", "tau_c", "tau_n")}
        nest.CopyModel("stdp_dopamine_synapse", "rewarded", rule | tau | {"volume_transmitter": transmitter})
        connection = {"synapse_model": "rewarded", "weight": given["w_start"], "receptor_type": 1}
        nest.Connect(pre, post, "one_to_one", connection | delay)
        synapses = nest.GetConnections(pre, synapse_model="rewarded")
        samples = []
        with nest.RunManager():
            for _ in range(n_samples):
                nest.Run(1e3 * given["sample"])
                samples.append([synapses.get(name) for name in ("weight", "c", "n")])
        found[f"w_{case}"], c, n = np.array(samples).transpose(1, 2, 0)
    inputs.save("dopamine_nest", given, **arrays, **found, c=c, n=1e3 * n[0])


if __name__ == "__main__":
    main()
