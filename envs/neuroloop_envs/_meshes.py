"""The corners of mesh files, as far as PyBullet's shipped robots need it: STL, binary or text, and Wavefront OBJ."""

import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._bullet import Visual
from neuroloop_envs._turns import turned

_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEAD = 84  # bytes before the triangles of a binary STL file; the last four of them say how many there are


def box_around(visual: Visual) -> Visual:
    """The box that a mesh fills, in its own axes. Raises `ValueError`."""
    corners = corners_of(visual.mesh) * visual.size
    low, high = corners.min(axis=0), corners.max(axis=0)
    x, y, z = turned(tuple((0.5 * (low + high)).tolist()), visual.orientation)
    px, py, pz = visual.position
    size = tuple(np.maximum(high - low, 1e-6).tolist())
    return visual._replace(kind="box", mesh="", size=size, position=(px + x, py + y, pz + z))


@functools.lru_cache(maxsize=64)
def corners_of(file: str) -> NDArray[np.float64]:
    """All corners of a mesh, shape (n, 3), in its own units. Raises `ValueError`."""
    kind = Path(file).suffix.lower()
    if kind == ".stl":
        corners = _stl(Path(file).read_bytes())
    elif kind == ".obj":
        corners = _numbers(Path(file).read_text(encoding="utf-8", errors="replace"), "v")
    else:
        raise ValueError(f"{file}: a mesh must be an STL or OBJ file for a box to be put around it")
    if not corners.size or not np.isfinite(corners).all():
        raise ValueError(f"{file}: holds no corners, or such as are not finite")
    return corners


def _stl(data: bytes) -> NDArray[np.float64]:
    n = int.from_bytes(data[_HEAD - 4 : _HEAD], "little")
    if len(data) == _HEAD + n * _TRIANGLE.itemsize:
        triangles = np.frombuffer(data, _TRIANGLE, offset=_HEAD)
        return np.asarray(triangles["corners"].reshape(-1, 3), np.float64)
    return _numbers(data.decode(errors="replace"), "vertex")


def _numbers(text: str, first: str) -> NDArray[np.float64]:
    """The three numbers after the word `first` of all lines that begin with it."""
    words = (line.split() for line in text.splitlines())
    rows = [[float(number) for number in line[1:4]] for line in words if len(line) >= 4 and line[0] == first]
    return np.array(rows, np.float64).reshape(-1, 3)
