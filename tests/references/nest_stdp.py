"""Pair, multiplicative, nearest-neighbour and triplet STDP in NEST: each weight after each presynaptic spike.

NEST's delay is dendritic: a postsynaptic spike reaches the synapse late, a presynaptic one at once. It is at least a
step, so without a delay the postsynaptic cell fires a step early.
"""

import inputs
import nest
import numpy as np
from with_nest import generators, parrots, start

PAIR = {
    "additive": ("stdp_synapse", 0.0),
    "multiplicative": ("stdp_synapse", 1.0),
    "nearest": ("stdp_nn_symm_synapse", 0.0),
}


def _model(rule, given):
    """(model, its parameters, those of the postsynaptic cell)."""
    cell = {"tau_minus": 1e3 * given["tau_minus"]}
    if rule in PAIR:
        model, mu = PAIR[rule]
        ratio = given["a_minus"] / given["a_plus"]
        strength = {"lambda": given["a_plus"], "alpha": ratio, "mu_plus": mu, "mu_minus": mu}
        return model, strength | {"tau_plus": 1e3 * given["tau_plus"], "Wmax": given["w_max"]}, cell
    rates = given[rule]
    amplitudes = {"Aplus": rates["a2_plus"], "Aplus_triplet": rates["a3_plus"]}
    amplitudes |= {"Aminus": rates["a2_minus"], "Aminus_triplet": rates["a3_minus"], "Wmax": given["w_max"]}
    tau = {"tau_plus": 1e3 * given["tau_plus"], "tau_plus_triplet": 1e3 * rates["tau_x"]}
    return "stdp_triplet_synapse", amplitudes | tau, cell | {"tau_minus_triplet": 1e3 * rates["tau_y"]}


def main():
    """A file for each delay; weights by (step, synapse) of the presynaptic spikes."""
    given, arrays = inputs.stdp()
    us = 1000
    for name, delay, early in (("none", 1, 1), ("post", round(given["delay"] / given["dt"]), 0)):
        found = {}
        for rule in (*PAIR, "triplet_hippocampal", "triplet_visual"):
            start(us)
            model, settings, cell = _model(rule, given)
            recorder = nest.Create("weight_recorder")
            nest.CopyModel(model, "recorded", {"weight_recorder": recorder})
            pre = parrots(arrays["pre"][:, 0], arrays["pre"][:, 1], 4, us)
            post = nest.Create("parrot_neuron", 4, cell)
            source = generators(arrays["post"][:, 0] - early, arrays["post"][:, 1], 4, us)
            nest.Connect(source, post, "one_to_one", {"delay": us / 1000})
            connection = {"synapse_model": "recorded", "weight": given["w_start"], "receptor_type": 1}
            for i, start_weight in enumerate(given["w_start"]):
                one = connection | settings | {"weight": start_weight, "delay": delay * us / 1000}
                nest.Connect(pre[i], post[i], "one_to_one", one)
            nest.Simulate(1e3 * given["duration"] + 10)
            events = recorder.events
            order = np.lexsort((events["senders"], events["times"]))
            steps = np.rint(events["times"][order] * 1000 / us).astype(np.int32) - 1
            assert np.array_equal(steps, arrays["pre"][:, 0])
            assert np.array_equal(events["senders"][order] - pre[0].global_id, arrays["pre"][:, 1])
            found[rule] = events["weights"][order]
        inputs.save(f"stdp_{name}_nest", given, **arrays, **found)


if __name__ == "__main__":
    main()
