"""Rays and PyBullet's own renderer see the same shapes at the same places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("pybullet")

from neuroloop_envs._bullet import Bullet, Camera
from neuroloop_envs._scene import Ground, RayCamera, Scene, TinyCamera

Mask = NDArray[np.bool_]
SIZES: dict[str, tuple[float, ...]] = {
    "sphere": (0.3,), "box": (0.3, 0.5, 0.8), "cylinder": (0.2, 0.7), "capsule": (0.2, 0.5)
}  # fmt: skip
ROUND = 64  # corners around an axis: so that the middle of an edge lies within r / 800 of the true surface
VIEWS = ((64, 80, 40.0), (96, 64, 60.0), (80, 80, 90.0))  # width, height, field of view
SKY = 1.0


@pytest.fixture
def bullet() -> Iterator[Bullet]:
    made = Bullet(step_s=0.01, substeps=1)
    yield made
    made.close()


def widened(mask: Mask) -> Mask:
    """With all pixels beside those of the mask."""
    framed = np.pad(mask, 1)
    height, width = mask.shape
    return np.any([framed[j : j + height, i : i + width] for j in range(3) for i in range(3)], axis=0)


def farther_than_a_pixel(one: Mask, other: Mask) -> int:
    """How many pixels of each mask have none of the other beside them."""
    return int((one & ~widened(other)).sum() + (other & ~widened(one)).sum())


def outline(kind: str) -> list[tuple[float, float]]:
    """Radius and height along the axis of a round shape, from its lower end to its upper one."""
    r = SIZES[kind][0]
    half = SIZES[kind][1] / 2 if kind != "sphere" else 0.0
    if kind == "cylinder":
        return [(0.0, -half), (r, -half), (r, half), (0.0, half)]
    turn = np.linspace(-np.pi / 2, np.pi / 2, ROUND + 1)
    return [(r * np.cos(a), r * np.sin(a) + (half if a > 0 else -half)) for a in turn]


def finely_meshed(bullet: Bullet, kind: str) -> int:
    """A round shape as a body of many triangles: PyBullet draws its own ones with few, a capsule with twelve corners."""
    rings = outline(kind)
    angles = np.arange(ROUND) * 2 * np.pi / ROUND
    corners = [(r * np.cos(a), r * np.sin(a), z) for r, z in rings for a in angles]
    triangles: list[int] = []
    for ring in range(len(rings) - 1):
        for k in range(ROUND):
            a, b = ring * ROUND + k, ring * ROUND + (k + 1) % ROUND
            triangles += [a, b, b + ROUND, a, b + ROUND, a + ROUND]
    white = bullet.add_texture(np.full((1, 1, 3), 255, np.uint8))
    return bullet.add_surface(corners, triangles, [(0.0, 0.0)] * len(corners), white)


def any_turn(rng: np.random.Generator) -> tuple[float, float, float, float]:
    x, y, z, w = rng.standard_normal(4)
    n = float(np.sqrt(x * x + y * y + z * z + w * w))
    return x / n, y / n, z / n, w / n


def any_view(rng: np.random.Generator) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """An eye at 1 to 3 m in any direction, that looks past the origin with its head anywhere."""
    eye = rng.standard_normal(3)
    eye *= rng.uniform(1.0, 3.0) / np.linalg.norm(eye)
    return tuple(eye), tuple(rng.uniform(-0.2, 0.2, 3)), tuple(rng.standard_normal(3))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", SIZES)
def test_silhouettes_agree_within_a_pixel_from_everywhere(bullet: Bullet, kind: str, seed: int) -> None:
    rng = np.random.default_rng((seed, len(kind)))
    place, turn = tuple(rng.uniform(-0.2, 0.2, 3)), any_turn(rng)
    body = bullet.add_body(kind, SIZES[kind], place) if kind == "box" else finely_meshed(bullet, kind)
    bullet.move(body, place, turn)
    scene = Scene(bullet, sky=SKY)
    scene.add_shape(kind, SIZES[kind], place, turn, luminance=0.0)
    for width, height, field_of_view in VIEWS:
        rays = RayCamera(scene, width=width, height=height, field_of_view=field_of_view)
        tiny = TinyCamera(scene, width=width, height=height, field_of_view=field_of_view)
        view = any_view(rng)
        ours = rays.see(*view) < SKY
        tiny.see(*view)
        theirs = tiny.shown
        assert farther_than_a_pixel(ours, theirs) == 0
        assert (ours ^ theirs).sum() <= 5 + 0.01 * ours.sum()  # rounding, and the flat sides of what they draw


@pytest.mark.parametrize(("kind", "share"), [("sphere", 0.002), ("box", 0.0), ("cylinder", 0.002)])
def test_bodies_of_pybullet_look_alike_but_for_their_few_corners(bullet: Bullet, kind: str, share: float) -> None:
    rng = np.random.default_rng(7)
    body = bullet.add_body(kind, SIZES[kind], (0.0, 0.0, 0.0), any_turn(rng))
    scene = Scene(bullet, sky=SKY)
    scene.add(body)
    rays = RayCamera(scene, width=96, height=72, field_of_view=50.0)
    tiny = TinyCamera(scene, width=96, height=72, field_of_view=50.0)
    beyond = seen = 0
    for _ in range(6):
        view = any_view(rng)
        ours = rays.see(*view) < SKY
        tiny.see(*view)
        beyond += farther_than_a_pixel(ours, tiny.shown)
        seen += int(ours.sum())
    assert beyond <= share * seen


def test_a_scene_of_many_shapes_hides_and_shades_alike(bullet: Bullet) -> None:
    rng = np.random.default_rng(3)
    picture = np.repeat(np.repeat(rng.random((6, 6)).astype(np.float32), 40, axis=0), 40, axis=1)
    scene = Scene(bullet, ground=Ground(luminance=picture, texel=0.025, x0=-3.0, y0=-3.0))
    for _ in range(12):
        x, y, z = rng.uniform((-1.0, -1.0, 0.2), (1.0, 1.0, 0.8))
        size, grey = rng.uniform(0.1, 0.4, 3), rng.uniform(0.2, 1.0)
        scene.add(bullet.add_body("box", tuple(size), (x, y, z), any_turn(rng), rgb=(grey, grey, grey)))
    rays = RayCamera(scene, width=120, height=90, field_of_view=60.0)
    tiny = TinyCamera(scene, width=120, height=90, field_of_view=60.0)
    for eye in ((2.5, 0.5, 1.5), (-1.0, -2.0, 0.7), (0.3, 2.2, 2.5)):
        ours, theirs = rays.see(eye, (0.0, 0.0, 0.2)), tiny.see(eye, (0.0, 0.0, 0.2))
        off = np.abs(ours - theirs)
        # Not at edges of the ground's picture, which they do not smooth; and they shade what they have encoded for a screen.
        assert np.quantile(off, 0.9) < 0.035
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.98
        assert farther_than_a_pixel(np.isfinite(rays.depth), tiny.shown) == 0


def test_planes_of_pybullet_reach_the_horizon(bullet: Bullet) -> None:
    scene = Scene(bullet, sky=SKY)
    scene.add(bullet.load("plane.urdf"), luminance=0.5)
    rays = RayCamera(scene, width=64, height=48, field_of_view=60.0)
    tiny = TinyCamera(scene, width=64, height=48, field_of_view=60.0)
    for up in ((0.0, 0.0, 1.0), (0.0, 0.5, 1.0)):
        ours = rays.see((0.0, 0.0, 1.0), (1.0, 0.0, 0.8), up) < SKY
        tiny.see((0.0, 0.0, 1.0), (1.0, 0.0, 0.8), up)
        assert farther_than_a_pixel(ours, tiny.shown) <= 4


@pytest.mark.parametrize("near", [0.05, 0.5, 2.0])
def test_near_and_far_cut_at_the_same_depth(bullet: Bullet, near: float) -> None:
    scene = Scene(bullet, sky=SKY)
    for x in (0.6, 1.5, 2.5, 4.0):
        scene.add(bullet.add_body("box", (0.2, 0.2, 0.2), (x, 0.4 * x - 0.8, 0.0)))
    rays = RayCamera(scene, width=64, height=48, field_of_view=60.0, near=near, far=3.0)
    tiny = TinyCamera(scene, width=64, height=48, field_of_view=60.0, near=near, far=3.0)
    ours = rays.see((0.0, 0.0, 0.0), (1.0, 0.0, 0.0)) < SKY
    tiny.see((0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    assert farther_than_a_pixel(ours, tiny.shown) == 0


def test_the_light_of_a_camera_does_not_stay_in_pictures_for_people(bullet: Bullet) -> None:
    bullet.add_body("sphere", (0.3,), (0.0, 0.0, 0.0))
    people = Camera(eye=(2.0, 0.0, 1.0), target=(0.0, 0.0, 0.0), field_of_view=40.0, width=64, height=48)
    before = bullet.photo(people)
    TinyCamera(Scene(bullet), width=8, height=8, field_of_view=40.0).see((2.0, 0.0, 1.0), (0.0, 0.0, 0.0))
    assert np.array_equal(bullet.photo(people), before)
