"""Which neurons a projection connects. Sparse layouts become rows by presynaptic neuron (CSR), built by compiled loops."""

from __future__ import annotations

import math
import reprlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._numba import compiled
from ..errors import ConfigError
from ..rows import i32, i64, mixed, u64, unit
from .parameters import Fraction, Model, checked, numbers, whole


class Rows(NamedTuple):
    """Synapses in the order of their presynaptic neurons: those of neuron i are `targets[pointers[i]:pointers[i + 1]]`."""

    pointers: NDArray[np.int64]  # (n_pre + 1,)
    targets: NDArray[np.int32]  # (n_synapses,), rising within a row
    order: NDArray[np.int64] | None = None  # where each synapse stands in what the user gave

    def check(self, where: str, n_pre: int, n_post: int) -> None:
        """Raise `ConfigError` for what would lead a kernel astray."""
        ends = self.pointers[[0, -1]] if self.pointers.shape == (n_pre + 1,) else (-1, -1)
        inside = not self.targets.size or (self.targets.min() >= 0 and self.targets.max() < n_post)
        rising = ends[0] == 0 and ends[1] == self.targets.size and (np.diff(self.pointers) >= 0).all()
        if not (rising and inside and self.pointers.dtype == np.int64 and self.targets.dtype == np.int32):
            raise ConfigError(f"{where}: its rows must be int64 pointers (n_pre + 1,) and int32 targets below {n_post}")


class Layout(Model, frozen=True, kw_only=True):
    """Base of all layouts."""

    def check(self, where: str, n_pre: int, n_post: int) -> None:
        """Raise `ConfigError` for what cannot be."""
        checked(self, where)


class AllToAll(Layout, frozen=True, kw_only=True):
    """Every neuron to every neuron, weights of shape (n_pre, n_post)."""


class AllToOthers(Layout, frozen=True, kw_only=True):
    """Every neuron of a population to all others of it with one weight: lateral inhibition."""

    def check(self, where: str, n_pre: int, n_post: int) -> None:
        if n_pre != n_post:
            raise ConfigError(
                f"{where}: AllToOthers connects a population with itself, got {n_pre} and {n_post} neurons"
            )


class OneToOne(Layout, frozen=True, kw_only=True):
    """Neuron i to neuron i, weights of shape (n,)."""

    def check(self, where: str, n_pre: int, n_post: int) -> None:
        if n_pre != n_post:
            raise ConfigError(f"{where}: OneToOne needs populations of one size, got {n_pre} and {n_post} neurons")


class Sparse(Layout, frozen=True, kw_only=True):
    """Base of layouts that are stored as rows."""

    def rows(self, n_pre: int, n_post: int, same: bool, seed: int) -> Rows:
        """Draw the synapses; `same`: the populations are one and the same."""
        raise NotImplementedError


class Pairs(Sparse, frozen=True, kw_only=True):
    """Given synapses: `pre[k]` to `post[k]`, one weight each. A pair may come more than once."""

    pre: Any
    post: Any

    def check(self, where: str, n_pre: int, n_post: int) -> None:
        pre, post = ids_of(self.pre, f"{where}.pre", n_pre), ids_of(self.post, f"{where}.post", n_post)
        if pre.ndim != 1 or pre.shape != post.shape:
            raise ConfigError(
                f"{where}: pre and post must be lists of one length, got shapes {pre.shape} and {post.shape}"
            )

    def rows(self, n_pre: int, n_post: int, same: bool, seed: int) -> Rows:
        pre, post = np.asarray(self.pre, np.int64), np.asarray(self.post, np.int64)
        key = pre * n_post + post
        order = None if np.all(key[1:] >= key[:-1]) else np.argsort(key, kind="stable")
        counts = np.bincount(pre, minlength=n_pre)
        targets = (post if order is None else post[order]).astype(np.int32)
        return Rows(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), targets, order)


class FixedProbability(Sparse, frozen=True, kw_only=True):
    """Each pair by chance, independently."""

    probability: Fraction
    autapses: bool = True  # whether a neuron may connect to itself

    def rows(self, n_pre: int, n_post: int, same: bool, seed: int) -> Rows:
        p, pointers = float(self.probability), np.zeros(n_pre + 1, np.int64)
        mean = n_pre * n_post * p
        targets = np.empty(int(mean + 10.0 * math.sqrt(mean * (1.0 - p))) + 16, np.int32)
        n = by_chance(n_pre, n_post, p, same and not self.autapses, seed, pointers, targets)
        return Rows(pointers, targets[:n])


class FixedOutDegree(Sparse, frozen=True, kw_only=True):
    """Every presynaptic neuron to `n` different neurons."""

    n: int
    autapses: bool = True

    def check(self, where: str, n_pre: int, n_post: int) -> None:
        checked(self, where)
        whole(self.n, 1, n_post - (not self.autapses), f"{where}.n")

    def rows(self, n_pre: int, n_post: int, same: bool, seed: int) -> Rows:
        targets = np.empty(n_pre * self.n, np.int32)
        choose(n_pre, n_post, self.n, same and not self.autapses, seed, np.zeros(n_post, np.int64), targets)
        return Rows(np.arange(n_pre + 1, dtype=np.int64) * self.n, targets)


