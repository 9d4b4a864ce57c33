"""GeNN: B1-B4 on its single-threaded CPU backend, float32, code built with -O3 -ffast-math -march=native."""

import os
import tempfile

import common
import numpy as np
import pygenn
from pygenn import GeNNModel, create_wu_var_ref, init_postsynaptic, init_weight_update

os.environ |= {"CXX": "g++ -march=native", "MAKEFLAGS": "--no-print-directory"}

TRACES = {"pre_vars": [("x", "scalar")], "post_vars": [("y", "scalar")]}
TRACES |= {"pre_spike_code": "x += 1;", "post_spike_code": "y += 1;"}
TRACES |= {"pre_dynamics_code": "x *= decay;", "post_dynamics_code": "y *= decay;"}
ZERO = {"x": 0.0}, {"y": 0.0}

INPUT = pygenn.create_neuron_model(
    "input", vars=[("bits", "uint32_t"), ("fires", "int")],
    sim_code="fires = bits & 1; bits = bits / 2;", threshold_condition_code="fires != 0",
)  # fmt: skip
LIF = pygenn.create_neuron_model(
    "lif", params=["decay", "v_th", "t_ref"], vars=[("v", "scalar"), ("left", "int"), ("count", "int")],
    sim_code="v = v * decay + (left <= 0 ? Isyn : 0); left -= 1;",
    threshold_condition_code="v >= v_th", reset_code="v = 0; left = t_ref; count++;",
)  # fmt: skip
ELIGIBILITY = pygenn.create_weight_update_model(
    "eligibility", params=["decay", "lam"], vars=[("w", "scalar"), ("elig", "scalar")],
    pre_spike_syn_code="addToPost(w); elig -= y;", post_spike_syn_code="elig += x;",
    synapse_dynamics_code="elig *= lam;", **TRACES,
)  # fmt: skip
REWARD = pygenn.create_custom_update_model(
    "reward", params=["nu_reward", "w_max"], var_refs=[("w", "scalar"), ("elig", "scalar")],
    update_code="w = min(max(w + nu_reward * elig, 0.0), w_max);",
)  # fmt: skip
CUBA = pygenn.create_neuron_model(
    "cuba", params=["alpha", "e_leak", "v_th", "v_reset", "t_ref"],
    vars=[("v", "scalar"), ("left", "int"), ("count", "int")],
    sim_code="if (left <= 0) { v += alpha * (e_leak - v + Isyn); } left -= 1;",
    threshold_condition_code="v > v_th", reset_code="v = v_reset; left = t_ref; count++;",
)  # fmt: skip
EXPONENTIAL = pygenn.create_postsynaptic_model(
    "exponential", params=["keep"], sim_code="injectCurrent(inSyn); inSyn *= keep;"
)
BRUNEL = pygenn.create_neuron_model(
    "brunel", params=["alpha", "drive", "kick", "gap", "v_th", "v_reset", "t_ref"],
    vars=[("v", "scalar"), ("next", "scalar"), ("left", "int"), ("count", "int")],
    sim_code="""
    if (left <= 0) { v += alpha * (drive - v) + Isyn; }
    next -= dt;
    if (next <= 0) { next -= gap * log(1.0 - gennrand_uniform()); if (left <= 0) { v += kick; } }
    left -= 1;""",
    threshold_condition_code="v >= v_th", reset_code="v = v_reset; left = t_ref; count++;",
)  # fmt: skip
STDP = pygenn.create_weight_update_model(
    "stdp", params=["decay", "a_plus", "a_minus", "w_max"], vars=[("w", "scalar")],
    pre_spike_syn_code="addToPost(w); w = max(w - a_minus * y, 0.0);",
    post_spike_syn_code="w = min(w + a_plus * x, w_max);", **TRACES,
)  # fmt: skip


def genn(name, dt):
    model = GeNNModel("float", name, "single_threaded_cpu", optimize_code=True)
    model.dt = dt
    return model


def load(model):
    with tempfile.TemporaryDirectory() as folder:
        model.build(folder)
        model.load()


