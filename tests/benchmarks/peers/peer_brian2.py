"""Brian2: B1 and B2 closed loop (cython runtime); B1 open loop, B3 and B4 (C++ standalone, needs a compiler)."""

import subprocess
import tempfile
import time
from pathlib import Path

import brian2
import common
import numpy as np
from brian2 import NeuronGroup, SpikeMonitor, Synapses, TimedArray, defaultclock, device, ms

brian2.prefs.core.default_float_dtype = np.float32

TRACES = "dx/dt = -x / tau_trace : 1 \n dy/dt = -y / tau_trace : 1 \n"
LAYER = "dv/dt = -v / tau_mem : 1 \n" + TRACES
CUBA = """dv/dt = (e_leak - v + g_exc + g_inh) / tau_mem : 1 (unless refractory)
dg_exc/dt = -g_exc / tau_exc : 1 \n dg_inh/dt = -g_inh / tau_inh : 1"""
BRUNEL = "dv/dt = (drive - v) / tau_mem : 1 (unless refractory) \n next_kick : second \n" + TRACES
ARRIVE = "v_post += w * int(not_refractory_post);"
STDP = {  # traces in the neurons, or as Brian2's own examples have them, in every synapse
    "": ("w : 1", "w = clip(w - a_minus * y_post, 0, w_max)", "w = clip(w + a_plus * x_pre, 0, w_max)"),
    "_textbook": (
        "w : 1 \n da/dt = -a / tau_trace : 1 (event-driven) \n db/dt = -b / tau_trace : 1 (event-driven)",
        "a += 1; w = clip(w - a_minus * b, 0, w_max)",
        "b += 1; w = clip(w + a_plus * a, 0, w_max)",
    ),
}


def namespace(spec, times, scalars):
    return {key: getattr(spec, key) * ms for key in times.split()} | {k: getattr(spec, k) for k in scalars.split()}


def layered(spec, active, reward, tables):
    """The network of B1 or B2: traces in the neurons, eligibility on spikes, one pass over the weights a tick."""
    space = tables | namespace(spec, "tau_mem tau_trace tau_elig t_ref", "v_th nu")
    own = {"method": "exact", "namespace": space}
    layers = [NeuronGroup(spec.sizes[0], f"{active} \n {TRACES}", threshold="active > 0.5", reset="x += 1", **own)]
    own |= {"threshold": "v > v_th", "reset": "v = 0; x += 1; y += 1", "refractory": "t_ref"}
    projections = []
    for n, w, w_max in zip(spec.sizes[1:], common.weights(spec), spec.w_max, strict=True):
        layers.append(NeuronGroup(n, LAYER, **own))
        model = f"w : 1 \n delig/dt = -elig / tau_elig : 1 (event-driven) \n {reward}"
        rule = {"on_pre": ARRIVE + "elig -= y_post", "on_post": "elig += x_pre"}
        synapses = Synapses(*layers[-2:], model, **rule, namespace=space | {"w_max": w_max})
        synapses.connect()
        synapses.w = w.ravel()
        learn = "w = clip(w + nu * reward * elig * exp(-(t - lastupdate) / tau_elig), 0, w_max)"
        synapses.run_regularly(learn, dt=spec.steps * ms)  # at the start of a step: at the end of the tick before
        projections.append(synapses)
    return layers, projections


def closed(name, repeats):
    """One `run` whose network operation is the loop: it takes spikes out and puts reward and inputs in."""
    spec, n_ticks = (common.B1, 50) if name == "b1" else (common.B2, 500)
    brian2.prefs.codegen.target = "cython"
    defaultclock.dt = 1 * ms
    layers, projections = layered(spec, "active : 1", "reward : 1 (shared)", {})
    counter = SpikeMonitor(layers[-1], record=False)
    fires, count = layers[0].variables["active"].get_value(), counter.variables["count"].get_value()
    reward = [s.variables["reward"].get_value() for s in projections]
    spikes, given, outputs, stamps, step = common.inputs(spec), common.rewards(), [], [], 0

    def exchange():
        nonlocal step
        tick, k = divmod(step, spec.steps)
        fires[:] = spikes[tick % len(spikes), k]
        if k == 0:
            stamps.append(time.process_time())
            outputs.append(count.copy())
            count[:] = 0
            for r in reward:
                r[:] = given[tick % len(given)]
        step += 1

    net = brian2.Network(
        *layers, *projections, counter, brian2.NetworkOperation(exchange, dt=1 * ms, when="start", order=-1)
    )
    net.run((common.WARM_TICKS + repeats * n_ticks + 1) * spec.steps * ms)
    spent = np.diff(stamps)[common.WARM_TICKS :].reshape(repeats, n_ticks)
    rate = np.mean(outputs) / spec.steps * 1000
    common.report(f"{name}_us", "us", list(np.median(spent, axis=1) * 1e6), f"cython runtime; outputs {rate:.0f} Hz")


