"""How well decisions came out, measured after the fact and without the critic."""

from __future__ import annotations

import numpy as np

from .record import GOES_ON, TERMINATED, TRUNCATED, Floats, Record

RIDGE = 1e-3
MOST_PRODUCTS = 8  # dimensions up to which products of two are regressed on
FEWEST = 50  # pairs from which on a correlation is told


def returns_to_go(record: Record, reward: Floats, *, when_cut: float = 0.0) -> Floats:
    """G_t = r_t + γ G_{t+1} to the end of the episode, shape (T,). NaN where the end was not seen.

    `when_cut`: what follows where an episode was cut off; NaN leaves such episodes out.
    """
    beyond = {TERMINATED: 0.0, TRUNCATED: when_cut}
    gamma, after = 0.99 if record.gamma is None else record.gamma, np.nan
    found = np.zeros(record.n)
    for t in range(record.n - 1, -1, -1):
        after = reward[t] + gamma * beyond.get(int(record.ended[t]), after)
        found[t] = after
    return found


def credit(record: Record, modulator: Floats, decay: float) -> Floats:
    """Σ λᵏ m_{t+k} to the end of the episode, shape (T,): what is paid for a decision. NaN before learning began."""
    found, after = np.full(record.n, np.nan), 0.0
    for t in range(record.n - 1, -1, -1):
        m = modulator[t] if np.isfinite(modulator[t]) else 0.0  # one that was not seen
        after = m + decay * (0.0 if record.ended[t] != GOES_ON else after)
        found[t] = after if record.awake[t] else np.nan
    return found


def advantage(record: Record) -> Floats:
    """G_t of the native reward, less what a ridge regression on the observation and its squares expects, shape (T,)."""
    returns = returns_to_go(record, record.reward)
    known = np.isfinite(returns)
    if not known.any() or record.observed is None:
        return returns - returns[known].mean() if known.any() else returns
    features = _features(record.observed.values)
    a = features[known]
    fit = np.linalg.solve(a.T @ a + RIDGE * len(a) * np.eye(a.shape[1]), a.T @ (returns[known] - returns[known].mean()))
    return np.asarray(returns - returns[known].mean() - features @ fit)


def _features(values: Floats) -> Floats:
    """1, z, and squares and products of z, the z-scored observation within ±3."""
    sd = values.std(axis=0)
    z = ((values - values.mean(axis=0))[:, sd > 0] / sd[sd > 0]).clip(-3.0, 3.0)
    n = z.shape[1]
    i, j = np.triu_indices(n) if n <= MOST_PRODUCTS else (np.arange(n), np.arange(n))
    return np.concatenate([np.ones((len(z), 1)), z, z[:, i] * z[:, j]], axis=1)


def correlation(a: Floats, b: Floats) -> float | None:
    """Pearson's, of the pairs that are known; None if they are few or one of both never varies."""
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if a.size < FEWEST or np.ptp(a) == 0.0 or np.ptp(b) == 0.0:
        return None
    return float(np.corrcoef(a, b)[0, 1])
