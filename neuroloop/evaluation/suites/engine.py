"""The suite `engine`: what a control step, a simulated second and a start cost, beside other simulators.

B1-B4 are described in `engine_cases.py`, and what each peer runs in `tests/benchmarks/peers/README.md`. Times are CPU times of
one thread, the best of several; peers run in their own environments, between two rounds of ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ... import (
    LIF,
    RSTDP,
    STDP,
    Delta,
    Exponential,
    Network,
    OneToOne,
    Pairs,
    Poisson,
    Spikes,
)
from ...network.network import Counters
from ...view.activity import draw_activity
from .. import engine_cases as cases
from ..figures import Figure, Suite
from ..peers import run_peer

Report = Callable[[str], Any]
MS = 1e-3
ACTIVITY = "us_by_activity"
PEERS = {"brian2": "b1 b2 b3_4k b3_40k b4_5k", "genn": "b1 b2 b3_4k b3_40k b4_5k", "nest": "b1 b2 b3_4k b3_40k b4_5k",
         "bindsnet": "b1 b2", "nengo": "b1 b2"}  # fmt: skip
TARGETS = {"b1": 90.0, "b2": 2.0, "b3_4k": 0.025, "b3_40k": 0.25, "b4_5k": 80.0}
RATIOS = {"b1": 30.0, "b2": 30.0, "b3_4k": 3.0, "b3_40k": 3.0, "b4_5k": 4.0}
ACTIVE = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def run(quick: bool, peers: bool, report: Report) -> Suite:
    """Measure everything; `peers`: build the environments of other simulators where missing, and run them too."""
    figures: list[Figure] = []
    rows: list[dict[str, Any]] = []
    for name in ("b1", "b2", "b3_4k", "b3_40k", "b4_5k"):
        samples, unit, note = measure(name, quick)
        rivals = (
            {peer: run_peer(peer, name, quick, report) for peer, known in PEERS.items() if name in known.split()}
            if peers
            else {}
        )
        if rivals:
            samples += measure(name, quick)[0]
        high = unit.startswith("M")
        best = max(samples) if high else min(samples)
        figure = f"{name}_{_suffix(name)}"
        figures.append(
            Figure(
                figure, best, unit, len(samples), TARGETS[name], "high" if high else "low", min(samples), max(samples)
            )
        )
        rows.append({"figure": figure, "who": "neuroloop", "value": best, "unit": unit, "note": note})
        for peer, line in rivals.items():
            rows.append({"figure": figure, "who": peer, "value": line["value"], "unit": unit, "note": line["note"]})
            ratio = best / line["value"] if high else line["value"] / best
            target = None if peer == "nengo" else RATIOS[name]  # it does not learn
            figures.append(Figure(f"{figure}_vs_{peer}", ratio, "×", line["n"], target, "high"))
        report(f"{figure}: {best:.4g} {unit}")
    curve = activity(quick)
    rows += [_activity_row(share, us) for share, us in curve.items()]
    figures.append(Figure("sparse_1_over_50_cost", curve[0.01] / curve[0.5], "", len(curve), 0.05))
    report("cost against activity measured")
    figures += starts(3 if quick else 7)
    figures += large(quick)
    return Suite("engine", figures, rows)


def _activity_row(share: float, us: float) -> dict[str, Any]:
    return {"figure": ACTIVITY, "who": f"{share:.1%}", "value": us, "unit": "us", "note": "of neurons fire in a tick"}


def draw(suite: Suite, path: Path) -> Path:
    """Draw the cost against activity that the suite measured. Raises `MissingExtra` without matplotlib."""
    rows = [row for row in suite.rows if row["figure"] == ACTIVITY]
    return draw_activity({float(row["who"].rstrip("%")) / 100.0: row["value"] for row in rows}, path)


def _suffix(name: str) -> str:
    return {"b1": "us", "b2": "us", "b4": "mevents_per_s"}.get(name[:2], "s_per_s")


def measure(name: str, quick: bool) -> tuple[list[float], str, str]:
    """Samples of a benchmark, their unit, and a note."""
    if name in ("b1", "b2"):
        tick, outputs = closed_loop(cases.B1 if name == "b1" else cases.B2)
        return cases.tick_medians(tick, 5, 0.3 if quick else 1.0), "us", outputs()
    length = 0.3 if quick and name.endswith("40k") else 1.0
    net, n, fan_out = cuba(cases.B3[name]) if name in cases.B3 else brunel(cases.B4[name])
    net.simulate(0.05)
    seconds, spikes = [], []
    for _ in range(2 if quick else 5):
        before = net.counters
        seconds.append(cases.cpu_seconds(lambda: net.simulate(length)))
        spikes.append(_spikes_of(net.counters, fan_out) - _spikes_of(before, fan_out))
    note = f"{min(spikes) / n / length:.1f}-{max(spikes) / n / length:.1f} Hz"
    if fan_out is None:
        return [s / length for s in seconds], "s/s", note
    return [spiked * fan_out / s * 1e-6 for spiked, s in zip(spikes, seconds, strict=True)], "M/s", note


def _spikes_of(done: Counters, fan_out: int | None) -> float:
    """Spikes of the neurons that count: all of them, or those with so many synapses each, where the others have one."""
    return done.spikes if fan_out is None else (done.synaptic_events - done.spikes) / (fan_out - 1)


def closed_loop(spec: cases.ClosedLoop) -> tuple[Callable[[int], Any], Callable[[], str]]:
    """B1, B2: a tick, and what to say of it."""
    net = Network(dt=MS, n_steps=spec.steps)
    layers = [net.input(spec.sizes[0])]
    rule = RSTDP(rate=spec.nu, tau_plus=spec.tau_trace * MS, tau_minus=spec.tau_trace * MS, tau_elig=spec.tau_elig * MS)
    for k, w in enumerate(cases.weights(spec)):
        layers.append(
            net.population(LIF(tau_mem=spec.tau_mem * MS, t_ref=spec.t_ref * MS, v_th=spec.v_th), spec.sizes[k + 1])
        )
        net.connect(layers[-2], layers[-1], w, synapse=Delta(), plasticity=rule, bounds=(0.0, spec.w_max[k]))
    given = []
    for fires in cases.inputs(spec):
        steps, ids = np.nonzero(fires)
        given.append(Spikes.of(steps, ids, spec.steps))
    paid = cases.rewards().tolist()
    run = net.run

    def tick(k: int) -> Spikes:
        return run(given[k % 200], paid[k % 200])

    def note() -> str:
        rate = np.mean([tick(k).n for k in range(200)]) / (spec.steps * MS * spec.sizes[-1])
        return f"outputs {rate:.0f} Hz"

    return tick, note


def cuba(spec: cases.Cuba) -> tuple[Network, int, int | None]:
    """B3: the network and its size."""
    net = Network(dt=spec.dt * MS, n_steps=10)
    model = LIF(
        tau_mem=spec.tau_mem * MS, t_ref=spec.t_ref * MS, v_rest=spec.e_leak, v_th=spec.v_th, v_reset=spec.v_reset
    )
    cells = net.population(model, spec.n)
    pre, post, w = spec.wiring()
    for mine, tau in ((pre < spec.n_exc, spec.tau_exc), (pre >= spec.n_exc, spec.tau_inh)):
        pairs, synapse = Pairs(pre=pre[mine], post=post[mine]), Exponential(tau=tau * MS)
        net.connect(cells, cells, w[mine], layout=pairs, synapse=synapse, delay=spec.delay * MS)
    cells["v"] = spec.v_start()
    return net, spec.n, None


def brunel(spec: cases.Brunel) -> tuple[Network, int, int | None]:
    """B4: the network, its size, and the synapses of each of its neurons; kicks have one each."""
    net = Network(dt=spec.dt * MS, n_steps=100)
    model = LIF(
        tau_mem=spec.tau_mem * MS, t_ref=spec.t_ref * MS, v_th=spec.v_th, v_reset=spec.v_reset, bias=float(spec.drive)
    )  # fmt: skip
    cells, kicks = net.population(model, spec.n), net.population(Poisson(rate=spec.kick_rate), spec.n)
    net.connect(kicks, cells, spec.kick, layout=OneToOne(), synapse=Delta())
    pre, post = spec.wiring()
    a_plus, a_minus, w_max = spec.stdp
    exc, plastic = pre < spec.n_exc, (pre < spec.n_exc) & (post < spec.n_exc)
    for mine, w, rule in (
        (plastic, spec.w, STDP(a_plus=a_plus, a_minus=a_minus)), (exc & ~plastic, spec.w, None), (~exc, -5 * spec.w, None)
    ):  # fmt: skip
        net.connect(
            cells, cells, w, layout=Pairs(pre=pre[mine], post=post[mine]), synapse=Delta(), delay=spec.delay * MS,
            plasticity=rule, bounds=(0.0, w_max) if rule else (-np.inf, np.inf),
        )  # fmt: skip
    cells["v"] = spec.v_start()
    return net, spec.n, spec.fan_out


def activity(quick: bool, n: int = 1000, n_steps: int = 20) -> dict[float, float]:
    """CPU us of a tick of n → n neurons with rewarded STDP, by the share of neurons on both sides that fire in a tick."""
    curve = {}
    for share in ACTIVE:
        rng = np.random.default_rng(0)
        net = Network(dt=MS, n_steps=n_steps)
        pre, post = net.input(n), net.population(LIF(), n)
        rule = RSTDP(rate=1e-12, tau_elig=0.1)
        net.connect(pre, post, 1e-7, synapse=Delta(), plasticity=rule, bounds=(0.0, 2e-7))
        net.connect(pre, post, 2.0, synapse=Delta(), layout=OneToOne())  # so that neuron i fires when input i does
        given = []
        for _ in range(200):
            who = np.flatnonzero(rng.random(n) < share)
            given.append(Spikes.of(rng.integers(0, n_steps, who.size), who, n_steps))
        for k in range(100):
            net.run(given[k], 0.1)
        curve[share] = min(cases.tick_medians(_taking(net, given), 3, 0.2 if quick else 0.5))
    return curve


def _taking(net: Network, given: list[Spikes]) -> Callable[[int], Spikes]:
    """A tick that takes what is given in turn."""
    return lambda k: net.run(given[k % len(given)], 0.1)


_START = """
import time, numpy as np
from neuroloop import LIF, RSTDP, Delta, Network, Spikes
begun = time.perf_counter()
net = Network(n_steps=20)
layers = [net.input({0})]
for n in ({1}, {2}, 4):
    layers.append(net.population(LIF(), n))
    net.connect(layers[-2], layers[-1], 0.1, synapse=Delta(), plasticity=RSTDP(), bounds=(0.0, 1.0))
