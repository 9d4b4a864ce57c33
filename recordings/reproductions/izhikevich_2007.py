"""Reinforcing a synapse: dopamine seconds later finds the one whose pairings earned it (Izhikevich 2007, Cerebral Cortex 17,
2443-2452, figure 1).

1000 neurons of Izhikevich's model, 800 excitatory and 200 inhibitory, each with 100 random synapses of 1 ms, in noise. One
excitatory synapse begins at 0. Whenever its postsynaptic neuron fires within 10 ms after its presynaptic one, 0.5 uM of
dopamine come 1 to 3 s later. STDP (0.1 exp(-t/20 ms) and -0.15 exp(-t/20 ms)) drives an eligibility that fades in 1 s;
every 10 ms weights change by (0.002 + dopamine) times eligibility, between 0 and 4 mV; dopamine fades in 0.2 s.

    PYTHONPATH=. python recordings/reproductions/izhikevich_2007.py [SECONDS] [SEEDS]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroloop import RSTDP, Delta, Network, Neuron, Pairs
from neuroloop.network.parameters import NonNegative, Number
from neuroloop.rows import f32
from recordings.reproductions.table import table

MOST = 4.0  # mV, of a weight
STEP, PERIOD = 0.5e-3, 10e-3  # s, of the network and of the changes of weights
COINCIDENCE = 0.010  # s
DOPAMINE, BASELINE, TAU_DOPAMINE = 0.5, 0.002, 0.2  # uM, uM, s
DELAY = (1.0, 3.0)  # s from a coincidence to dopamine


class Size(NamedTuple):
    """Of a network."""

    excitatory: int = 800
    inhibitory: int = 200
    synapses: int = 100  # of each neuron


PAPER = Size()


class Noisy(Neuron, frozen=True, kw_only=True):
    """Izhikevich's neuron in noise, every half millisecond another current."""

    a: Number = 0.02
    d: Number = 8.0
    sigma: NonNegative = 0.0  # of the current

    STATE: ClassVar[dict[str, str | float]] = {"v": -65.0, "u": -13.0}

    def factors(self, p: SimpleNamespace, dt: float) -> dict[str, Any]:
        return {"a": p.a, "d": p.d, "sigma": p.sigma, "h": dt * 1e3}

    def update(self, leaky: bool) -> Callable[..., Any]:
        return advance


def advance(v, u, drive, jump, noise, a, d, sigma, h):  # type: ignore[no-untyped-def]
    v = v + jump
    new = v + h * (f32(0.04) * v * v + f32(5.0) * v + f32(140.0) - u + sigma * noise + drive)
    u = u + h * a * (f32(0.2) * v - u)
    spike = new >= f32(30.0)
    return (f32(-65.0) if spike else new), (u + d if spike else u), spike


class Result(NamedTuple):
    """What became of the synapse, once a second, and of all others at the end."""

    chosen: NDArray[np.float64]
    eligibility: NDArray[np.float64]
    rewards: list[float]  # s, when dopamine came
    others: NDArray[np.float32]
    rate: float  # Hz, mean of the excitatory neurons


def network(size: Size, seed: int) -> tuple[Network, int]:
    """The network, and which synapse of its projection `excitatory` is the chosen one."""
    rng, n = np.random.default_rng(seed), size.excitatory + size.inhibitory
    net = Network(dt=STEP, n_steps=round(PERIOD / STEP), seed=seed)
    excites = np.arange(n) < size.excitatory
    # 13 (rand - 1/2) for a millisecond has the same variance as two normal half milliseconds
    cells = net.population(
        Noisy(a=np.where(excites, 0.02, 0.1), d=np.where(excites, 8.0, 2.0), sigma=13.0 / np.sqrt(6.0)), n, name="cells"
    )
    pre, reach = np.repeat(np.arange(n), size.synapses), np.where(excites, n, size.excitatory)
    post = np.concatenate([np.sort(rng.choice(m, size.synapses, replace=False)) for m in reach])
    plastic = excites[pre]
    chosen = int(np.flatnonzero(plastic & excites[post] & (post != pre))[0])
    weights = np.ones(plastic.sum())
    weights[chosen] = 0.0
    rule = RSTDP(
        rate=1.0, a_plus=0.1, a_minus=0.15, tau_plus=0.020, tau_minus=0.020, tau_elig=1.0,
        modulator=net.modulator("dopamine"),
    )  # fmt: skip
    net.connect(
        cells, cells, weights, layout=Pairs(pre=pre[plastic], post=post[plastic]), delay=1e-3, synapse=Delta(),
        bounds=(0.0, MOST), plasticity=rule, name="excitatory",
    )  # fmt: skip
    net.connect(cells, cells, -1.0, layout=Pairs(pre=pre[~plastic], post=post[~plastic]), delay=1e-3, synapse=Delta())
    return net, chosen


