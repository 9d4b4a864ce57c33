"""Nengo: B1 and B2 forward only (no rule of Nengo's is reward-modulated STDP), dense neuron-to-neuron weights."""

import common
import nengo
import numpy as np


def forward(name, repeats):
    spec = common.B1 if name == "b1" else common.B2
    spikes = common.inputs(spec).astype(float).reshape(-1, spec.sizes[0])
    counts, total = np.zeros(spec.sizes[-1]), np.zeros(spec.sizes[-1])

    def feed(t):
        return spikes[(round(t * 1000) - 1) % len(spikes)]

    def collect(t, x):
        counts[:] += x

    with nengo.Network(seed=0) as net:
        layer = nengo.Node(feed, size_out=spec.sizes[0])
        scale = 1.0  # a node sends 0 or 1, neurons 0 or 1/dt
        for n, w in zip(spec.sizes[1:], common.weights(spec), strict=True):
            lif = nengo.LIF(tau_rc=spec.tau_mem * 1e-3, tau_ref=spec.t_ref * 1e-3)
            ones, zeros = np.ones(n), np.zeros(n)
            neurons = nengo.Ensemble(n, 1, neuron_type=lif, gain=ones, bias=zeros).neurons
            jump = w.T / spec.v_th * spec.tau_mem * scale  # a current for one step that lifts v by w / v_th
            nengo.Connection(layer, neurons, transform=jump, synapse=None)
            layer, scale = neurons, 1e-3
        nengo.Connection(layer, nengo.Node(collect, size_in=spec.sizes[-1]), transform=1e-3, synapse=None)

    with nengo.Simulator(net, dt=1e-3, progress_bar=False) as sim:
        ticks = 0

        def tick(k):
            nonlocal ticks
            counts[:] = 0
            sim.run_steps(spec.steps, progress_bar=False)
            total[:] += counts
            ticks += 1

        medians = common.tick_medians(tick, repeats)
    rate = total.mean() / (ticks * spec.steps * 1e-3)
    common.report(f"{name}_us", "us", medians, f"forward only, no learning; outputs {rate:.0f} Hz")


if __name__ == "__main__":
    common.main({"b1": forward, "b2": forward})