def closed(name, repeats):
    spec = common.B1 if name == "b1" else common.B2
    model = genn(name, 1.0)
    layers = [model.add_neuron_population("n0", spec.sizes[0], INPUT, {}, {"bits": 0, "fires": 0})]
    lif = {"decay": np.exp(-1 / spec.tau_mem), "v_th": spec.v_th, "t_ref": spec.t_ref}
    rule = {"decay": np.exp(-1 / spec.tau_trace), "lam": np.exp(-1 / spec.tau_elig)}
    updates = []
    for k, w in enumerate(common.weights(spec)):
        n = spec.sizes[k + 1]
        layers.append(model.add_neuron_population(f"n{k + 1}", n, LIF, lif, {"v": 0.0, "left": 0, "count": 0}))
        learn = init_weight_update(ELIGIBILITY, rule, {"w": w.ravel(), "elig": 0.0}, *ZERO)
        synapses = model.add_synapse_population(f"s{k}", "DENSE", *layers[-2:], learn, init_postsynaptic("DeltaCurr"))
        refs = {v: create_wu_var_ref(synapses, v) for v in ("w", "elig")}
        own = {"nu_reward": 0.0, "w_max": spec.w_max[k]}
        updates.append(model.add_custom_update(f"r{k}", "reward", REWARD, own, {}, refs))
        updates[-1].set_param_dynamic("nu_reward")
    load(model)
    bits, count = layers[0].vars["bits"], layers[-1].vars["count"]
    packed = (common.inputs(spec) << np.arange(spec.steps)[:, None]).sum(1).astype(np.uint32)
    given, outputs = common.rewards(), []

    def tick(k):
        bits.current_view[:] = packed[k % len(packed)]
        for _ in range(spec.steps):
            model.step_time()
        outputs.append(count.current_view.copy())
        count.current_view[:] = 0
        for update in updates:
            update.set_dynamic_param_value("nu_reward", spec.nu * given[k % len(given)])
        model.custom_update("reward")

    medians = common.tick_medians(tick, repeats)
    rate = np.mean(outputs) / spec.steps * 1000
    common.report(f"{name}_us", "us", medians, f"eligibility decays in every step; outputs {rate:.0f} Hz")
    model.unload()


def wire(model, name, neurons, rows, pair, delay, weight_update, postsynaptic):
    synapses = model.add_synapse_population(name, "SPARSE", neurons, neurons, weight_update, postsynaptic)
    synapses.set_sparse_connections(pair[0][rows], pair[1][rows])
    synapses.axonal_delay_steps = round(delay / model.dt) - 1  # an undelayed spike takes one step


def seconds(model, neurons, repeats):
    """CPU seconds and spikes of every simulated second; the network goes on, its first 50 ms are left out."""
    load(model)
    count = neurons.vars["count"]

    def steps(duration):
        for _ in range(round(duration / model.dt)):
            model.step_time()

    steps(50)
    spent, counts = [], []
    for _ in range(repeats):
        count.current_view[:] = 0
        spent.append(common.cpu_seconds(lambda: steps(1000)))
        counts.append(int(count.current_view.sum()))
    model.unload()
    return spent, counts


def cuba(name, repeats):
    spec = common.B3[name]
    model = genn(name, spec.dt)
    params = {"alpha": 1 - np.exp(-spec.dt / spec.tau_mem), "t_ref": round(spec.t_ref / spec.dt)}
    params |= {key: getattr(spec, key) for key in ("e_leak", "v_th", "v_reset")}
    start = {"v": spec.v_start(), "left": 0, "count": 0}
    neurons = model.add_neuron_population("n", spec.n, CUBA, params, start)
    *pair, w = spec.wiring()
    exc = pair[0] < spec.n_exc
    for which, rows, tau in (("exc", exc, spec.tau_exc), ("inh", ~exc, spec.tau_inh)):
        current = init_postsynaptic(EXPONENTIAL, {"keep": np.exp(-spec.dt / tau)})
        static = init_weight_update("StaticPulse", {}, {"g": w[rows]})
        wire(model, which, neurons, rows, pair, spec.delay, static, current)
    spent, counts = seconds(model, neurons, repeats)
    common.report(f"{name}_s_per_s", "s/s", spent, common.rates(counts, spec.n))


def brunel(name, repeats):
    spec = common.B4[name]
    model = genn(name, spec.dt)
    params = {"alpha": 1 - np.exp(-spec.dt / spec.tau_mem), "t_ref": round(spec.t_ref / spec.dt)}
    params |= {key: getattr(spec, key) for key in ("drive", "kick", "v_th", "v_reset")} | {"gap": 1000 / spec.kick_rate}
    first = np.random.default_rng(2).exponential(1000 / spec.kick_rate, spec.n)
    start = {"v": spec.v_start(), "next": first, "left": 0, "count": 0}
    neurons = model.add_neuron_population("n", spec.n, BRUNEL, params, start)
    rule = dict(zip(("a_plus", "a_minus", "w_max"), spec.stdp, strict=True)) | {"decay": np.exp(-spec.dt / 20)}
    pair, delta = spec.wiring(), init_postsynaptic("DeltaCurr")
    exc, plastic = pair[0] < spec.n_exc, (pair[0] < spec.n_exc) & (pair[1] < spec.n_exc)
    learn = init_weight_update(STDP, rule, {"w": spec.w}, *ZERO)
    wire(model, "plastic", neurons, plastic, pair, spec.delay, learn, delta)
    for which, rows, w in (("fixed", exc & ~plastic, spec.w), ("inh", ~exc, -5 * spec.w)):
        static = init_weight_update("StaticPulse", {}, {"g": w})
        wire(model, which, neurons, rows, pair, spec.delay, static, delta)
    spent, counts = seconds(model, neurons, repeats)
    events = [n * spec.fan_out / s * 1e-6 for s, n in zip(spent, counts, strict=True)]
    common.report(f"{name}_mevents_per_s", "M/s", events, common.rates(counts, spec.n))


if __name__ == "__main__":
    common.main({"b1": closed, "b2": closed, "b3_4k": cuba, "b3_40k": cuba, "b4_5k": brunel, "b4_12k": brunel})
