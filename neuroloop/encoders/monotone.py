"""What the encoders that come with neuroloop promise of their answers to a rising value."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..settings import BurstCode, LatencyCode, RateCode, Spindles
from .intensity import n_channels
from .protocol import Monotone
from .senses import Senses

ANSWERS: dict[type, Literal["count", "soonness"]] = {
    RateCode: "count",
    BurstCode: "count",
    LatencyCode: "soonness",
    Spindles: "count",
}


def monotone_of(senses: Senses) -> Monotone | None:
    """The promise of a single encoder on all dimensions of a Box; None if it makes none. Spindles promise position only."""
    config = senses.parts[0].config
    if len(senses.parts) > 1 or config.on or senses.layout.levels.any() or type(config) not in ANSWERS:
        return None
    if isinstance(config, Spindles):
        n = 0 if config.velocity or config.load or config.senses[:1] != ("position",) else senses.layout.size
        joints = np.repeat(np.arange(n), 2)
        return Monotone("count", np.arange(2 * n), joints, np.tile([-1, 1], n)) if n else None
    assert isinstance(config, RateCode | BurstCode | LatencyCode)
    sizes = n_channels(senses.layout, config.channels)
    dimensions = np.repeat(np.arange(len(sizes)), sizes)
    within = np.concatenate([np.arange(size) for size in sizes])
    return Monotone(ANSWERS[type(config)], np.arange(dimensions.size), dimensions, 1 - 2 * (within % 2))
