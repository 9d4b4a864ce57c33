"""Random numbers inside kernels: a pure function of where they are drawn, even, and without correlation to their neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop._numba import compiled
from neuroloop.rows import HEAD, Head, normal, uniform

N = 200_000
FOUR_SIGMA = 4 / np.sqrt(N)  # of a correlation or of the mean of N numbers with unit variance
STREAMS = (0, 1, 0xDEADBEEF, 2**32 - 1)


@compiled
def draw(f8, stream, uniforms, normals):
    """Fill both arrays with the numbers of indexes 0, 1, 2 …"""
    for i in range(uniforms.size):
        uniforms[i] = uniform(f8, stream, i)
        normals[i] = normal(f8, stream, i)


def at(seed=0, tick=0, step=0, stream=7, n=N):
    """Uniform and normal numbers of one place."""
    head = np.zeros(len(Head._fields))
    head[HEAD.seed], head[HEAD.tick], head[HEAD.step] = seed, tick, step
    uniforms, normals = np.zeros(n, np.float32), np.zeros(n, np.float32)
    draw(head, stream, uniforms, normals)
    return uniforms.astype(float), normals.astype(float)


def correlation(a, b):
    return np.corrcoef(a, b)[0, 1]


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("seed", [0, 1, 2**53 - 1])
def test_uniform_numbers_are_even(stream, seed):
    u, _ = at(seed=seed, stream=stream)
    assert u.min() >= 0.0
    assert u.max() < 1.0
    for power in (1, 2, 3, 4):  # Var u^p = 1/(2p + 1) − 1/(p + 1)²
        sd = np.sqrt(1 / (2 * power + 1) - 1 / (power + 1) ** 2)
        assert np.mean(u**power) == pytest.approx(1 / (power + 1), abs=FOUR_SIGMA * sd)
    counts = np.bincount((u * 100).astype(int), minlength=100)
    assert np.sum((counts - N / 100) ** 2 / (N / 100)) < 99 + 4 * np.sqrt(2 * 99)  # chi squared, 99 degrees of freedom


@pytest.mark.parametrize("stream", STREAMS)
def test_normal_numbers_are_normal(stream):
    _, z = at(stream=stream)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert np.mean(z**power) == pytest.approx(moment, abs=FOUR_SIGMA * np.sqrt(variance))
    assert np.mean(np.abs(z) > 3) == pytest.approx(0.0027, abs=4 * np.sqrt(0.0027 / N))
    assert np.abs(z).max() < np.sqrt(2 * 24 * np.log(2)) + 1e-3  # the smallest of 24 bits


@pytest.mark.parametrize("which", [0, 1], ids=["uniform", "normal"])
def test_neighbouring_indexes_do_not_correlate(which):
    x = at()[which]
    for lag in (1, 2, 3, 16, 64):
        assert abs(correlation(x[lag:], x[:-lag])) < 4 / np.sqrt(N - lag)
        assert abs(correlation(x[lag:] ** 2, x[:-lag] ** 2)) < 4 / np.sqrt(N - lag)  # nor share what they are made of


@pytest.mark.parametrize("which", [0, 1], ids=["uniform", "normal"])
@pytest.mark.parametrize("neighbour", [{"tick": 6}, {"step": 4}, {"seed": 3}, {"stream": 8}, {"stream": 7 ^ 1 << 31}])
def test_neighbouring_places_do_not_correlate(which, neighbour):
    here = {"seed": 2, "tick": 5, "step": 3, "stream": 7}
    a, b = at(**here)[which], at(**here | neighbour)[which]
    for shift in (0, 1, 2):
        assert abs(correlation(a[shift:], b[: N - shift])) < 4 / np.sqrt(N - shift)
        assert abs(correlation(b[shift:], a[: N - shift])) < 4 / np.sqrt(N - shift)


def test_one_index_over_many_ticks_is_even_too():
    x = np.array([at(tick=tick, n=1)[0][0] for tick in range(20_000)])
    assert x.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * x.size))
    assert abs(correlation(x[1:], x[:-1])) < 4 / np.sqrt(x.size)


def test_numbers_are_a_function_of_their_place_alone():
    here = {"seed": 11, "tick": 5, "step": -1, "stream": 7, "n": 100}
    first, _ = at(**here)
    at(seed=1)  # nothing is remembered in between
    np.testing.assert_array_equal(at(**here)[0], first)
    np.testing.assert_array_equal(at(**here | {"n": 50})[0], first[:50])
    for change in ({"seed": 12}, {"tick": 6}, {"step": 0}, {"stream": 9}):
        assert not np.any(at(**here | change)[0] == first)
