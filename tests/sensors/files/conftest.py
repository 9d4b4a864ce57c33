"""Recordings to write, and the formats to write them in."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from neuroloop.types import EVENT

WIDTH, HEIGHT = 64, 48
NEEDS = {"hdf5": ("h5py",), "aedat4": ("aedat", "dv_processing")}
SUFFIXES = {"npy": ".npy", "hdf5": ".h5", "aedat4": ".aedat4", "evt3": ".raw", "evt2": ".raw"}


class Kind(NamedTuple):
    """A format and a file of it to come."""

    encoding: str
    path: Path


def random_events(n: int, seed: int = 0, longest: int = 3, width: int = WIDTH, height: int = HEIGHT) -> NDArray[Any]:
    """Events with ties, at random pixels."""
    rng = np.random.default_rng(seed)
    events = np.zeros(n, EVENT)
    events["t_us"] = 1000 + np.cumsum(rng.integers(0, longest, n))
    events["x"], events["y"], events["p"] = rng.integers(0, width, n), rng.integers(0, height, n), rng.integers(0, 2, n)
    return events


def marks(encoding: str) -> Any:
    missing = [name for name in NEEDS.get(encoding, ()) if importlib.util.find_spec(name) is None]
    return pytest.param(encoding, marks=pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed"))


@pytest.fixture(params=[marks(encoding) for encoding in SUFFIXES])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each format."""
    return Kind(request.param, tmp_path / f"events{SUFFIXES[request.param]}")


@pytest.fixture
def events_of() -> Callable[..., NDArray[Any]]:
    """Makes random events."""
    return random_events
