"""What the suite `sensors` shows to event cameras, ours and every peer's: scenes, times, and how time stamps are compared.

Peers load this file into environments of their own, so it needs NumPy only and imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

FRAME_US = 1000  # from frame to frame
LAP = (
    60  # frames, then the same again: a texture that moves by 3 pixels a frame and repeats after 20 and 30 is back then
)
SIZES = {"128": (128, 128), "346": (346, 260), "1280": (1280, 720)}
SPEEDS = ("128_sparse", "128_dense", "346_sparse", "346_dense", "1280_static")
DRIFT_SIDE, DRIFT_US = 64, 400_000  # pixels, length of the scene
FINE_US, COARSE_US = 200, 10_000  # frames that time stamps are compared with, and frames that make them


def frames_of(case: str) -> list[np.ndarray]:
    """A lap of frames of bytes: nothing moves, a small box moves by a pixel a frame, or a texture by three."""
    size, _, scene = case.partition("_")
    width, height = SIZES[size]
    y, x = np.mgrid[:height, :width]
    if scene == "dense":
        texture = np.cos(y * 2 * np.pi / 30)
        return [
            np.round(130 + 100 * np.sin((x + 3 * k) * 2 * np.pi / 20) * texture).astype(np.uint8) for k in range(LAP)
        ]
    still = np.random.default_rng(0).integers(60, 200, (height, width), dtype=np.uint8)
    if scene == "static":
        return [still] * LAP
    frames = []
    for k in range(LAP):
        frame = still.copy()
        frame[height // 3 : height // 3 + height // 8, k : k + width // 8] = 30
        frames.append(frame)
    return frames


def drifting(t_us: int) -> np.ndarray:
    """A smooth texture that drifts by 60 pixels a second, intensities from 30 to 230 of 255."""
    y, x = np.mgrid[:DRIFT_SIDE, :DRIFT_SIDE]
    return np.asarray(130 + 100 * np.sin((x + 60e-6 * t_us) * 2 * np.pi / 40) * np.cos(y * 2 * np.pi / 60))


def times_of(step_us: int) -> range:
    """Times of all frames of the drifting texture."""
    return range(0, DRIFT_US + 1, step_us)


def stamp_errors(found: Iterable[np.ndarray], wanted: Iterable[np.ndarray]) -> np.ndarray:
    """µs between events and those of a finer simulation: each pixel's first, second … event, while polarities agree.

    Both are `t_us, x, y, p` in four arrays, in order of time.
    """
    ours, theirs = _by_pixel(found), _by_pixel(wanted)
    errors = [np.empty(0, np.int64)]
    for pixel, (times, polarities) in ours.items():
        if pixel in theirs:
            n = min(times.size, theirs[pixel][0].size)
            differ = np.flatnonzero(polarities[:n] != theirs[pixel][1][:n])
            n = int(differ[0]) if differ.size else n
            errors.append(times[:n] - theirs[pixel][0][:n])
    return np.asarray(np.concatenate(errors))


def _by_pixel(events: Iterable[np.ndarray]) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    t, x, y, p = (np.asarray(column, np.int64) for column in events)
    place = y * DRIFT_SIDE + x
    order = np.argsort(place, kind="stable")
    cuts = np.flatnonzero(np.diff(place[order])) + 1
    groups = [group for group in np.split(order, cuts) if group.size]
    return {int(place[group[0]]): (t[group], p[group]) for group in groups}


def ticker(see: Callable[[np.ndarray, int], object], frames: list[np.ndarray]) -> Callable[[int], object]:
    """A tick that shows the next frame, at a time that only rises."""
    shown = 0

    def tick(_: int) -> object:
        nonlocal shown
        shown += 1
        return see(frames[shown % LAP], shown * FRAME_US)

    return tick
