"""The suite `sensors`: what a frame costs an event camera, how far its time stamps are from those of finer frames, and what
proprioception costs.

Scenes are in `sensor_cases.py`, and what each peer runs in `tests/benchmarks/peers/README.md`. Times are CPU times of one
thread, the best of several; the pixel is `v2e`, with all its noise.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import EventCamera
from .. import engine_cases
from .. import sensor_cases as cases
from ..figures import Figure, Suite
from ..peers import run_peer
from .proprioception import proprio_us_of_each

Report = Callable[[str], Any]
PIXEL = "v2e"
PEERS = ("v2e",)
SPEEDS = {"128_sparse": 40_000.0, "128_dense": 5000.0, "346_sparse": 8000.0, "346_dense": 1000.0, "1280_static": 600.0}
EVENTS_PER_S = 40e6
PROPRIO_US = 3.0  # a tick of 12 joints
NO_TARGET = ("proprio_conjunctive_us",)  # looks up a cell of each of 96 modules; see docs/encoders.md
BYTES = "dvs_timestamp_error_us"
STAMPS = {BYTES: 500.0, "dvs_timestamp_error_float_us": 100.0}


def run(quick: bool, peers: bool, report: Report) -> Suite:
    """Measure everything; `peers`: build the environments of other simulators where missing, and run them too."""
    figures: list[Figure] = []
    rows: list[dict[str, Any]] = []
    rivals = PEERS if peers else ()
    for case, target in SPEEDS.items():
        name = f"dvs_{case}_fps"
        samples, each = frames_per_s(case, quick)
        lines = {peer: run_peer(peer, name, quick, report) for peer in rivals}
        samples += frames_per_s(case, quick)[0] if lines else []
        figures.append(_best(name, samples, "fps", target, "high"))
        rows.append(_row(name, "neuroloop", max(samples), "fps", f"{each:.0f} events a frame"))
        for peer, line in lines.items():
            rows.append(_row(name, peer, line["value"], "fps", line["note"]))
            ratio, n = max(samples) / line["value"], line["n"]
            figures.append(Figure(f"{name}_vs_{peer}", ratio, "×", n, None, "high"))
            if "static" not in case:  # where little moves, frames are what costs
                theirs = float(line["note"].partition(" ")[0])  # of "224 events a frame"
                figures.append(Figure(f"{name}_per_event_vs_{peer}", ratio * each / theirs, "×", n, None, "high"))
        report(f"{name}: {max(samples):.4g} fps")
    figures.append(_best("dvs_events_per_s", events_per_s(quick), "1/s", EVENTS_PER_S, "high"))
    for name, samples in proprio_us_of_each(quick).items():
        figures.append(_best(name, samples, "us", None if name in NO_TARGET else PROPRIO_US, "low"))
        report(f"{name}: {min(samples):.4g} us")
    for name, target in STAMPS.items():
        errors = np.abs(stamp_errors(as_bytes="float" not in name))
        middle = float(np.median(errors))
        figures.append(Figure(name, middle, "us", errors.size, target))
        rows.append(_row(name, "neuroloop", middle, "us", f"95 % below {np.percentile(errors, 95):.0f} us"))
        report(f"{name}: {middle:.4g} us")
    for peer in rivals:
        line = run_peer(peer, BYTES, quick, report)
        rows.append(_row(BYTES, peer, line["value"], "us", line["note"]))
    return Suite("sensors", figures, rows)


def frames_per_s(case: str, quick: bool) -> tuple[list[float], float]:
    """Frames a second of a scene, and how many events a frame has."""
    frames = cases.frames_of(case)
    height, width = frames[0].shape
    camera = EventCamera(width, height, PIXEL)
    tick = cases.ticker(camera.see, frames)
    medians = engine_cases.tick_medians(tick, 5 if quick else 9, 0.2 if quick else 0.5)
    camera.reset()
    for _ in range(2 * cases.LAP):
        tick(0)
    return [1e6 / us for us in medians], sum(camera.counts) / (2 * cases.LAP - 1)


def events_per_s(quick: bool) -> list[float]:
    """Events a second of whole laps of the dense scene, everything included."""
    frames = cases.frames_of("128_dense")
    camera = EventCamera(128, 128, PIXEL)
    tick, samples = cases.ticker(camera.see, frames), []
    for k in range(6 if quick else 11):
        before, begun = sum(camera.counts), time.process_time()
        for _ in range(4 * cases.LAP):
            tick(0)
        if k > 0:  # the first is to warm up
            samples.append((sum(camera.counts) - before) / (time.process_time() - begun))
    return samples


def stamp_errors(as_bytes: bool) -> NDArray[np.int64]:
    """µs between time stamps from frames of 10 ms and those from frames of 0.2 ms; an ideal pixel in both."""
    return np.asarray(cases.stamp_errors(_drift(cases.COARSE_US, as_bytes), _drift(cases.FINE_US, as_bytes)))


def _drift(step_us: int, as_bytes: bool) -> list[NDArray[Any]]:
    camera, seen = EventCamera(cases.DRIFT_SIDE, cases.DRIFT_SIDE, "ideal"), []
    for t_us in cases.times_of(step_us):
        image = cases.drifting(t_us)
        frame = np.round(image).astype(np.uint8) if as_bytes else (image / 255.0).astype(np.float32)
        seen.append(camera.see(frame, t_us).copy())
    events = np.concatenate(seen)
    return [events[name] for name in ("t_us", "x", "y", "p")]


def _best(name: str, samples: list[float], unit: str, target: float | None, better: Any) -> Figure:
    best = max(samples) if better == "high" else min(samples)
    return Figure(name, best, unit, len(samples), target, better, min(samples), max(samples))


def _row(figure: str, who: str, value: float | None, unit: str, note: str) -> dict[str, Any]:
    return {"figure": figure, "who": who, "value": value, "unit": unit, "note": note}