class FixedInDegree(Sparse, frozen=True, kw_only=True):
    """Every postsynaptic neuron from `n` different neurons."""

    n: int
    autapses: bool = True

    def check(self, where: str, n_pre: int, n_post: int) -> None:
        checked(self, where)
        whole(self.n, 1, n_pre - (not self.autapses), f"{where}.n")

    def rows(self, n_pre: int, n_post: int, same: bool, seed: int) -> Rows:
        sources = np.empty(n_post * self.n, np.int32)
        choose(n_post, n_pre, self.n, same and not self.autapses, seed, np.zeros(n_pre, np.int64), sources)
        pointers, targets = np.zeros(n_pre + 1, np.int64), np.empty(sources.size, np.int32)
        turn_around(sources, self.n, pointers, targets)
        return Rows(pointers, targets)


class Convolution(Layout, frozen=True, kw_only=True):
    """A 2-D convolution, as receptive fields of a camera: one kernel for all places.

    The presynaptic neurons are an image (channels, height, width), ids counting along width first; the postsynaptic ones
    are (filters, height', width'), height' = (height + 2 padding − kernel height) // stride + 1.
    """

    shape: tuple[int, int, int]  # channels, height, width
    kernel: Any  # (filters, channels, kernel height, kernel width)
    stride: int = 1
    padding: int = 0

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Filters, height' and width'."""
        filters, _, high, wide = np.shape(self.kernel)
        _, height, width = self.shape
        return filters, *(
            (size + 2 * self.padding - k) // self.stride + 1 for size, k in ((height, high), (width, wide))
        )

    def check(self, where: str, n_pre: int, n_post: int) -> None:
        checked(self, where)
        if not isinstance(self.shape, tuple | list) or len(self.shape) != 3:
            raise ConfigError(f"{where}.shape: must be (channels, height, width), got {self.shape!r}")
        for size in self.shape:
            whole(size, 1, n_pre, f"{where}.shape")
        kernel = numbers(self.kernel, f"{where}.kernel")
        if kernel.ndim != 4 or kernel.shape[1] != self.shape[0] or not kernel.size:
            raise ConfigError(
                f"{where}.kernel: must be of shape (filters, channels = {self.shape[0]}, height, width), got {kernel.shape}"
            )
        if not np.isfinite(kernel).all():
            raise ConfigError(f"{where}.kernel: must be finite")
        whole(self.stride, 1, 2**31 - 1, f"{where}.stride")
        whole(self.padding, 0, max(kernel.shape[2:]) - 1, f"{where}.padding")
        if math.prod(self.shape) != n_pre:
            raise ConfigError(
                f"{where}.shape: {tuple(self.shape)} are {math.prod(self.shape)} neurons, pre has {n_pre}"
            )
        if min(self.output_shape) < 1 or math.prod(self.output_shape) != n_post:
            raise ConfigError(
                f"{where}: gives {self.output_shape}, {math.prod(self.output_shape)} neurons; post has {n_post}"
            )


def ids_of(value: Any, where: str, n: int) -> NDArray[np.int64]:
    """Given neurons, or `ConfigError`."""
    array = numbers(value, where)
    if array.size and (array.min() < 0 or array.max() >= n or (array % 1.0).any()):
        raise ConfigError(f"{where}: must be whole numbers from 0 to {n - 1}, got {reprlib.repr(value)}")
    return array.astype(np.int64)


@compiled
def by_chance(n_pre, n_post, p, no_autapses, seed, pointers, targets):  # type: ignore[no-untyped-def]
    """Every pair with probability p: the gaps between the targets of a row are geometric. Returns the number of synapses."""
    count, room = i64(0), i64(targets.size)
    per_gap = 0.0 if p >= 1.0 else 1.0 / math.log1p(-p) if p > 0.0 else -math.inf
    for i in range(n_pre):
        state, j = mixed(u64(seed) + u64(i) * u64(0x9E3779B97F4A7C15)), i64(-1)
        while p > 0.0 and count < room:
            state += u64(0x9E3779B97F4A7C15)
            gap = math.log(1.0 - unit(state)) * per_gap
            j += 1 + (i64(gap) if gap < n_post else i64(n_post))
            if j >= n_post:
                break
            if not (no_autapses and j == i):
                targets[count] = i32(j)
                count += 1
        pointers[i + 1] = count
    return count


@compiled
def choose(n, among, k, no_autapses, seed, chosen, found):  # type: ignore[no-untyped-def]
    """For each of `n`, `k` different ones of `among`, sorted (Floyd's sampling, Bentley 1987). `chosen`: scratch, zeros."""
    for i in range(n):
        state = mixed(u64(seed) + u64(i) * u64(0x9E3779B97F4A7C15))
        size = among - 1 if no_autapses else among
        row = found[i * k : (i + 1) * k]
        for m in range(k):
            last = size - k + m
            state += u64(0x9E3779B97F4A7C15)
            j = i64(unit(state) * (last + 1))
            if chosen[j] == i + 1:
                j = last
            chosen[j] = i + 1
            row[m] = i32(j)
        row.sort()
        if no_autapses:
            for m in range(k):
                row[m] += i32(1) if row[m] >= i else i32(0)


@compiled
def turn_around(sources, k, pointers, targets):  # type: ignore[no-untyped-def]
    """From `k` sources for each target to rows by source (a counting sort)."""
    for source in sources:
        pointers[source + 1] += 1
    for i in range(1, pointers.size):
        pointers[i] += pointers[i - 1]
    for s in range(sources.size):
        i = sources[s]
        targets[pointers[i]] = i32(s // k)
        pointers[i] += 1
    for i in range(pointers.size - 1, 0, -1):
        pointers[i] = pointers[i - 1]
    pointers[0] = 0
