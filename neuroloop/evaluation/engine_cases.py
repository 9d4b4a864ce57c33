"""Benchmarks B1-B4 of the engine: parameters, inputs, wiring, timing and the JSON line, for us and for every peer.

Peers load this file into environments of their own, so it needs NumPy only and imports nothing of ours.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WARM_TICKS = 20


@dataclass(frozen=True, kw_only=True)
class ClosedLoop:
    """B1, B2: layers of delta-synapse LIF neurons, all-to-all, MSTDPET on every projection; times in ms."""

    sizes: tuple[int, ...]
    steps: int  # of dt = 1 ms in a tick
    w_init: tuple[float, ...]  # weights start uniform in [0, w_init)
    w_max: tuple[float, ...]
    rate: float = 30.0  # Hz of every input, Bernoulli in each step
    tau_mem: float = 100.0
    v_th: float = 13.0  # rest and reset are 0
    t_ref: float = 5.0
    tau_trace: float = 20.0
    tau_elig: float = 25.0
    nu: float = 1e-6  # w = clip(w + nu * reward * eligibility, 0, w_max) at the end of a tick


B1 = ClosedLoop(sizes=(200, 1000, 20), steps=20, w_init=(0.095, 0.038), w_max=(0.1, 0.04))
B2 = ClosedLoop(sizes=(64, 8), steps=10, w_init=(0.30,), w_max=(0.4,))


@dataclass(frozen=True, kw_only=True)
class Cuba:
    """B3: tau_mem v' = e_leak - v + g_exc + g_inh (mV), exponential g, 80 % excitatory (Brette et al. 2007)."""

    n: int
    fan_out: int = 80  # mean; each pair is wired with probability fan_out / n
    dt: float = 0.1
    tau_mem: float = 20.0
    tau_exc: float = 5.0
    tau_inh: float = 10.0
    v_th: float = -50.0
    v_reset: float = -60.0
    e_leak: float = -49.0
    w_exc: float = 1.62
    w_inh: float = -9.0
    t_ref: float = 5.0
    delay: float = 1.0

    @property
    def n_exc(self) -> int:
        return self.n * 4 // 5

    def wiring(self, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`pre`, `post` and `weights` of every synapse, ordered by `pre`, then `post`."""
        rng = np.random.default_rng(seed)
        counts = rng.binomial(self.n, self.fan_out / self.n, self.n)
        post = [np.sort(rng.choice(self.n, c, replace=False)) for c in counts]
        pre = np.repeat(np.arange(self.n), counts)
        return pre, np.concatenate(post), np.where(pre < self.n_exc, self.w_exc, self.w_inh)

    def v_start(self, seed: int = 1) -> np.ndarray:
        return np.random.default_rng(seed).uniform(self.v_reset, self.v_th, self.n)


@dataclass(frozen=True, kw_only=True)
class Brunel:
    """B4: tau_mem v' = drive - v (mV) with delta synapses and kicks; additive all-to-all pair STDP on E -> E."""

    n_exc: int
    fan_out: int  # exactly, to uniformly drawn targets (repeats allowed)
    dt: float = 0.1
    tau_mem: float = 20.0
    v_th: float = 20.0
    v_reset: float = 10.0
    t_ref: float = 2.0
    delay: float = 1.5
    drive: float = 0.0985 / (1 - np.exp(-0.1 / 20))  # 19.75 mV; the prototype adds 0.0985 mV a step
    kick: float = 2.0  # mV, to every neuron in its own Poisson train
    kick_rate: float = 200.0  # Hz; the prototype draws 2 % of the neurons in every step
    tau_trace: float = 20.0

    @property
    def n(self) -> int:
        return self.n_exc + self.n_exc // 4

    @property
    def w(self) -> float:
        return 100.0 / self.fan_out  # inhibition is -5 w, wherever it goes

    @property
    def stdp(self) -> tuple[float, float, float]:
        """`a_plus`, `a_minus`, `w_max` in mV: w += a_plus x_pre on a post, w -= a_minus y_post on a pre spike."""
        return 0.01 * self.w, 0.0105 * self.w, 2 * self.w

    def wiring(self, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """`pre` and `post` of every synapse, ordered by `pre`, then `post`."""
        rng = np.random.default_rng(seed)
        post = np.sort(rng.integers(0, self.n, (self.n, self.fan_out), dtype=np.int32), axis=1)
        return np.repeat(np.arange(self.n, dtype=np.int32), self.fan_out), post.ravel()

    def v_start(self, seed: int = 1) -> np.ndarray:
        return np.random.default_rng(seed).uniform(0.0, 15.0, self.n)


B3 = {"b3_4k": Cuba(n=4000), "b3_40k": Cuba(n=40_000)}
B4 = {"b4_5k": Brunel(n_exc=5000, fan_out=400), "b4_12k": Brunel(n_exc=12_500, fan_out=1000)}


def inputs(spec: ClosedLoop, n_ticks: int = 200, seed: int = 1) -> np.ndarray:
    """Which input fires, `(n_ticks, steps, n_inputs)` bool; ticks beyond the last start over."""
    return np.random.default_rng(seed).random((n_ticks, spec.steps, spec.sizes[0])) < spec.rate * 1e-3


def rewards(n_ticks: int = 200, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n_ticks)


def weights(spec: ClosedLoop, seed: int = 0) -> list[np.ndarray]:
    """One `(n_pre, n_post)` matrix a projection."""
    rng = np.random.default_rng(seed)
    return [rng.random(shape) * w for *shape, w in zip(spec.sizes[:-1], spec.sizes[1:], spec.w_init, strict=True)]


def tick_medians(tick: Callable[[int], object], repeats: int, seconds: float = 1.0) -> list[float]:
    """CPU us of a tick: `repeats` medians, each over the ticks that fit in `seconds`, 20 to 2000 readings of the clock.

    Short ticks are timed together, so that reading the clock does not count.
    """
    for k in range(WARM_TICKS):
        tick(k)
    start = time.process_time()
    for k in range(5):
        tick(k)
    each = max((time.process_time() - start) / 5, 1e-7)
    together = int(np.clip(100e-6 / each, 1, 100))
    n_readings = int(np.clip(seconds / (each * together), 20, 2000))
    medians = []
    for _ in range(repeats):
        stamps = [time.process_time()]
        for k in range(n_readings):
            for m in range(together):
                tick(k * together + m)
            stamps.append(time.process_time())
        medians.append(float(np.median(np.diff(stamps))) / together * 1e6)
    return medians


def cpu_seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def rates(counts: list[int], n: int) -> str:
    """The population's rate in every run of one second."""
    return ", ".join(f"{c / n:.1f}" for c in counts) + " Hz"


def report(figure: str, unit: str, samples: list[float], note: str) -> None:
    """Print the figure's JSON line; the best sample is the largest of a speed, else the smallest."""
    best = max(samples) if unit.startswith("M") or unit == "fps" else min(samples)
    low, high, best = (float(f"{x:.4g}") for x in (min(samples), max(samples), best))
    line = {"figure": figure, "value": best, "unit": unit, "n": len(samples), "low": low, "high": high, "note": note}
    print(json.dumps(line), flush=True)


def main(benches: dict[str, Callable[[str, int], None]]) -> None:
    """Run the benches named on the command line as `bench(name, repeats)`, all of them without a name."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=", ".join(benches))
    parser.add_argument("--repeats", type=int, help="default: 5 of ticks, 3 of simulated seconds")
    args = parser.parse_args()
    if unknown := set(args.benches) - set(benches):
        parser.error(f"{', '.join(sorted(unknown))}: this peer runs {', '.join(benches)}")
    for name in args.benches or benches:
        benches[name](name, args.repeats or (5 if name[:2] in ("b1", "b2") else 3))
