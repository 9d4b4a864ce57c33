"""Pair, multiplicative, nearest-neighbour and triplet STDP in Brian2: each weight after each event."""

import brian2 as b2
import inputs
import numpy as np
from with_brian2 import last, seconds, start, trains

X, Y = "dx/dt = -x / tau_plus : 1 (event-driven)", "dy/dt = -y / tau_minus : 1 (event-driven)"
X2, Y2 = "dx2/dt = -x2 / tau_x : 1 (event-driven)", "dy2/dt = -y2 / tau_y : 1 (event-driven)"
PAIR = "\n".join(["w : 1", X, Y])
TRIPLET = (
    "\n".join([PAIR, X2, Y2]),
    "w = clip(w - y * (a2_minus + a3_minus * x2), 0, w_max); x += 1; x2 += 1",
    "w = clip(w + x * (a2_plus + a3_plus * y2), 0, w_max); y += 1; y2 += 1",
)
RULES = {
    "additive": (PAIR, "w = clip(w - a_minus * y, 0, w_max); x += 1", "w = clip(w + a_plus * x, 0, w_max); y += 1"),
    "multiplicative": (PAIR, "w -= a_minus * w * y; x += 1", "w += a_plus * (w_max - w) * x; y += 1"),
    "nearest": (PAIR, "w = clip(w - a_minus * y, 0, w_max); x = 1", "w = clip(w + a_plus * x, 0, w_max); y = 1"),
    "triplet_hippocampal": TRIPLET,
    "triplet_visual": TRIPLET,
}
DELAYS = {"none": {}, "pre": {"pre": 3 * b2.ms}, "post": {"post": 3 * b2.ms}}


def main():
    """A file for each delay; its rows of events are (step of arrival, synapse, 0 for pre and 1 for post)."""
    given, arrays = inputs.stdp()
    us = 1000
    delay = round(given["delay"] / given["dt"])
    for name, delays in DELAYS.items():
        found = {}
        parts = [(arrays[side], kind, delay * (side in delays)) for kind, side in enumerate(("pre", "post"))]
        events = np.concatenate(
            [np.c_[table[:, 0] + late, table[:, 1], np.full(200, kind)] for table, kind, late in parts]
        )
        events = events[np.lexsort((events[:, 1], events[:, 0]))]
        for rule, (equations, on_pre, on_post) in RULES.items():
            start(us)
            pre, post = (trains(arrays[side][:, 0], arrays[side][:, 1], 4, us) for side in ("pre", "post"))
            synapses = b2.Synapses(
                pre, post, equations, on_pre=on_pre, on_post=on_post, delay=delays,
                namespace=seconds({k: v for k, v in given.items() if k != "delay"} | given.get(rule, {})),
            )  # fmt: skip
            synapses.connect(j="i")
            synapses.w = given["w_start"]
            states = last(synapses, "w")
            b2.Network(pre, post, synapses, states).run(given["duration"] * b2.second)
            found[rule] = states.w[events[:, 1], events[:, 0]]
        inputs.save(f"stdp_{name}_brian2", given, **arrays, events=events.astype(np.int32), **found)


if __name__ == "__main__":
    main()
