"""LIF with conductance synapses in Brian2: rk4 with ten steps of 0.01 ms for each of ours, and exponential Euler at 0.1 ms.

The fine run tests its threshold, and gets its inputs, only in every tenth step, as an engine at 0.1 ms would.
"""

import brian2 as b2
import inputs
import numpy as np
from with_brian2 import last, seconds, start, trains

MEMBRANE = "dv/dt = (g_exc * (e_exc - v) + g_inh * (e_inh - v) - v) / tau_mem : 1 (unless refractory)"
KINDS = {
    "exp": ("dg_{x}/dt = -g_{x} / tau_{x} : 1", "g_{x}_post += {w}"),
    "alpha": (
        "dg_{x}/dt = (y_{x} - g_{x}) / tau_{x} : 1\n dy_{x}/dt = -y_{x} / tau_{x} : 1",
        "y_{x}_post += exp(1) * {w}",
    ),
}
METHODS = {"rk4": (10, 10), "exponential_euler": (100, 1)}  # the step in microseconds, and how many make up ours


def main():
    """One cell for each method, case and kind of synapse."""
    given, arrays = inputs.conductance()
    found = {}
    for kind, (equation, on_pre) in KINDS.items():
        for case in ("sub", "supra"):
            for method, (us, n_sub) in METHODS.items():
                start(us)
                equations = "\n".join([MEMBRANE, equation.format(x="exc"), equation.format(x="inh")])
                cell = b2.NeuronGroup(
                    1, equations, threshold="v >= 1 and timestep(t, dt) % n_sub == n_sub - 1", reset="v = 0",
                    refractory=given["t_ref"] * b2.second + us * b2.us, method=method,
                    namespace=seconds(given) | {"n_sub": n_sub},
                )  # fmt: skip
                steps = arrays[f"input_steps_{case}"]
                source = trains(steps * n_sub + n_sub - 1, np.arange(len(steps)), len(steps), us)
                event = (
                    on_pre.format(x="exc", w="clip(w, 0, inf)") + "\n" + on_pre.format(x="inh", w="clip(-w, 0, inf)")
                )
                synapses = b2.Synapses(source, cell, "w : 1", on_pre=event)
                synapses.connect()
                synapses.w = arrays[f"weights_{case}"]
                spikes, states = b2.SpikeMonitor(cell), last(cell, ["v", "g_exc", "g_inh"])
                n_steps = given["n_steps_sub"] if case == "sub" else round(given["duration_supra"] / given["dt"])
                b2.run(n_steps * n_sub * us * b2.us)
                suffix = f"{case}_{kind}" + ("_expeuler" if n_sub == 1 else "")
                found[f"v_{suffix}"] = states.v[0, n_sub - 1 :: n_sub][:300]
                if n_sub > 1 and case == "sub":
                    found[f"g_exc_{suffix}"] = states.g_exc[0, n_sub - 1 :: n_sub][:300]
                    found[f"g_inh_{suffix}"] = states.g_inh[0, n_sub - 1 :: n_sub][:300]
                found[f"spikes_{suffix}"] = np.rint(np.asarray(spikes.t / b2.us) / us).astype(np.int32) // n_sub
    inputs.save("conductance_brian2", given, **arrays, **found)


if __name__ == "__main__":
    main()
