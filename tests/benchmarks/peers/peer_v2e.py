"""v2e's pixel model (Hu, Liu and Delbruck 2021) with its command line's defaults, on the CPU: frames a second, time stamps."""

import importlib
import logging
import sys
import time
from unittest.mock import MagicMock

import common
import numpy as np
import torch

UNUSED = ("easygui", "plyer", "screeninfo", "tkinter", "dv_processing")  # windows and files, no part of the pixel
sys.modules.update({name: MagicMock() for name in UNUSED})
EventEmulator = importlib.import_module("v2ecore.emulator").EventEmulator

torch.set_num_threads(1)
logging.disable(logging.CRITICAL)
DEFAULTS = {"cutoff_hz": 300.0, "leak_rate_hz": 0.01, "shot_noise_rate_hz": 0.001, "refractory_period_s": 0.0005}
IDEAL = dict.fromkeys(("sigma_thres", "cutoff_hz", "leak_rate_hz", "shot_noise_rate_hz", "refractory_period_s"), 0.0)


def speed(name, repeats):
    """CPU time of frames that are already floats, as v2e asks for them."""
    frames = [frame.astype(np.float32) for frame in common.frames_of(name.removeprefix("dvs_").removesuffix("_fps"))]
    emulator = EventEmulator(**DEFAULTS, seed=1, device="cpu")
    tick = common.ticker(lambda frame, t_us: emulator.generate_events(frame, t_us * 1e-6), frames)
    for _ in range(3):
        tick(0)
    samples, before = [], emulator.num_events_total
    for _ in range(repeats):
        stamps = [time.process_time()]
        for _ in range(common.LAP):
            tick(0)
            stamps.append(time.process_time())
        samples.append(1.0 / float(np.median(np.diff(stamps))))
    each = (emulator.num_events_total - before) / (repeats * common.LAP)
    common.report(name, "fps", samples, f"{each:.0f} events a frame")


def drift(step_us):
    """Events of the drifting texture, all noise off."""
    emulator, seen = EventEmulator(**IDEAL, seed=1, device="cpu"), []
    for t_us in common.times_of(step_us):
        events = emulator.generate_events(np.round(common.drifting(t_us)).astype(np.float32), t_us * 1e-6)
        if events is not None:
            seen.append(events)
    t, x, y, sign = np.concatenate(seen).T
    return np.round(t.astype(float) * 1e6), x, y, sign > 0


def stamps(name, repeats):
    errors = np.abs(common.stamp_errors(drift(common.COARSE_US), drift(common.FINE_US)))
    note = f"95 % below {np.percentile(errors, 95):.0f} us, against its own finer frames"
    common.report(name, "us", [float(np.median(errors))], note)


if __name__ == "__main__":
    benches = {f"dvs_{case}_fps": speed for case in common.SPEEDS}
    common.main(benches | {"dvs_timestamp_error_us": stamps})
