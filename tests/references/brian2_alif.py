"""Adaptive LIF in Brian2: a threshold that jumps at each spike, and an adaptation current (exact, and exponential Euler)."""

import brian2 as b2
import inputs
from with_brian2 import clamped, last, seconds, start, steps_of

THRESHOLD = """
dv/dt = (drive - v) / tau_mem : 1 (unless refractory)
dtheta/dt = -theta / tau_theta : 1
drive : 1
"""
CURRENT = """
dv/dt = (drive - w - v) / tau_mem : 1 (unless refractory)
dw/dt = -w / tau_w : 1
drive : 1
"""
CELLS = {  # equations, threshold, reset, method, state
    "theta": (THRESHOLD, "v >= v_th + theta", "v = 0; theta += theta_jump", "exact", "theta"),
    "current": (CURRENT, "v >= v_th", "v = 0; w += b", "exact", "w"),
    "current_expeuler": (CURRENT, "v >= v_th", "v = 0; w += b", "exponential_euler", "w"),
}


def main():
    """Two constant drives for each kind of adaptation."""
    given, _ = inputs.alif()
    found = {}
    for us in (1000, 100):
        for name, (equations, threshold, reset, method, state) in CELLS.items():
            start(us)
            cells = b2.NeuronGroup(
                2, equations, threshold=threshold, reset=reset, method=method,
                refractory=clamped(given["t_ref"], us), namespace=seconds(given),
            )  # fmt: skip
            cells.drive = given["drives"]
            spikes, states = b2.SpikeMonitor(cells), last(cells, ["v", state])
            b2.run(given["duration"] * b2.second)
            found[f"v_{name}_{us}us"] = states.v[:, :200]
            found[f"{state}_{name}_{us}us"] = getattr(states, state)[:, :200]
            found[f"spikes_{name}_{us}us"] = inputs.spike_table(steps_of(spikes, us), spikes.i)
    inputs.save("alif_brian2", given, **found)


if __name__ == "__main__":
    main()
