"""Dopamine-modulated STDP (Izhikevich 2007; Potjans et al. 2010) in Brian2: eligibility, dopamine and weights each 10 ms.

dw/dt = c (n - baseline) is integrated three ways: exactly over each step, and with c and n of a step's begin or end.
"""

import brian2 as b2
import inputs
import numpy as np
from with_brian2 import last, seconds, start, trains

EQUATIONS = """
dc/dt = -c / tau_c : 1 (clock-driven)
dn/dt = -n / tau_n : Hz (clock-driven)
dx/dt = -x / tau_plus : 1 (event-driven)
dy/dt = -y / tau_minus : 1 (event-driven)
exact : 1
begin : 1
end : 1
"""
BEFORE = """
exact += c * n * tau_both * (1 - exp(-dt / tau_both)) - baseline * c * tau_c * (1 - exp(-dt / tau_c))
begin += c * (n - baseline) * dt
"""


def main():
    """Two synapses, without and with a baseline; the latter integrated exactly only."""
    given, arrays = inputs.dopamine()
    us = 1000
    found = {}
    for case, tonic in enumerate(given["baselines"]):
        start(us)
        pre, post = (trains(arrays[side][:, 0], arrays[side][:, 1], 2, us) for side in ("pre", "post"))
        dopamine = trains(arrays["dopamine"], np.zeros(15, int), 1, us)
        tau_both = 1 / (1 / given["tau_c"] + 1 / given["tau_n"]) * b2.second
        synapses = b2.Synapses(
            pre, post, EQUATIONS, on_pre="c -= a_minus * y; x += 1", on_post="c += a_plus * x; y += 1", method="exact",
            namespace=seconds(given) | {"tau_both": tau_both, "baseline": tonic * b2.Hz},
        )  # fmt: skip
        synapses.connect(j="i")
        synapses.exact = synapses.begin = synapses.end = given["w_start"]
        rewards = b2.Synapses(dopamine, synapses, on_pre="n_post += 1 / tau_n", namespace=seconds(given))
        rewards.connect()
        before = synapses.run_regularly(BEFORE, when="start")
        after = synapses.run_regularly("end += c * (n - baseline) * dt", when="end")
        states = last(synapses, ["c", "n", "exact", "begin", "end"])
        network = b2.Network(pre, post, dopamine, synapses, rewards, before, after, states)
        network.run(given["duration"] * b2.second)
        for name in ("exact", "begin", "end") if case == 0 else ("exact",):
            found[f"w_{name}_{case}"] = getattr(states, name)[:, 9::10]
    found["c"], found["n"] = states.c[:, 9::10], np.asarray(states.n)[0, 9::10]
    inputs.save("dopamine_brian2", given, **arrays, **found)


if __name__ == "__main__":
    main()