net.run(Spikes.of([0, 3], [1, 2], 20))
print(time.perf_counter() - begun)
"""
_LARGE = """
import resource, time, numpy as np
from neuroloop import LIF, Exponential, FixedOutDegree, Network, Normal
n, k, seconds = {0}, {1}, {2}
begun = time.perf_counter()
net = Network(dt=1e-3, n_steps=10)
cells = net.population(LIF(t_ref=0.002, bias=np.linspace(0.5, 1.1, n)), n)
net.connect(cells, cells, Normal(mean=0.0, sd=0.02), layout=FixedOutDegree(n=k), synapse=Exponential(), delay=2e-3)
cells["v"] = np.random.default_rng(0).random(n)
built = time.perf_counter() - begun
begun = time.process_time()
net.simulate(seconds)
print(built, (time.process_time() - begun) / seconds, net.counters.spikes / n / seconds,
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def starts(repeats: int) -> list[Figure]:
    """Seconds from nothing to the end of the first tick, imports excluded: with all kernels cached, and with none."""
    sizes = np.random.default_rng(0).integers(5, 90, (repeats + 1, 3)).tolist()
    warm = [_script(_START.format(*size))[0] for size in sizes][1:]
    with tempfile.TemporaryDirectory() as folder:
        cold = _script(_START.format(40, 70, 30), NUMBA_CACHE_DIR=folder)[0]
    return [
        Figure("cold_start_s", float(np.median(warm)), "s", repeats, 0.6, "low", min(warm), max(warm)),
        Figure("compile_s", cold, "s", 1),
    ]


def large(quick: bool) -> list[Figure]:
    """Networks of 10⁵ neurons with 10⁷ synapses, and of 10⁶ with 10⁸: memory, building, speed."""
    built, speed, rate, gib = _script(_LARGE.format(100_000, 100, 0.2))
    figures = [Figure("build_1e7_synapses_s", built, "s", 1, 10.0)]
    if not quick:
        built, speed, rate, gib = _script(_LARGE.format(1_000_000, 100, 0.5))
        figures += [
            Figure("million_memory_gib", gib, "GiB", 1, 4.0), Figure("million_build_s", built, "s", 1),
            Figure("million_s_per_s", speed, f"s/s at {rate:.1f} Hz", 1),
        ]  # fmt: skip
    return figures


def _script(text: str, **environment: str) -> list[float]:
    """The numbers that a program of ours prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", text], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]
