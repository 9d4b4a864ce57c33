"""XOR with rate-coded input, learned by MSTDP and MSTDPET (Florian 2007, Neural Computation 19, 1468-1502, section 4.2).

60 input neurons, half of them for each truth value, fire Poisson trains at 40 Hz for "true" and are silent for "false"; 60
hidden neurons and one output neuron are LIF (rest and reset -70 mV, threshold -54 mV, tau 20 ms). Half of the inputs are
inhibitory. Every pattern is shown for 500 ms, in random order; every output spike is rewarded (+1) if the XOR is true, and
punished (-1) if it is not, a millisecond later. MSTDPET: z <- z exp(-dt / tau_z) + zeta / tau_z, w <- w + gamma r z, with
tau_z = 25 ms and gamma = 0.625 mV; MSTDP: w <- w + gamma r zeta, gamma = 0.1 mV. tau+ = tau- = 20 ms, A+ = 1, A- = -1.
Here MSTDP's zeta fades within 1 ms instead of ending with its step: the shortest eligibility that `RSTDP` has.

    PYTHONPATH=. python recordings/reproductions/florian_2007.py [SEEDS] [EPOCHS]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuroloop import LIF, RSTDP, Delta, Network, Spikes, Uniform
from recordings.reproductions.table import table

PATTERNS = {"00": (0, 0), "01": (0, 1), "10": (1, 0), "11": (1, 1)}
PAY = {"00": -1.0, "01": 1.0, "10": 1.0, "11": -1.0}
SHOWN = 500  # steps of 1 ms
RATE = 40.0  # Hz
N = 60
RULES = {  # rate: gamma in mV, over tau_z in ms
    "MSTDP": {"rate": 0.1, "tau_elig": 1e-3},
    "MSTDPET": {"rate": 0.625 / 25.0, "tau_elig": 0.025},
}
EVERY = 10  # epochs between tests
Rates = dict[str, float]


def trains(fires: NDArray[np.bool_]) -> list[Spikes]:
    """The spikes of each step, of shape (n_steps, n), as control steps of one step."""
    _, ids = np.nonzero(fires)
    counts = fires.sum(axis=1)
    offsets = np.stack([np.zeros_like(counts), counts], axis=1).astype(np.int32)
    return list(map(Spikes, np.split(ids.astype(np.int32), np.cumsum(counts)[:-1]), offsets))


class Experiment:
    """One network and its trains."""

    def __init__(self, rule: str, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.net = Network(dt=1e-3, n_steps=1, seed=seed)
        cell = LIF(tau_mem=0.020, v_rest=-70.0, v_th=-54.0, v_reset=-70.0)
        plasticity = RSTDP(tau_plus=0.020, tau_minus=0.020, **RULES[rule])
        excite, inhibit = self.net.input(N // 2, name="excite"), self.net.input(N // 2, name="inhibit")
        hidden, output = self.net.population(cell, N, name="hidden"), self.net.population(cell, 1, name="output")
        for pre, post, low, high in (
            (excite, hidden, 0.0, 5.0),
            (inhibit, hidden, -5.0, 0.0),
            (hidden, output, 0.0, 5.0),
        ):
            self.net.connect(
                pre, post, Uniform(low=low, high=high), synapse=Delta(), bounds=(low, high), plasticity=plasticity
            )
        self.net.output(output)

    def show(self, pattern: str, learns: bool = True) -> int:
        """Output spikes during one presentation; without learning, nothing is paid."""
        first, second = PATTERNS[pattern]
        quarter, reward, count = N // 4, 0.0, 0
        chance = np.repeat([first, second], quarter) * (1.0 - np.exp(-RATE * 1e-3))
        fires = self.rng.random((SHOWN, 2, N // 2)) < chance
        excite, inhibit = (trains(fires[:, half]) for half in range(2))
        for k in range(SHOWN):
            n = self.net.run({"excite": excite[k], "inhibit": inhibit[k]}, reward).n
            reward, count = (PAY[pattern] * n if learns else 0.0), count + n
        self.net.reset()
        return count

    def train(self, epochs: int) -> None:
        """Show all patterns `epochs` times, each time in another order."""
        for _ in range(epochs):
            for pattern in self.rng.permutation(list(PATTERNS)):
                self.show(str(pattern))

    def test(self, times: int = 10) -> Rates:
        """Output rates in Hz, without learning."""
        return {p: sum(self.show(p, learns=False) for _ in range(times)) / (times * SHOWN * 1e-3) for p in PATTERNS}


def learned(rates: Rates) -> bool:
    """The paper's criterion: both patterns whose XOR is true are answered by a higher rate than the others."""
    return min(rates["01"], rates["10"]) > max(rates["00"], rates["11"])


def main() -> None:
    seeds, epochs = (int(word) for word in (*sys.argv[1:], "10", "100")[:2])
    folder, lines, curves = Path(__file__).parent, [], dict[str, list[list[Rates]]]()
    for rule in RULES:
        curves[rule] = []
        for seed in range(seeds):
            experiment = Experiment(rule, seed)
            rates = [experiment.test(4)]
            for _ in range(epochs // EVERY):
                experiment.train(EVERY)
                rates.append(experiment.test(4))
            curves[rule].append(rates)
            before, after = (" / ".join(f"{r[p]:.0f}" for p in PATTERNS) for r in (rates[0], rates[-1]))
            lines.append(f"| {rule} | {seed} | {before} | {after} | {'yes' if learned(rates[-1]) else 'no'} |")
            print(lines[-1], flush=True)
    draw(curves, folder / "florian_2007.png")
    head = "| rule | seed | Hz at 00 / 01 / 10 / 11 before | after | XOR |"
    (folder / "florian_2007.md").write_text(table(f"florian_2007.py {seeds} {epochs}", head, lines))


def draw(curves: dict[str, list[list[Rates]]], path: Path) -> None:
    """Output rates of every seed against epochs, as the paper's figure does for one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    colours = dict(zip(PATTERNS, ("tab:gray", "tab:blue", "tab:cyan", "tab:red"), strict=True))
    for axes, (rule, runs) in zip(figure.subplots(1, len(curves), sharey=True), curves.items(), strict=True):
        for rates in runs:
            for pattern, colour in colours.items():
                label = pattern if rates is runs[0] else None
                axes.plot(EVERY * np.arange(len(rates)), [r[pattern] for r in rates], color=colour, lw=1, label=label)
        axes.set(title=rule, xlabel="epochs")
    figure.axes[0].set_ylabel("output (Hz)")
    figure.axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
