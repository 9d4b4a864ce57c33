"""Frames of event packets: counts, time surfaces and voxel grids, as float32 arrays (channels, height, width).

Counts: n(p, y, x), the events of each polarity.
Time surface: S(p, y, x) = exp(−(t − T(p, y, x)) / τ), T the time of the last event there (Lagorce et al. 2017).
Voxel grid: V(b, y, x) = Σ_i s_i max(0, 1 − |b − t*_i|), t*_i = (B − 1)(t_i − t_start) / (t_end − t_start), s_i = +1 for ON and
−1 for OFF (Zhu et al. 2019).
Traces: c(p, v, u) ← e^(−Δt/τ) c(p, v, u) + n(p, v, u), the events of bins of pixels, leaking away.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types
from numpy.typing import NDArray

from .. import arguments
from .._numba import Compiled, compiled_for
from ..errors import BadInput
from ..rows import f32, i64
from ..types import EVENT

FARTHEST = 2**60  # µs
NEVER = -(2**62)  # µs: when a pixel that gave no event gave its last one
Frame = NDArray[np.float32]
_EVENTS = types.Array(numba.from_dtype(EVENT), 1, "C", readonly=True)
_FRAME, _TIMES = types.Array(types.float32, 3, "C"), types.Array(types.int64, 3, "C")
FINE = -1  # what a compiled function says if no event is outside the picture; else which one is


@compiled_for(types.int64(_EVENTS, _FRAME))
def _count(events, out):  # type: ignore[no-untyped-def]
    for k in range(events.size):
        event = events[k]
        if event.x >= out.shape[2] or event.y >= out.shape[1] or event.p > 1:
            return i64(k)
        out[event.p, event.y, event.x] += f32(1.0)
    return i64(FINE)


@compiled_for(types.int64(_EVENTS, types.int64, types.int64, types.int64, types.int64, _FRAME))
def _pool(events, left, top, width, height, out):  # type: ignore[no-untyped-def]
    """Bins of `width` × `height` pixels, beginning at (left, top); what lies outside the bins is not counted."""
    for k in range(events.size):
        event = events[k]
        if event.p > 1:
            return i64(k)
        x, y = i64(event.x) - left, i64(event.y) - top
        if x >= 0 and y >= 0 and x < out.shape[2] * width and y < out.shape[1] * height:
            out[event.p, y // height, x // width] += f32(1.0)
    return i64(FINE)


@compiled_for(types.int64(_EVENTS, _TIMES))
def _note(events, last):  # type: ignore[no-untyped-def]
    for k in range(events.size):
        event = events[k]
        if event.x >= last.shape[2] or event.y >= last.shape[1] or event.p > 1:
            return i64(k)
        last[event.p, event.y, event.x] = max(last[event.p, event.y, event.x], event.t_us)
    return i64(FINE)


@compiled_for(types.void(_TIMES, types.int64, types.float64, _FRAME))
def _age(last, t_us, tau_us, out):  # type: ignore[no-untyped-def]
    """Exponents of the surface; numpy's exponential of a whole array is several times faster than one by one."""
    times, exponents = last.reshape(-1), out.reshape(-1)
    per_us, oldest = 1.0 / tau_us, i64(min(80.0 * tau_us, 1e18))
    for i in range(times.size):
        age = max(t_us - times[i], 0)
        exponents[i] = f32(-age * per_us) if age <= oldest else f32(-np.inf)


@compiled_for(types.int64(_EVENTS, types.int64, types.float64, _FRAME))
def _vote(events, start_us, per_us, out):  # type: ignore[no-untyped-def]
    bins = out.shape[0]
    for k in range(events.size):
        event = events[k]
        if event.x >= out.shape[2] or event.y >= out.shape[1] or event.p > 1:
            return i64(k)
        place = min(max((event.t_us - start_us) * per_us, 0.0), bins - 1.0)
        lower, sign = i64(place), 2.0 * event.p - 1.0
        share = place - lower
        out[lower, event.y, event.x] += f32(sign * (1.0 - share))
        if share > 0.0:
            out[lower + 1, event.y, event.x] += f32(sign * share)
    return i64(FINE)


def event_counts(events: NDArray[Any], width: int, height: int, *, out: Frame | None = None) -> Frame:
    """Events of each polarity (OFF, ON) and pixel, shape (2, height, width); `out` is overwritten. Raises `BadInput`."""
    out = _blank((2, height, width), out)
    _run(_count, events, out)
    return out