def reinforce(seconds: int, seed: int = 0, size: Size = PAPER, contingent: bool = True) -> Result:
    """Run the experiment for so many seconds of the network's time.

    Not `contingent`: each coincidence still brings dopamine, but at a time drawn at random from what is left of the run.
    """
    net, chosen = network(size, seed)
    rng = np.random.default_rng([seed, 1])
    learned, dopamine = net.projections["excitatory"], net.modulators["dopamine"]
    pre, post = (int(ids[chosen]) for ids in learned.pairs)
    level, due, rewards, before, spikes_of_excitatory = 0.0, list[float](), list[float](), -1.0, 0
    weights, eligibility = [], []
    for tick in range(round(seconds / PERIOD)):
        dopamine.value = BASELINE + level
        spikes, begins = net.run(), tick * PERIOD
        ids = spikes.ids[: spikes.n]
        spikes_of_excitatory += int((ids < size.excitatory).sum())
        for k in np.flatnonzero((ids == pre) | (ids == post)):
            when = begins + (np.searchsorted(spikes.offsets, k, side="right") - 1) * STEP
            if ids[k] == pre:
                before = when
            elif 0.0 < when - before <= COINCIDENCE and before >= 0.0:
                due.append(when + rng.uniform(*DELAY) if contingent else rng.uniform(when, seconds))
        arrived = [when for when in due if when < begins + PERIOD]
        due = [when for when in due if when >= begins + PERIOD]
        rewards += arrived
        level = level * np.exp(-PERIOD / TAU_DOPAMINE) + DOPAMINE * len(arrived)
        if (tick + 1) % round(1.0 / PERIOD) == 0:
            weights.append(float(learned.weights[chosen]))
            eligibility.append(float(learned.eligibility[chosen]))
    others = np.delete(learned.weights, chosen)
    rate = spikes_of_excitatory / size.excitatory / seconds
    return Result(np.array(weights), np.array(eligibility), rewards, others, rate)


def draw(result: Result, path: Path) -> None:
    """The paper's figure 1, d: the chosen synapse, its eligibility and the rewards; and all other synapses."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    time = np.arange(1, result.chosen.size + 1)
    left.plot(time, 10.0 * result.eligibility, lw=0.5, color="tab:green", label="eligibility × 10")
    left.plot(time, result.chosen, color="tab:blue", label="the chosen synapse")
    left.plot(result.rewards, np.zeros(len(result.rewards)), "x", ms=4, color="tab:red", label="dopamine")
    left.set(xlabel="time (s)", ylabel="weight (mV)")
    left.legend(loc="upper left", fontsize=8)
    right.hist(result.others, 100, log=True, color="tab:gray")
    right.axvline(result.chosen[-1], color="tab:blue")
    right.set(xlabel="weight at the end (mV)", ylabel="synapses")
    figure.savefig(path, dpi=110)


def main() -> None:
    seconds, seeds = (int(word) for word in (*sys.argv[1:], "3600", "1")[:2])
    folder, lines = Path(__file__).parent, []
    for seed in range(seeds):
        result = reinforce(seconds, seed)
        full = np.flatnonzero(result.chosen >= 0.95 * MOST)
        above = (result.others >= result.chosen[-1]).mean()
        lines.append(
            f"| {seed} | {len(result.rewards)} | {result.chosen[-1]:.2f} | {f'{full[0] + 1}' if full.size else 'never'} "
            f"| {result.others.mean():.2f} | {100.0 * above:.3f} % | {result.rate:.1f} |"
        )
        print(lines[-1], flush=True)
        if seed == 0:
            draw(result, folder / "izhikevich_2007.png")
    (folder / "izhikevich_2007.md").write_text(table(f"izhikevich_2007.py {seconds} {seeds}", HEAD, lines))


HEAD = (
    "| seed | rewards | chosen synapse at the end, mV | reached 95 % of 4 mV after, s | mean of all others, mV "
    "| others at least as strong | excitatory rate, Hz |"
)


if __name__ == "__main__":
    main()
