"""Shared by the Brian2 scripts: float64, NumPy code generation, given trains, spikes as step numbers."""

import brian2 as b2
import numpy as np

b2.prefs.codegen.target = "numpy"
b2.BrianLogger.suppress_hierarchy("brian2.codegen")
b2.BrianLogger.suppress_hierarchy("brian2.stateupdaters")


def start(us):
    """A new simulation with a step of `us` microseconds."""
    b2.start_scope()
    b2.defaultclock.dt = us * b2.us


def clamped(t_ref, us):
    """Brian2 counts the step of the spike as refractory; ours begin after it."""
    return t_ref * b2.second + us * b2.us


def trains(steps, index, n, us):
    """`n` given trains; Brian2 emits a spike of time k*dt in step k."""
    return b2.SpikeGeneratorGroup(n, np.asarray(index), np.asarray(steps) * us * b2.us)


def steps_of(monitor, us):
    """Step numbers of recorded spikes."""
    return np.rint(np.asarray(monitor.t / b2.us) / us).astype(np.int32)


def last(group, names, **options):
    """What `names` are when a step is over, reset included."""
    return b2.StateMonitor(group, names, record=True, when="end", order=100, **options)


def seconds(parameters):
    """The namespace of the equations: what is a time constant gets its unit."""
    return {k: v * b2.second if k.startswith("tau") else v for k, v in parameters.items() if k != "dt"}
