"""What stands around the pan-tilt head: a ball, other balls, boards, a chequered floor; as rays see them and as people do."""

import numpy as np
from numpy.typing import NDArray

from neuroloop_envs._bullet import Bullet
from neuroloop_envs._pan_tilt import EYE
from neuroloop_envs._paths import Direction
from neuroloop_envs._scene import Ground, RayCamera, Scene
from neuroloop_envs._sight import BOARD_SIZE, Board, axes_of, vector
from neuroloop_envs._turns import facing

RADIUS = 0.1  # m, of every ball
BALL_LIGHT, BOARD_LIGHT, SKY = 0.03, 0.35, 0.6  # luminance
OTHERS_LIGHT = (0.95, 0.25, 0.8, 0.15)  # of distractors, in turn
TILES, TILE, FINE = (0.3, 0.5), 0.5, 16  # luminance, edge (m) and texels along an edge of the floor's squares
BALL_RGB, BOARD_RGB = (0.85, 0.1, 0.1), (0.45, 0.4, 0.35)
AWAY = (0.0, 0.0, -9.0)  # m, below the floor


class Stage:
    """Balls and boards in a Bullet client, and a camera that sees them. People see bodies, rays see shapes of their own."""

    def __init__(self, bullet: Bullet, others: int, boards: int, size: tuple[int, int], field_of_view: float) -> None:
        self._bullet = bullet
        squares = np.repeat(np.repeat(np.array([TILES, TILES[::-1]], np.float32), FINE, 0), FINE, 1)
        scene = Scene(bullet, ground=Ground(luminance=squares, texel=TILE / FINE, tiled=True), sky=SKY)
        scene.lay_ground()
        lights = [BALL_LIGHT, *(OTHERS_LIGHT[k % len(OTHERS_LIGHT)] for k in range(others))]
        colours = [BALL_RGB, *((light, light, light) for light in lights[1:])]
        self._balls = [
            (
                scene.add_shape("sphere", RADIUS, AWAY, luminance=light),
                bullet.add_body("sphere", (RADIUS,), AWAY, rgb=rgb, solid=False),
            )
            for light, rgb in zip(lights, colours, strict=True)
        ]
        self._boards = [
            (
                scene.add_shape("box", BOARD_SIZE, AWAY, luminance=BOARD_LIGHT),
                bullet.add_body("box", BOARD_SIZE, AWAY, rgb=BOARD_RGB, solid=False),
            )
            for _ in range(boards)
        ]
        self._scene = scene
        self._camera = RayCamera(scene, width=size[0], height=size[1], field_of_view=field_of_view)

    def put_up(self, boards: list[Board]) -> None:
        """Place the boards, facing the eye."""
        for (shape, body), board in zip(self._boards, boards, strict=True):
            x, y, _ = vector(board.azimuth, 0.0)
            at = (EYE[0] + board.distance * x, EYE[1] + board.distance * y, EYE[2] + board.middle)
            turn = facing(board.azimuth)
            self._scene.move_shape(shape, at, turn)
            self._bullet.move(body, at, turn)

    def place(self, balls: list[tuple[Direction, float]], bodies: bool) -> None:
        """Place the balls, each in a direction and at a distance (m) from the eye; `bodies`: for people too."""
        for (shape, body), ((azimuth, elevation), distance) in zip(self._balls, balls, strict=True):
            x, y, z = vector(azimuth, elevation)
            at = (EYE[0] + distance * x, EYE[1] + distance * y, EYE[2] + distance * z)
            self._scene.move_shape(shape, at)
            if bodies:
                self._bullet.move(body, at)

    def see(self, pan: float, tilt: float) -> NDArray[np.float32]:
        """Light on a camera in the eye that points at (pan, tilt)."""
        (x, y, z), up = axes_of(pan, tilt)
        return self._camera.see(EYE, (EYE[0] + x, EYE[1] + y, EYE[2] + z), up)
