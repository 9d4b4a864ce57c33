"""Shared by the NEST scripts: resets, given trains, spikes and traces as step numbers."""

import nest
import numpy as np

nest.verbosity = nest.VerbosityLevel.ERROR


def start(us):
    """A new simulation with a step of `us` microseconds."""
    nest.ResetKernel()
    nest.resolution = us / 1000


def lif(parameters):
    """A membrane of 20 pF and 1 nS: a pA (or nS) is worth one dimensionless unit, a mV too."""
    capacity = {"C_m": 1e3 * parameters["tau_mem"], "E_L": parameters["v_rest"], "t_ref": 1e3 * parameters["t_ref"]}
    return capacity | {"V_th": parameters["v_th"], "V_reset": parameters["v_reset"], "V_m": parameters["v_rest"]}


def generators(steps, index, n, us, early=1):
    """`n` generators whose spikes reach their targets in `steps`; `early` is the delay to there, in steps.

    A time stamp of (k+1)*dt is our step k, and the delay comes on top.
    """
    steps, index = np.asarray(steps), np.asarray(index)
    times = [np.round((steps[index == i] + 1 - early) * us / 1000, 4) for i in range(n)]
    return nest.Create("spike_generator", n, [{"spike_times": t} for t in times])


def parrots(steps, index, n, us):
    """`n` neurons that fire in the given steps."""
    cells = nest.Create("parrot_neuron", n)
    delay = {"delay": us / 1000}
    nest.Connect(generators(steps, index, n, us), cells, "one_to_one", delay)
    return cells


def spikes_of(recorder, us):
    """(steps, senders from 0 by node id) of recorded spikes."""
    events = recorder.events
    return np.rint(events["times"] * 1000 / us).astype(np.int32) - 1, events["senders"]


def watch(cells, names, us):
    """A multimeter that records every step."""
    meter = nest.Create("multimeter", {"record_from": list(names), "interval": us / 1000})
    nest.Connect(meter, cells, syn_spec={"delay": us / 1000})
    return meter


def trace(meter, name, n_cells, n_steps):
    """Array (cells, steps) of the states after each of the first steps."""
    events = meter.events
    order = np.lexsort((events["times"], events["senders"]))
    return events[name][order].reshape(n_cells, -1)[:, :n_steps]
