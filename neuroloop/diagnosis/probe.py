"""Reads a network after every decision: spikes, value, TD error, neuromodulator, policy; weights and eligibility at times.

Only what the network names is read, so a part that an agent does not have is a part that its record does not have. Settings
that only some learners and rules have are asked for by name, with what it means not to have them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import sources_of
from ..network.engine import Engine
from ..settings import Fixed, SpikingConfig
from .record import Choice, Critic, Floats, Population, Projection

BETWEEN_ELIGIBILITY = 50  # decisions between two looks at eligibility, which is large
AT_BOUND = 1e-3  # of the bounds' width: a weight so near to one lies at it
SEEN_SIGNALS = ("awake", "novelty", "value", "value.low", "value.high")
ANSWERS = ("td_error", "modulator.others")


class NetworkProbe:
    """Lists of what was read, one entry a decision."""

    def __init__(self, network: Engine) -> None:
        self._network = network
        self._signals = [name for name in SEEN_SIGNALS if name in network.signals]
        self._answers = [name for name in ANSWERS if name in network.signals]
        self._counts = {name: network.view(f"population.{name}.counts") for name in self._named("population", "counts")}
        self._winners = {name: network.view(f"selection.{name}.winner") for name in self._named("selection", "winner")}
        self._policies = {
            name: network.view(f"selection.{name}.predicted") for name in self._named("selection", "predicted")
        }
        self._totals = {name: np.zeros(view.size, np.int64) for name, view in self._counts.items()}
        self._eligibility: dict[str, list[float]] = {name: [] for name in self._named("projection", "eligibility")}
        self._seen: list[list[float]] = []  # a row a decision
        self._answered: list[list[float]] = []
        self._halfway: dict[str, NDArray[np.float32]] = {}
        self._spikes, self._rows = network.signal("spikes"), network.n_rows
        self._next_snapshot = 1

    def _named(self, kind: str, what: str) -> list[str]:
        found = (re.fullmatch(rf"{kind}\.(.+)\.{what}", name) for name in self._network.names)
        return [match[1] for match in found if match]

    def decision(self) -> None:
        """A decision was made."""
        network, spikes, rows = self._network, self._network.signal("spikes"), self._network.n_rows
        seen = [spikes - self._spikes, float(rows - self._rows), *map(network.signal, self._signals)]
        self._spikes, self._rows = spikes, rows
        for name, counts in self._counts.items():
            self._totals[name] += counts
            seen += [counts.mean(), counts.max(), counts.std()]
        seen += [float(winner[0]) for winner in self._winners.values()]
        seen += [_entropy(policy) for policy in self._policies.values()]
        self._seen.append(seen)
        if self._awake() and len(self._seen) % BETWEEN_ELIGIBILITY == 0:
            for name, norms in self._eligibility.items():
                norms.append(self._norm(name))
        if len(self._seen) == self._next_snapshot:  # so that the last one lies between a third and two thirds
            self._halfway, self._next_snapshot = self._weights(), 2 * self._next_snapshot

    def answer(self, *, hushed: bool) -> None:
        """The latest decision was answered; `hushed`: its neuromodulator was withdrawn before it could be seen."""
        error, modulator = (self._network.signal(n) if n in self._answers else np.nan for n in ANSWERS)
        awake = self._awake()
        self._answered.append([error if awake else np.nan, modulator if awake and not hushed else np.nan])

    def forget(self) -> None:
        """The latest decision will never be answered."""
        self._seen.pop()

    def _awake(self) -> bool:
        return "awake" not in self._signals or self._network.signal("awake") != 0.0

    def _norm(self, name: str) -> float:
        """Rms of the entries that are not 0, in usual pairings; 0 if all are."""
        network, entries = self._network, self._network.view(f"projection.{name}.eligibility")
        if f"projection.{name}.owes" in network.names:  # entries are stored divided by the last number of what is owed
            factor = network.view(f"projection.{name}.owes")[:, -1]
            entries = entries[factor != 0.0] * factor[factor != 0.0, None]
        n, usual = np.count_nonzero(entries), 1.0
        if f"projection.{name}.usual_pairing" in network.names:
            usual = float(network.view(f"projection.{name}.usual_pairing")[0])
        return float(np.sqrt(np.sum(np.square(entries, dtype=np.float64)) / n) / usual) if n else 0.0

    def _weights(self) -> dict[str, NDArray[np.float32]]:
        """Copies of all weights, as they are stored: what the few rows with live eligibility are owed is not in them."""
        network = self._network
        pattern = re.compile(r"projection\.(.+)\.weights")
        dense = {match[1]: network.view(name) for name in network.names if (match := pattern.fullmatch(name))}
        rows = {match[1]: network.rows_of(name) for name in network.growing if (match := pattern.fullmatch(name))}
        return {name: weights.copy() for name, weights in (dense | rows).items()}

    def ranges(self, config: Any) -> dict[str, Any]:
        """The ranges that observations are scaled by."""
        if "observation.low" not in self._network.names:
            return {}
        encoders = sources_of(config.encoder)["encoder"] if isinstance(config, SpikingConfig) else ()
        fixed = bool(encoders) and all(isinstance(getattr(one, "normalise", None), Fixed) for one in encoders)
        low, high = (self._network.view(f"observation.{end}").copy() for end in ("low", "high"))
        return {"low": low, "high": high, "fixed_ranges": fixed}

    def parts(self, config: SpikingConfig, n: int) -> dict[str, Any]:
        """Parts of the record of the first `n` decisions."""
        width = 2 + len(self._signals) + 3 * len(self._counts) + len(self._winners) + len(self._policies)
        columns = iter(np.array(self._seen[:n], np.float64).reshape(n, width).T)
        spikes, fresh_rows = next(columns), next(columns)
        signals = {name: next(columns) for name in self._signals}
        counts = {name: (next(columns), next(columns), next(columns)) for name in self._counts}
        chosen = {name: next(columns).astype(np.int64) for name in self._winners}
        entropy = {name: next(columns) for name in self._policies}
        choices = tuple(
            Choice(name=name, groups=self._policies[name].size, chosen=chosen[name], entropy=entropy[name])
            for name in self._policies
            if name in chosen and self._policies[name].size > 1
        )
        modules = sum(
            self._network.view(name).size
            for name in self._network.names
            if name.startswith("encoder") and name.endswith(".cells")
        )
        learner = config.learner
        awake = signals["awake"] != 0.0 if "awake" in signals else np.ones(n, np.bool_)
        return {
            "awake": awake, "gamma": getattr(learner, "gamma", None), "spikes": spikes, "choices": choices,
            "novelty": signals.get("novelty") if modules else None,
            "first_seen": fresh_rows / modules if modules else None,
            "populations": self._populations(config, counts), "critic": self._critic(config, n, signals, counts),
            "projections": self._projections(config), "selects_from": config.decoder.population,
            "modulates": getattr(learner, "modulates", ()),
        }  # fmt: skip

    def _populations(self, config: SpikingConfig, counts: dict[str, Any]) -> tuple[Population, ...]:
        made = []
        for name, (mean, most, _) in counts.items():
            lif = config.population[_table(name, config.population)]
            ceiling = -(-config.clock.n_steps // (1 + round(lif.t_ref / config.clock.dt)))
            made.append(Population(name=name, total=self._totals[name], mean=mean, most=most, ceiling=ceiling))
        return tuple(made)

    def _critic(
        self, config: SpikingConfig, n: int, signals: dict[str, Floats], counts: dict[str, Any]
    ) -> Critic | None:
        if not self._answers:
            return None
        answered = np.array(self._answered[:n], np.float64).reshape(n, 2)
        name = getattr(config.learner, "critic", "")
        mean, _, sd = counts.get(name, (None, None, None))
        return Critic(
            error=answered[:, 0], modulator=answered[:, 1], value=signals.get("value"), low=signals.get("value.low"),
            high=signals.get("value.high"), automatic=getattr(config.learner, "value_range", None) == "automatic",
            population=name, counts=mean, count_sd=sd, n=self._totals[name].size if name in self._totals else 0,
        )  # fmt: skip

    def _projections(self, config: SpikingConfig) -> tuple[Projection, ...]:
        now, made = self._weights(), []
        for name in now:
            table = _table(name, config.projection)
            settings, then = config.projection[table], self._halfway.get(name)
            rule, (low, high) = settings.plasticity, self._network.view(f"projection.{name}.bounds").tolist()
            decay = getattr(rule, "decay", None)
            scale = (
                self._network.signal("value.scale") if settings.post == getattr(config.learner, "critic", "") else 1.0
            )
            with np.errstate(invalid="ignore"):  # told by `finite`
                weights, width = now[name] * scale, high - low
            at_bounds = (weights <= low + AT_BOUND * width) | (weights >= high - AT_BOUND * width)
            change = None
            if then is not None and then.size:
                moved = float(np.abs(weights[: len(then)] - then * scale).mean() / width)
                change = moved if np.isfinite(moved) else None
            made.append(
                Projection(
                    name=name, table=table, pre=settings.pre, post=settings.post,
                    gain=None if rule is None else getattr(rule, "gain", 1.0), bounds=settings.bounds,
                    decay=None if decay is None else decay * getattr(config.learner, "gamma", 1.0),
                    finite=bool(np.isfinite(weights).all()), change=change,
                    at_bounds=float(at_bounds.mean()) if weights.size else None,
                    eligibility=np.array(self._eligibility[name]) if name in self._eligibility else None,
                )
            )  # fmt: skip
        return tuple(made)


def _table(name: str, tables: Iterable[str]) -> str:
    """The table that describes a part: `policy[arm][0]` is what `policy` says, of the encoder's part `arm` and for the first
    dimension of the action."""
    while name not in tables and "[" in name:
        name = name.rpartition("[")[0]
    return name


def _entropy(policy: NDArray[np.float32]) -> float:
    """As a share of the entropy of the uniform policy."""
    p = policy[policy > 0.0].astype(np.float64)
    return float(-(p * np.log(p)).sum() / np.log(policy.size)) if policy.size > 1 else 0.0
