"""Short-term plasticity (Tsodyks, Uziel and Markram 2000): NEST tsodyks2_synapse, u times x at each spike."""

import inputs
import nest
import numpy as np
from with_nest import parrots, start


def main():
    """Each parameter set with both trains, through a synapse of weight 1."""
    given, arrays = inputs.stp()
    us = 1000
    found = {}
    for name in ("depressing", "facilitating", "mixed"):
        start(us)
        one = given[name]
        recorder = nest.Create("weight_recorder")
        nest.CopyModel("tsodyks2_synapse", "recorded", {"weight_recorder": recorder})
        pre = parrots(arrays["pre"][:, 0], arrays["pre"][:, 1], 2, us)
        post = nest.Create("parrot_neuron", 2)
        settings = {
            "U": one["u"],
            "u": one["u"],
            "x": 1.0,
            "tau_rec": 1e3 * one["tau_rec"],
            "tau_fac": 1e3 * one["tau_fac"],
        }
        connection = {"synapse_model": "recorded", "weight": 1.0, "delay": us / 1000, "receptor_type": 1}
        nest.Connect(pre, post, "one_to_one", connection | settings)
        nest.Simulate(1e3 * given["duration"] + 10)
        events = recorder.events
        order = np.lexsort((events["senders"], events["times"]))
        assert np.array_equal(np.rint(events["times"][order] * 1000 / us).astype(int) - 1, arrays["pre"][:, 0])
        found[name] = events["weights"][order]
    inputs.save("stp_nest", given, **arrays, **found)


if __name__ == "__main__":
    main()
