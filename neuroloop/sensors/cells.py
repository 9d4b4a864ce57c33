"""The pixels of an event camera as arrays: what each was made with, and what it remembers.

Nothing here is drawn from a generator: what differs from pixel to pixel is a hash of the chip's seed and the pixel's number.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from .._numba import compiled_for, f4_at, inline, places
from ..rows import f32, mixed, u64, unit
from ..settings.sensors import Pixel
from ..types import EVENT

LEAST = 0.01  # of a threshold, ln units
LINE = 8  # flags that are looked at together
PAGE, SHIFT = 1024, 136  # float32s: rows that lie a whole number of pages apart would push each other out of the cache
LONG_AGO = -(2**62)  # µs
ON, OFF, LEAK, HOT, DEAD, PHASE, JITTER, SHOT = range(8)  # streams of random numbers


class Cells(NamedTuple):
    """Rows of float32[7, stride], one number a pixel."""

    level: int = 0  # ln units that the photoreceptor gives, of even frames
    other: int = 1  # and of odd ones: the level before is kept, since crossings lie between the two
    reference: int = 2  # the level that the pixel compares with, as it was at the base
    on: int = 3  # thresholds, ln units
    off: int = 4
    leak: int = 5  # by which the reference falls, ln units a second
    usual: int = 6  # the leak without its jitter


class Shape(NamedTuple):
    """Places in int64[6] of what the camera was made with; only the room grows."""

    width: int
    pixels: int
    size: int  # pixels, made a multiple of `LINE`: what fills the last line never fires
    stride: int  # length of a row of the cells
    refractory: int  # µs
    room: int  # for events of a frame


class Counters(NamedTuple):
    """Places in int64[8] of what goes on from frame to frame."""

    seed: int
    frames: int  # seen since the seed was set
    begun: int  # 1 after the first frame
    start: int  # µs, the frame before
    base: int  # µs, when references were as they are written: they fall since then
    newest: int  # row of the levels of this frame
    on: int  # events since the last reset
    off: int


class Progress(NamedTuple):
    """Places in int64[7] of how far a frame is done, so that it can go on with more room."""

    end: int  # µs, this frame
    stage: int  # what is done of this frame
    events: int  # found so far in this frame
    block: int  # first pixel of the block in hand
    flagged: int  # pixels of it whose difference reached a threshold
    cursor: int  # so many noise events are done, or flagged pixels
    held: int  # pixels that rest at the end of the frame; follows from when pixels are ready


class Numbers(NamedTuple):
    """Places in float64[8]."""

    jitter: int  # of a leak interval
    rate: int  # noise events a µs of all pixels, if all were dark
    in_light: int  # share of it in full light
    balance: int  # threshold_on / threshold_off
    now: int  # µs into the frame: noise events up to here are done
    knee: int
    linear_range: int
    offset: int


class Plan(NamedTuple):
    """Places in int64[12] of the addresses of arrays. Pointers cost no counting of references in the hot loops."""

    cells: int
    ready: int  # int64[size]: µs until which a pixel rests
    held: int  # int32[size + 1]: pixels that rest beyond the frame
    flags: int  # uint8[size]: whether a pixel's difference reached a threshold
    flagged: int  # int32[size + 1]: which did, of a block
    keys: int  # uint64[2, room]: events
    weights: int  # float64[n]: running sum of how often pixels make noise
    counts: int  # int64[2^digits], to sort by
    shape: int
    counters: int
    progress: int
    numbers: int


class Lines(NamedTuple):
    """Pointers to the rows of the cells, of this frame."""

    new: int  # levels
    old: int  # levels of the frame before
    reference: int
    on: int
    off: int
    leak: int
    usual: int


row, has, at, done = Cells(), places(Shape), places(Counters), places(Progress)
of, to = places(Numbers), places(Plan)
CELLS, COUNTERS, NUMBERS = types.float32[:, ::1], types.int64[::1], types.float64[::1]
PLAN, EVENTS = types.int64[::1], numba.from_dtype(EVENT)[::1]


@inline
def lines_of(plan, shape, counters):  # type: ignore[no-untyped-def]
    """The rows of this frame."""
    cells, length = plan[to.cells], 4 * shape[has.stride]
    new, old = counters[at.newest], row.level + row.other - counters[at.newest]
    return Lines(
        f4_at(cells + length * new), f4_at(cells + length * old), f4_at(cells + length * row.reference),
        f4_at(cells + length * row.on), f4_at(cells + length * row.off), f4_at(cells + length * row.leak),
        f4_at(cells + length * row.usual),
    )  # fmt: skip


@inline
def random(seed, stream, index):  # type: ignore[no-untyped-def]
    """A hash of where a random number is used; `rows.unit` makes a number in [0, 1) of it."""
    return mixed(u64(seed) * u64(0x9E3779B97F4A7C15) + u64(stream)) + u64(index) * u64(0xD6E8FEB86659FD93)


@compiled_for(types.void(types.int64, types.int64, NUMBERS))
def draw_uniform(seed, stream, out):  # type: ignore[no-untyped-def]
    """A number in [0, 1) for each pixel."""
    for i in range(out.size):
        out[i] = unit(random(seed, stream, i))


@compiled_for(types.void(types.int64, types.int64, NUMBERS))
def draw_normal(seed, stream, out):  # type: ignore[no-untyped-def]
    """A standard normal number for each pixel (Box and Muller 1958)."""
    for i in range(out.size):
        radius = math.sqrt(-2.0 * math.log(1.0 - unit(random(seed, stream, 2 * i))))
        out[i] = radius * math.cos(2.0 * math.pi * unit(random(seed, stream, 2 * i + 1)))


@compiled_for(types.void(CELLS, COUNTERS, COUNTERS))
def wake(cells, shape, counters):  # type: ignore[no-untyped-def]
    """The first frame: references are its levels, below them where a pixel leaks, as if it had long done so."""
    seed = random(counters[at.seed], PHASE, counters[at.frames])
    for i in range(shape[has.size]):
        leak, level = cells[row.usual, i], cells[counters[at.newest], i]
        cells[row.leak, i] = leak
        cells[row.reference, i] = level - f32(unit(seed + u64(i))) * cells[row.on, i] if leak > f32(0.0) else level


def size_of(n: int) -> int:
    """`n` pixels in whole lines."""
    return -(-n // LINE) * LINE


def made(pixel: Pixel, n: int, seed: int) -> NDArray[np.float32]:
    """The cells of `n` pixels."""
    size = size_of(n)
    cells = np.zeros((len(Cells()), size + (SHIFT - size) % PAGE), np.float32)
    cells[row.on], cells[row.off] = np.inf, np.inf
    on = np.maximum(pixel.threshold_on + pixel.mismatch * _normal(n, seed, ON), LEAST)
    off = np.maximum(pixel.threshold_off + pixel.mismatch * _normal(n, seed, OFF), LEAST)
    rate = pixel.leak_rate * 10.0 ** (pixel.leak_spread * _normal(n, seed, LEAK))
    rate[_uniform(n, seed, HOT) < pixel.hot] = pixel.hot_rate
    dead = _uniform(n, seed, DEAD) < pixel.dead
    cells[row.usual, :n] = np.where(dead, 0.0, rate * on)
    cells[row.on, :n], cells[row.off, :n] = np.where(dead, np.inf, on), np.where(dead, np.inf, off)
    return cells


def noise_weights(pixel: Pixel, cells: NDArray[np.float32], n: int) -> NDArray[np.float64]:
    """Running sum over pixels of how often each makes a noise event: the lower its thresholds, the more often."""
    on, off = cells[row.on, :n].astype(np.float64), cells[row.off, :n].astype(np.float64)
    return np.asarray(np.cumsum(0.5 * (pixel.threshold_on / on + pixel.threshold_off / off)))


def _normal(n: int, seed: int, stream: int) -> NDArray[np.float64]:
    draw_normal(seed, stream, drawn := np.empty(n))
    return drawn


def _uniform(n: int, seed: int, stream: int) -> NDArray[np.float64]:
    draw_uniform(seed, stream, drawn := np.empty(n))
    return drawn
