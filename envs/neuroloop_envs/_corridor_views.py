"""A corridor to look at: for the camera on board, which casts rays, and for PyBullet's own pictures and windows."""

import numpy as np

from neuroloop_envs._bullet import Bullet, Vector
from neuroloop_envs._corridor import END, Layout, Pillars
from neuroloop_envs._ground import Ground
from neuroloop_envs._pictures import picture
from neuroloop_envs._scene import Scene

HEIGHT = 1.0  # m, of walls and pillars
THICK = 0.1  # m, of walls
LONG = 60.0  # m, of the walls that are shown; they move along with the rover
HIDDEN: Vector = (0.0, 0.0, -10.0)
WALL, PILLAR = 0.45, 0.12  # luminance
TILES, TILE, FINE = 16, 0.5, 16  # of the floor: how many until they repeat, edge (m), texels along an edge
GRAIN = 0.15  # share by which a tile's brightness varies


def floor() -> Ground:
    """Tiles, each of a brightness of its own and grained: sharp edges from afar, and something to see move near by."""
    rng = np.random.default_rng(0)
    tiles = rng.uniform(0.15, 0.45, (TILES, TILES))
    grain = rng.uniform(1.0 - GRAIN, 1.0 + GRAIN, (TILES * FINE, TILES * FINE))
    light = np.repeat(np.repeat(tiles, FINE, 0), FINE, 1) * grain
    return Ground(luminance=light.astype(np.float32), texel=TILE / FINE, tiled=True)


FLOOR = floor()
REPEAT = FLOOR.size[0]  # m


def strip(bullet: Bullet, width: float) -> int:
    """The floor between the walls as people see it; more of it would double what their pictures cost."""
    first, last, side = END, END + LONG + REPEAT, width / 2
    corners: list[Vector] = [(first, -side, 0.0), (last, -side, 0.0), (last, side, 0.0), (first, side, 0.0)]
    uvs = [(x / REPEAT, y / REPEAT) for x, y, _ in corners]
    return bullet.add_surface(corners, (0, 1, 2, 0, 2, 3), uvs, bullet.add_texture(picture(FLOOR.luminance)))


def walls(layout: Layout, x: float) -> list[tuple[tuple[float, float, float], Vector]]:
    """Edges and middle of each wall as seen from x."""
    side = layout.width / 2 + THICK / 2
    long = (LONG, THICK, HEIGHT)
    return [
        (long, (max(x, END + LONG / 2), side, HEIGHT / 2)),
        (long, (max(x, END + LONG / 2), -side, HEIGHT / 2)),
        ((THICK, layout.width + 2 * THICK, HEIGHT), (END - THICK / 2, 0.0, HEIGHT / 2)),
    ]


class Sight:
    """What the rover's camera sees of a corridor."""

    def __init__(self, bullet: Bullet, layout: Layout) -> None:
        self._layout, self.scene = layout, Scene(bullet, ground=FLOOR)
        self._walls = [self.scene.add_shape("box", edges, at, luminance=WALL) for edges, at in walls(layout, 0.0)]
        self._pillars: list[int] = []

    def show(self, pillars: Pillars, x: float) -> None:
        """Put pillars where they are, and walls around x."""
        for wall, (_, at) in zip(self._walls, walls(self._layout, x), strict=True):
            self.scene.move_shape(wall, at)
        size = (self._layout.radius, HEIGHT)
        while len(self._pillars) < len(pillars):
            self._pillars.append(self.scene.add_shape("cylinder", size, HIDDEN))
        places = pillars.tolist()
        for k, pillar in enumerate(self._pillars):
            if k < len(places):
                self.scene.move_shape(pillar, (places[k][0], places[k][1], HEIGHT / 2))
            self.scene.paint_shape(pillar, PILLAR if k < len(places) else None)


class Stage:
    """What people see of a corridor: bodies that nothing touches."""

    def __init__(self, bullet: Bullet, layout: Layout) -> None:
        self._bullet, self._layout = bullet, layout
        self._floor = strip(bullet, layout.width)
        self._walls = [
            bullet.add_body("box", edges, at, rgb=(0.6, 0.62, 0.68), solid=False) for edges, at in walls(layout, 0.0)
        ]
        self._pillars: list[int] = []

    def show(self, pillars: Pillars, x: float) -> None:
        """Put pillars where they are, and walls and floor around x."""
        beyond = max(x - END - LONG / 2, 0.0)
        self._bullet.move(self._floor, (REPEAT * (beyond // REPEAT), 0.0, 0.0))
        for wall, (_, at) in zip(self._walls, walls(self._layout, x), strict=True):
            self._bullet.move(wall, at)
        size = (self._layout.radius, HEIGHT)
        while len(self._pillars) < len(pillars):
            self._pillars.append(self._bullet.add_body("cylinder", size, HIDDEN, rgb=(0.85, 0.45, 0.1), solid=False))
        places = pillars.tolist()
        for k, pillar in enumerate(self._pillars):
            self._bullet.move(pillar, (places[k][0], places[k][1], HEIGHT / 2) if k < len(places) else HIDDEN)

    def clear(self) -> None:
        """Remove all of it."""
        for body in (self._floor, *self._walls, *self._pillars):
            self._bullet.remove(body)
