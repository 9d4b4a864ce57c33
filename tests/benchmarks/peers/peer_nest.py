"""NEST: B1 and B2 with dopamine-modulated STDP, B3, and B4 with `stdp_synapse_hom_hpc`; one thread, double precision."""

import os

import common
import numpy as np

os.environ["PYNEST_QUIET"] = "1"
import nest


def fresh(dt):
    nest.ResetKernel()
    nest.verbosity = nest.VerbosityLevel.ERROR
    nest.set(resolution=dt, local_num_threads=1, print_time=False)


def closed(name, repeats):
    """`Simulate` a tick at a time; the eligibility rule nearest to MSTDPET is `stdp_dopamine_synapse` (see README)."""
    spec = common.B1 if name == "b1" else common.B2
    fresh(1.0)
    lif = {"C_m": 1.0, "E_L": 0.0, "V_m": 0.0, "V_reset": 0.0, "V_th": spec.v_th, "tau_m": spec.tau_mem}
    lif |= {"t_ref": spec.t_ref, "tau_minus": spec.tau_trace}
    layers = [nest.Create("spike_train_injector", spec.sizes[0])]
    dopamine = nest.Create("spike_train_injector")
    transmitter = nest.Create("volume_transmitter", params={"deliver_interval": spec.steps})
    nest.Connect(dopamine, transmitter)
    rule = {"tau_plus": spec.tau_trace, "tau_c": spec.tau_elig, "tau_n": 20.0, "A_plus": spec.nu, "A_minus": spec.nu}
    for k, w in enumerate(common.weights(spec)):
        layers.append(nest.Create("iaf_psc_delta", spec.sizes[k + 1], lif))
        own = rule | {"volume_transmitter": transmitter, "Wmin": 0.0, "Wmax": spec.w_max[k]}
        nest.CopyModel("stdp_dopamine_synapse", f"rewarded_{k}", own)
        nest.Connect(*layers[-2:], "all_to_all", {"synapse_model": f"rewarded_{k}", "weight": w.T, "delay": 1.0})
    recorder = nest.Create("spike_recorder")
    nest.Connect(layers[-1], recorder)
    spikes, given, first, outputs = common.inputs(spec), common.rewards(), layers[-1][0].global_id, []
    now = 0

    def tick(k):
        nonlocal now
        fires = spikes[k % len(spikes)].T
        active = np.flatnonzero(fires.any(axis=1))
        layers[0][active.tolist()].set([{"spike_times": now + 1.0 + np.flatnonzero(fires[i])} for i in active])
        if given[k % len(given)] > 0:
            dopamine.set([{"spike_times": [now + 1.0]}])
        nest.Simulate(spec.steps)
        now += spec.steps
        outputs.append(np.bincount(np.array(recorder.events["senders"], int) - first, minlength=spec.sizes[-1]))
        recorder.set([{"n_events": 0}])  # a list, not a dict, which would be checked first at 45 us

    medians = common.tick_medians(tick, repeats)
    rate = np.mean(outputs) / spec.steps * 1000
    common.report(f"{name}_us", "us", medians, f"reward is a dopamine spike, never negative; outputs {rate:.0f} Hz")


def connect(neurons, pre, post, model, delay, w):
    """One synapse a row; `w` is a scalar or one weight a row."""
    ids, delays = np.array(neurons.tolist()), np.full(len(pre), delay)
    own = {"synapse_model": model, "delay": delays, "weight": np.broadcast_to(w, len(pre)).astype(float)}
    nest.Connect(ids[pre], ids[post], "one_to_one", own)


def seconds(repeats):
    """CPU seconds and spikes of every simulated second; the network goes on, its first 50 ms are left out."""
    nest.Prepare()
    nest.Run(50.0)
    spent, counts = [], []
    for _ in range(repeats):
        spent.append(common.cpu_seconds(lambda: nest.Run(1000.0)))
        counts.append(nest.local_spike_counter)
    nest.Cleanup()
    return spent, counts


def cuba(name, repeats):
    spec = common.B3[name]
    fresh(spec.dt)
    c_m = 1.0
    lif = {"C_m": c_m, "E_L": spec.e_leak, "V_reset": spec.v_reset, "V_th": spec.v_th, "tau_m": spec.tau_mem}
    lif |= {"t_ref": spec.t_ref, "tau_syn_ex": spec.tau_exc, "tau_syn_in": spec.tau_inh}
    neurons = nest.Create("iaf_psc_exp", spec.n, lif)
    neurons.V_m = spec.v_start()
    pre, post, w = spec.wiring()
    connect(neurons, pre, post, "static_synapse_hpc", spec.delay, w * c_m / spec.tau_mem)
    spent, counts = seconds(repeats)
    common.report(f"{name}_s_per_s", "s/s", spent, common.rates(counts, spec.n))


def brunel(name, repeats):
    spec = common.B4[name]
    fresh(spec.dt)
    lif = {"C_m": spec.tau_mem, "E_L": 0.0, "V_reset": spec.v_reset, "V_th": spec.v_th, "tau_m": spec.tau_mem}
    lif |= {"t_ref": spec.t_ref, "tau_minus": spec.tau_trace, "I_e": float(spec.drive)}
    neurons = nest.Create("iaf_psc_delta", spec.n, lif)
    neurons.V_m = spec.v_start()
    kicks = nest.Create("poisson_generator", params={"rate": spec.kick_rate})
    nest.Connect(kicks, neurons, "all_to_all", {"weight": spec.kick, "delay": spec.dt})
    a_plus, a_minus, w_max = spec.stdp
    additive = {"tau_plus": spec.tau_trace, "lambda": a_plus / w_max, "alpha": a_minus / a_plus}
    nest.SetDefaults("stdp_synapse_hom_hpc", additive | {"mu_plus": 0.0, "mu_minus": 0.0, "Wmax": w_max})
    pre, post = spec.wiring()
    exc, plastic = pre < spec.n_exc, (pre < spec.n_exc) & (post < spec.n_exc)
    for rows, model, w in (
        (plastic, "stdp_synapse_hom_hpc", spec.w),
        (exc & ~plastic, "static_synapse_hpc", spec.w),
        (~exc, "static_synapse_hpc", -5 * spec.w),
    ):
        connect(neurons, pre[rows], post[rows], model, spec.delay, w)
    del pre, post, exc, plastic, rows
    spent, counts = seconds(repeats)
    events = [n * spec.fan_out / s * 1e-6 for s, n in zip(spent, counts, strict=True)]
    common.report(f"{name}_mevents_per_s", "M/s", events, common.rates(counts, spec.n))


if __name__ == "__main__":
    common.main({"b1": closed, "b2": closed, "b3_4k": cuba, "b3_40k": cuba, "b4_5k": brunel, "b4_12k": brunel})