def leaky_counts(
    events: NDArray[Any], counts: Frame, *, cell: tuple[int, int], corner: tuple[int, int] = (0, 0), keep: float = 0.0
) -> Frame:
    """Counts of bins: what is left of `counts`, shape (2, rows, columns), a share of `keep`, and the events of each bin.

    A bin has (columns, rows) = `cell` of pixels; the first one begins at `corner`. `counts` is changed. Raises `BadInput`.
    """
    _check(events)
    counts *= np.float32(keep)
    _pool.now(np.ascontiguousarray(events), *corner, *cell, counts)
    return counts


def time_surface(
    events: NDArray[Any],
    width: int,
    height: int,
    *,
    tau: float = 0.05,
    t_us: int | None = None,
    last: NDArray[np.int64] | None = None,
    out: Frame | None = None,
) -> Frame:
    """How fresh each pixel's last event is: 1 at once, e⁻¹ after `tau` seconds; (OFF, ON), shape (2, height, width).

    `t_us`: the moment; None: that of the last event. `last`, int64 of the same shape: the times of last events, brought up
    to date, for a surface that goes on over packets; `NEVER` where there was none. Raises `BadInput`.
    """
    tau, shape = arguments.positive("tau", tau, "s"), (2, height, width)
    out, t_us = _blank(shape, out), _moment("t_us", t_us)
    last = np.full(shape, NEVER) if last is None else _fitting("last", last, shape, np.int64)
    _run(_note, events, last)
    if t_us is None:
        t_us = int(last.max())
    if t_us > NEVER:
        _age(last, t_us, tau * 1e6, out)
        np.exp(out, out=out)
    return out


def voxel_grid(
    events: NDArray[Any],
    width: int,
    height: int,
    bins: int = 5,
    *,
    start_us: int | None = None,
    end_us: int | None = None,
    out: Frame | None = None,
) -> Frame:
    """Polarities shared by the two nearest of `bins` moments, from `start_us` to `end_us`; shape (bins, height, width).

    None: the times of the first and of the last event, as published. What lies outside counts at the border. Raises
    `BadInput`.
    """
    out = _blank((arguments.whole("bins", bins, 1), height, width), out)
    _check(events)
    start_us, end_us = _moment("start_us", start_us), _moment("end_us", end_us)
    if start_us is not None and end_us is not None and end_us < start_us:
        raise BadInput(f"end_us: must be at least start_us = {start_us}, got {end_us}")
    if events.size:
        start, end = int(events["t_us"].min()), int(events["t_us"].max())
        start, end = start if start_us is None else start_us, end if end_us is None else end_us
        _run(_vote, events, out, start, (bins - 1) / max(end - start, 1))
    return out


def _blank(shape: tuple[int, int, int], out: Any) -> Frame:
    """An array of zeros: a new one, or `out` if it fits."""
    for name, size in zip(("height", "width"), shape[1:], strict=True):
        arguments.whole(name, size, 1)
    if out is None:
        return np.zeros(shape, np.float32)
    _fitting("out", out, shape, np.float32)[:] = 0.0
    return out  # type: ignore[no-any-return]


def _fitting(name: str, array: Any, shape: tuple[int, int, int], dtype: Any) -> NDArray[Any]:
    whole = isinstance(array, np.ndarray) and array.flags.c_contiguous and array.flags.writeable
    if not whole or array.shape != shape or array.dtype != dtype:
        raise BadInput(f"{name}: must be a contiguous array {np.dtype(dtype)} of shape {shape}")
    return array  # type: ignore[no-any-return]


def _moment(name: str, value: Any) -> int | None:
    moment = arguments.optional_whole(name, value, -FARTHEST)
    if moment is not None and moment > FARTHEST:
        raise BadInput(f"{name}: must be at most {FARTHEST} µs, got {moment}")
    return moment


def _check(events: Any) -> None:
    if not isinstance(events, np.ndarray) or events.dtype != EVENT or events.ndim != 1:
        raise BadInput(
            f"events: must be a one-dimensional array of dtype neuroloop.types.EVENT, got {type(events).__name__}"
        )


def _run(function: Compiled, events: Any, out: NDArray[Any], *moments: float) -> None:
    _check(events)
    k = function.now(np.ascontiguousarray(events), *moments, out)
    if k != FINE:
        got = {name: int(events[name][k]) for name in ("x", "y", "p")}
        raise BadInput(f"events[{k}]: {got} lies outside {out.shape[2]} × {out.shape[1]} pixels of polarity 0 or 1")
