"""The painted plane z = 0, and its smaller copies: each holds the mean light of larger texels, so that distance blurs.

Mip maps (Williams 1983). Every copy covers the same rectangle, with half as many texels along each side, rounded down; where
a number of texels is odd, its means are weighted by area.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._bullet import Bullet, Vector
from neuroloop_envs._pictures import picture

AROUND = 60.0  # m, how far PyBullet's own picture of the ground goes on around the painted rectangle

Copies = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The plane z = 0 with a picture on it.

    `luminance`: float32[rows, columns], 0 (black) to 1 (white), linear light. Row r lies at y = `y0` + (r + 0.5) `texel`,
    column c at x = `x0` + (c + 0.5) `texel`, all in m. Around it the picture repeats (`tiled`), or its border goes on.
    All scenes that show a ground share its pictures: `luminance` is read-only, and copied from an array that is not.
    """

    luminance: NDArray[np.float32]
    texel: float
    x0: float = 0.0
    y0: float = 0.0
    tiled: bool = False
    _copies: dict[float, Copies] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        luminance = np.ascontiguousarray(self.luminance, np.float32)
        if luminance.ndim != 2 or luminance.size == 0:
            raise ValueError(f"Ground.luminance: must be of shape (rows, columns), got {luminance.shape}")
        if not (float(luminance.min()) >= 0.0 and float(luminance.max()) <= 1.0):
            raise ValueError(
                "Ground.luminance: must lie between 0 and 1, "
                f"got {float(luminance.min()):g} to {float(luminance.max()):g}"
            )
        if not 0.0 < self.texel < math.inf:
            raise ValueError(f"Ground.texel: must be a length above 0 m, got {self.texel!r}")
        if not (math.isfinite(self.x0) and math.isfinite(self.y0)):
            raise ValueError(f"Ground.x0, y0: must be finite, got {self.x0!r}, {self.y0!r}")
        if luminance.flags.writeable:
            luminance = luminance.copy()
            luminance.flags.writeable = False
        object.__setattr__(self, "luminance", luminance)

    @property
    def size(self) -> tuple[float, float]:
        """Length of the painted rectangle along x and along y, m."""
        rows, columns = self.luminance.shape
        return columns * self.texel, rows * self.texel

    def copies(self, share: float) -> Copies:
        """See `mip_levels`; made once for each share."""
        if share not in self._copies:
            self._copies[share] = mip_levels(self, share)
        return self._copies[share]


def even_ground(luminance: float) -> Ground:
    """A ground of one brightness."""
    if not 0.0 <= luminance <= 1.0:
        raise ValueError(f"Scene.ground: a brightness must lie between 0 and 1, got {luminance!r}")
    return Ground(luminance=np.full((1, 1), luminance, np.float32), texel=1.0)


def mip_levels(ground: Ground, share: float) -> Copies:
    """The luminance times `share` and all its smaller copies in one array, with a frame of one texel around each.

    The second array has a row for each copy: where it begins, its columns and its rows, without the frame.
    """
    image, offset = ground.luminance.astype(np.float64) * share, 0
    around = np.pad(image, 1, mode="wrap" if ground.tiled else "edge")
    borders = [around[:1, 1:-1], around[-1:, 1:-1], around[1:-1, :1], around[1:-1, -1:]]
    texels: list[NDArray[np.float32]] = []
    places: list[tuple[int, int, int]] = []
    while True:
        rows, columns = image.shape
        framed = np.pad(image, 1, mode="wrap" if ground.tiled else "edge")
        if not ground.tiled:  # what goes on is the border, not what larger texels at the border hold
            framed[:1, 1:-1], framed[-1:, 1:-1], framed[1:-1, :1], framed[1:-1, -1:] = borders
            framed[[0, 0, -1, -1], [0, -1, 0, -1]] = around[[0, 0, -1, -1], [0, -1, 0, -1]]
        texels.append(framed.astype(np.float32).ravel())
        places.append((offset, columns, rows))
        offset += framed.size
        if rows == columns == 1:
            return np.concatenate(texels), np.array(places, np.int64)
        image = _halved(_halved(image).T).T
        below, above, left, right = borders
        borders = [_halved(below.T).T, _halved(above.T).T, _halved(left), _halved(right)]


def _halved(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half as many rows: each the mean of what it covers."""
    n = image.shape[0]
    m = max(n // 2, 1)
    if n == 2 * m:
        return np.asarray(0.5 * (image[::2] + image[1::2]))
    total = np.concatenate([np.zeros((1, image.shape[1])), np.cumsum(image, axis=0)])
    edges = np.arange(m + 1) * (n / m)
    whole = np.minimum(edges.astype(np.int64), n - 1)
    share = (edges - whole)[:, None]
    return np.asarray(np.diff(total[whole] + share * image[whole], axis=0) * (m / n))


def lay(bullet: Bullet, ground: Ground) -> int:
    """Show the ground to PyBullet's own renderers, in windows and in pictures; returns the body, which nothing touches.

    It ends 60 m around the painted rectangle, or after as many whole repetitions.
    """
    width, height = ground.size
    xs, us = _lines(ground.x0, width, ground.luminance.shape[1], ground.tiled)
    ys, vs = _lines(ground.y0, height, ground.luminance.shape[0], ground.tiled)
    n = len(xs)
    vertices: list[Vector] = [(x, y, 0.0) for y in ys for x in xs]
    uvs = [(u, v) for v in vs for u in us]
    triangles: list[int] = []
    for row in range(len(ys) - 1):
        for first in range(row * n, row * n + n - 1):
            triangles += [first, first + 1, first + n + 1, first, first + n + 1, first + n]
    return bullet.add_surface(vertices, triangles, uvs, bullet.add_texture(picture(ground.luminance)))


def _lines(start: float, length: float, n: int, tiled: bool) -> tuple[list[float], list[float]]:
    """Where the triangles' corners lie along an axis, and which share of the picture is there."""
    if tiled:
        times = math.ceil(AROUND / length)
        return [start - times * length, start + (1 + times) * length], [float(-times), float(1 + times)]
    first, last = 0.5 / n, 1.0 - 0.5 / n  # the middle of the border's texels
    return [start - AROUND, start, start + length, start + length + AROUND], [first, first, last, last]