def standalone(build, seconds, repeats):
    """CPU seconds of each run of `seconds` after a 50 ms one, and its spikes; `build` returns groups and synapses."""
    with tempfile.TemporaryDirectory() as folder:
        device.reinit()
        brian2.set_device("cpp_standalone", directory=folder, build_on_run=False)
        groups, projections = build()
        counters = [SpikeMonitor(g, record=False) for g in groups]
        net = brian2.Network(*groups, *projections)
        net.run(50 * ms)
        net.add(*counters)
        device.insert_code("before_network_run", "const std::clock_t cpu_start = std::clock();")
        net.run(seconds * 1000 * ms)
        spent = "double(std::clock() - cpu_start) / CLOCKS_PER_SEC"
        device.insert_code("main", f'std::ofstream(results_dir + "cpu.txt") << {spent};')
        device.build(directory=folder, run=False)
        spent, results = [], Path(folder) / "results"
        for _ in range(repeats):
            subprocess.run([Path(folder) / "main"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            spent.append(float((results / "cpu.txt").read_text()))
        counts = [device.get_array_filename(c.variables["count"]) for c in counters]
        return spent, sum(int(np.fromfile(results / Path(c).name, np.int32).sum()) for c in counts)


def open_loop(name, repeats):
    """B1 with every input and reward known before the run: the most that standalone mode can do."""
    spec, n_ticks = common.B1, 200

    def build():
        defaultclock.dt = 1 * ms
        spikes = common.inputs(spec, n_ticks + 3).reshape(-1, spec.sizes[0]).astype(np.float32)
        tables = {"spikes": TimedArray(spikes, dt=1 * ms), "given": TimedArray(common.rewards(), dt=spec.steps * ms)}
        return layered(spec, "active = spikes(t, i) : 1", "reward = given(t) : 1 (shared)", tables)

    spent, _ = standalone(build, n_ticks * spec.steps * 1e-3, repeats)
    common.report("b1_open_loop_us", "us", [s / n_ticks * 1e6 for s in spent], "C++ standalone; no loop: see README")


def wire(neurons, rows, pre, post, delay, model, on_pre, on_post=None, w=None, **own):
    synapses = Synapses(neurons, neurons, model, on_pre=on_pre, on_post=on_post, **own)
    synapses.connect(i=pre[rows], j=post[rows])
    synapses.pre.delay = delay * ms
    if w is not None:
        synapses.w = w
    return synapses


def cuba(name, repeats):
    spec = common.B3[name]

    def build():
        defaultclock.dt = spec.dt * ms
        space = namespace(spec, "tau_mem tau_exc tau_inh t_ref", "v_th v_reset e_leak")
        own = {"threshold": "v > v_th", "reset": "v = v_reset", "refractory": "t_ref", "namespace": space}
        neurons = NeuronGroup(spec.n, CUBA, method="exact", **own)
        neurons.v = spec.v_start()
        pre, post, w = spec.wiring()
        targets = ("g_exc", pre < spec.n_exc), ("g_inh", pre >= spec.n_exc)
        return [neurons], [
            wire(neurons, rows, pre, post, spec.delay, "w : 1", f"{g}_post += w", w=w[rows]) for g, rows in targets
        ]

    spent, n_spikes = standalone(build, 1.0, repeats)
    common.report(f"{name}_s_per_s", "s/s", spent, f"C++ standalone; {common.rates([n_spikes], spec.n)}")


def brunel(name, repeats):
    spec, (model, depress, potentiate) = common.B4[name[: name.index("k") + 1]], STDP["_textbook" * ("text" in name)]

    def build():
        defaultclock.dt = spec.dt * ms
        space = namespace(spec, "tau_mem tau_trace t_ref", "v_th v_reset drive kick")
        space |= dict(zip(("a_plus", "a_minus", "w_max"), spec.stdp, strict=True)) | {"gap": 1000 / spec.kick_rate * ms}
        own = {"threshold": "v > v_th", "reset": "v = v_reset; x += 1; y += 1", "refractory": "t_ref"}
        own |= {"events": {"kick": "t >= next_kick"}, "namespace": space}
        neurons = NeuronGroup(spec.n, BRUNEL, method="exact", **own)
        neurons.run_on_event("kick", "v += kick * int(not_refractory); next_kick -= gap * log(1 - rand())")
        neurons.v = spec.v_start()
        neurons.next_kick = "-gap * log(1 - rand())"
        pre, post = spec.wiring()
        exc, plastic = pre < spec.n_exc, (pre < spec.n_exc) & (post < spec.n_exc)
        pair, fixed = (pre, post, spec.delay), {"namespace": space | {"w": spec.w}}
        return [neurons], [
            wire(neurons, plastic, *pair, model, ARRIVE + depress, potentiate, w=spec.w, namespace=space),
            wire(neurons, exc & ~plastic, *pair, "", ARRIVE, **fixed),
            wire(neurons, ~exc, *pair, "", ARRIVE.replace("w", "-5 * w"), **fixed),
        ]

    spent, n_spikes = standalone(build, 1.0, repeats)
    events = [n_spikes * spec.fan_out / s * 1e-6 for s in spent]
    common.report(f"{name}_mevents_per_s", "M/s", events, f"C++ standalone; {common.rates([n_spikes], spec.n)}")


if __name__ == "__main__":
    benches = {"b1": closed, "b2": closed, "b1_open": open_loop, "b3_4k": cuba, "b3_40k": cuba}
    common.main(benches | {"b4_5k": brunel, "b4_12k": brunel, "b4_5k_textbook": brunel})
