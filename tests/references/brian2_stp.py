"""Short-term plasticity (Tsodyks, Uziel and Markram 2000) in Brian2: u times x at each spike, before x is used up."""

import brian2 as b2
import inputs
from with_brian2 import last, start, trains

EQUATIONS = """
du/dt = -u / tau_fac : 1 (event-driven)
dx/dt = (1 - x) / tau_rec : 1 (event-driven)
efficacy : 1
"""


def main():
    """Each parameter set with both trains. Where tau_fac is 0, u is gone before the next spike: 1 us does that."""
    given, arrays = inputs.stp()
    us = 1000
    found = {}
    for name in ("depressing", "facilitating", "mixed"):
        start(us)
        one = given[name]
        source = trains(arrays["pre"][:, 0], arrays["pre"][:, 1], 2, us)
        target = b2.NeuronGroup(2, "v : 1")
        tau = {"tau_fac": max(one["tau_fac"], 1e-6) * b2.second, "tau_rec": one["tau_rec"] * b2.second}
        synapses = b2.Synapses(
            source, target, EQUATIONS, on_pre="u += step * (1 - u); efficacy = u * x; x -= efficacy",
            namespace=tau | {"step": one["u"]},
        )  # fmt: skip
        synapses.connect(j="i")
        synapses.x = 1
        states = last(synapses, "efficacy")
        b2.Network(source, target, synapses, states).run(given["duration"] * b2.second)
        found[name] = states.efficacy[arrays["pre"][:, 1], arrays["pre"][:, 0]]
    inputs.save("stp_brian2", given, **arrays, **found)


if __name__ == "__main__":
    main()
