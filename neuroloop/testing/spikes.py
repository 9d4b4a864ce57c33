"""Spikes to check decoders with: of every kind, rising for built-in decoders, and such as cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..decoders.standalone import BuiltIn
from ..settings import DecoderConfig, FirstSpike, LinearReadout, PopulationVector, WinnerTakeAll
from ..types import Spikes


def train(n: int, n_steps: int, length: int, seed: int) -> Iterator[Spikes]:
    """Silence, all at once, each half for a while, one neuron, then noise of every density, some of it in few neurons."""
    everywhere, neurons = np.ones((n_steps, n), np.bool_), np.arange(n)
    yield Spikes.none(n_steps)
    yield of(everywhere)
    for some in (neurons < n // 2, neurons >= n // 2, neurons == n - 1):
        for _ in range(4):
            yield of(everywhere & some)
    rng = np.random.default_rng([seed, 0xDEC0DE])
    for k in range(length):
        fires = rng.random((n_steps, n)) < rng.choice([0.01, 0.1, 0.3, 0.8])
        if k % 3 == 0:
            fires &= rng.random(n) < 0.3
        yield of(fires)
    yield Spikes.none(n_steps)


def of(fires: NDArray[np.bool_]) -> Spikes:
    """From an array of shape (n_steps, n)."""
    steps, ids = np.nonzero(fires)
    return Spikes.of(steps, ids, len(fires))


def regular(counts: NDArray[Any], n_steps: int) -> Spikes:
    """So many spikes of each neuron, evenly spread over the control step."""
    share = (np.arange(n_steps)[:, None] + 1) * np.clip(counts, 0, n_steps) / n_steps
    return of(np.diff(np.floor(share + 1e-9), axis=0, prepend=0.0) > 0.0)


def rising_with(decoder: BuiltIn) -> Callable[[float], Spikes]:
    """Spikes of a built-in decoder for a drive from −1 to 1, with which no number of its action falls."""

    def rising(drive: float) -> Spikes:
        rates = [np.repeat(_rates(decoder.settings, n, drive), decoder.neurons) for n in decoder.code.groups]
        if isinstance(decoder.settings, LinearReadout):
            weights = decoder.read("decoder.weights")
            side = np.where((weights >= 0.0).all(axis=0), 1.0, np.where((weights <= 0.0).all(axis=0), -1.0, 0.0))
            rates = [0.25 + 0.25 * drive * side]
        return regular(np.round(decoder.n_steps * np.concatenate(rates)), decoder.n_steps)

    return rising


def _rates(settings: DecoderConfig, groups: int, drive: float) -> NDArray[np.float64]:
    """Of the groups of a dimension, in spikes a step."""
    distance = np.abs(np.linspace(-1.0, 1.0, groups) - drive)
    match settings:
        case PopulationVector():
            return np.asarray(0.5 * np.maximum(1.0 - distance, 0.0))
        case WinnerTakeAll() | FirstSpike():
            return np.asarray(0.5 * (np.arange(groups) == distance.argmin()))
        case _:
            return np.asarray(0.25 + 0.25 * drive * np.array([1.0, -1.0]).repeat(groups // 2))


def bad(n: int, n_steps: int) -> Iterator[tuple[str, Any]]:
    """Spikes that cannot be, and what is wrong with them."""
    offsets = np.zeros(n_steps + 1, np.int32)
    offsets[1:] = 1
    one = np.zeros(1, np.int32)
    yield f"id {n}, which is one too many", Spikes(one + n, offsets)
    yield "id -1", Spikes(one - 1, offsets)
    yield "a control step with too few steps", Spikes(one, offsets[:-1])
    yield "a control step with too many steps", Spikes(one, np.append(offsets, offsets[-1]))
    yield "offsets beyond the ids", Spikes(one, 2 * offsets)
    if n_steps > 1:
        yield "offsets that fall", Spikes(np.zeros(3, np.int32), np.array([0, 2, *[1] * (n_steps - 1)], np.int32))
    if n > 1:
        twice = Spikes(np.array([1, 0], np.int32), 2 * offsets)
        yield "ids that fall within a step", twice
        yield "a neuron that fires twice in a step", twice._replace(ids=np.zeros(2, np.int32))
    yield "ids that are not whole numbers", Spikes(np.array([0.5]), offsets)


def same(a: Any, b: Any) -> bool:
    """Whether two actions or states are the same, bit for bit."""
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, tuple):
        return isinstance(b, tuple) and len(a) == len(b) and all(map(same, a, b))
    x, y = np.asarray(a), np.asarray(b)
    return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
