"""A scene follows the physics, is exact in its poses, does not grow, and says what it cannot show."""

from __future__ import annotations

import gc
import math
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pybullet")

from neuroloop_envs._bullet import Bullet
from neuroloop_envs._poses import base_frame
from neuroloop_envs._scene import AMBIENT, Ground, RayCamera, Scene, TinyCamera, picture
from neuroloop_envs._shapes import luminance_of
from neuroloop_envs._turns import turned

from neuroloop import EventCamera
from neuroloop.sensors.gamma import light_of_bytes

SKY = 1.0
EYE, TARGET = (2.0, 0.0, 0.0), (0.0, 0.0, 0.0)


@pytest.fixture
def bullet() -> Iterator[Bullet]:
    made = Bullet(step_s=0.01, substeps=1)
    yield made
    made.close()


def camera_of(scene: Scene, size: int = 48, **rest: Any) -> RayCamera:
    return RayCamera(scene, width=size, height=size, field_of_view=60.0, **rest)


def middle(camera: RayCamera, *view: Any) -> tuple[float, float]:
    """Row and column of the middle of what stands before the sky, from the picture's own middle."""
    rows, columns = np.nonzero(camera.see(*view) < SKY)
    return float(rows.mean() + 0.5 - camera.height / 2), float(columns.mean() + 0.5 - camera.width / 2)


def test_a_falling_ball_is_where_the_physics_has_it(bullet: Bullet) -> None:
    scene = Scene(bullet, sky=SKY)
    scene.add(bullet.add_body("sphere", (0.1,), (0.0, 0.0, 0.4), mass=1.0))
    camera = camera_of(scene, 96)
    scale = 48 / math.tan(math.radians(30)) / 2.0  # pixels a metre at a distance of 2 m
    heights = []
    for _ in range(4):
        row, _ = middle(camera, EYE, TARGET)
        heights.append(-row / scale)
        for _ in range(8):
            bullet.step()
        scene.update()
    fallen = [0.4 - 9.81 / 2 * (0.08 * k) ** 2 for k in range(4)]
    assert heights == pytest.approx(fallen, abs=0.02)  # a pixel is 24 mm wide; Bullet damps a little


def test_static_bodies_are_read_only_when_everything_is(bullet: Bullet) -> None:
    scene, camera = Scene(bullet, sky=SKY), None
    pillar = bullet.add_body("box", (0.2, 0.2, 0.2), (0.0, 0.0, 0.0))
    scene.add(pillar)
    camera = camera_of(scene)
    before = camera.see(EYE, TARGET)
    bullet.move(pillar, (0.0, 0.5, 0.0))
    scene.update()
    assert np.array_equal(camera.see(EYE, TARGET), before)
    scene.update(everything=True)
    assert middle(camera, EYE, TARGET)[1] > 5


def test_links_are_drawn_where_joints_put_them(bullet: Bullet) -> None:
    body = bullet.load("cartpole.urdf", fixed=True)
    scene = Scene(bullet, sky=SKY)
    scene.add(body)
    rays, tiny = camera_of(scene, 96), TinyCamera(scene, width=96, height=96, field_of_view=60.0)
    for x, angle in ((0.0, 0.0), (0.4, 0.5), (-0.3, -1.2)):
        bullet.set_joint(body, 0, x, 0.0)
        bullet.set_joint(body, 1, angle, 0.0)
        scene.update()
        view = (0.0, -3.0, 0.8), (0.0, 0.0, 0.3)
        ours, theirs = rays.see(*view), tiny.see(*view)
        assert ((ours < SKY) ^ tiny.shown).sum() <= 3
        assert np.abs(ours - theirs)[tiny.shown & (ours < SKY)].mean() < 0.04


def test_robots_of_many_parts_agree_with_the_other_renderer(bullet: Bullet) -> None:
    body = bullet.load("r2d2.urdf")
    bullet.move(body, (0.1, 0.2, 0.5), (0.1, 0.2, 0.3, 0.9))
    scene = Scene(bullet, sky=SKY)
    scene.add(body, meshes="skip")
    rays, tiny = camera_of(scene, 128), TinyCamera(scene, width=128, height=128, field_of_view=60.0)
    ours = rays.see((2.0, 1.0, 1.2), (0.0, 0.1, 0.6)) < SKY
    tiny.see((2.0, 1.0, 1.2), (0.0, 0.1, 0.6))
    assert (ours & ~tiny.shown).sum() <= 0.02 * ours.sum()
    assert (tiny.shown & ~ours).sum() <= 0.08 * ours.sum()  # the gripper and its fingers are meshes


def test_a_camera_on_a_link_moves_with_it(bullet: Bullet) -> None:
    body = bullet.load("cartpole.urdf", fixed=True)
    scene = Scene(bullet, ground=0.2, sky=SKY)
    scene.add_shape("sphere", 0.2, (0.0, 4.0, 1.0), luminance=0.0)
    camera = camera_of(scene)
    for x, angle in ((0.0, 0.0), (0.7, 0.3)):
        bullet.set_joint(body, 0, x, 0.0)
        bullet.set_joint(body, 1, angle, 0.0)
        mounted = camera.see_from(body, 1, (0.0, 0.1, 1.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        head = np.array([math.sin(angle), 0.0, math.cos(angle)])  # the pole leans about y
        eye = np.array([x, 0.1, 0.0]) + head
        by_hand = camera.see(tuple(eye), tuple(eye + np.array([0.0, 1.0, 0.0])), tuple(head))
        assert np.abs(mounted - by_hand).mean() < 1e-3


def test_a_camera_on_a_base_sits_in_the_models_frame_not_in_its_centre_of_mass(bullet: Bullet) -> None:
    car = bullet.load("racecar/racecar.urdf")
    scene = Scene(bullet, ground=Ground(luminance=np.random.default_rng(0).random((64, 64)), texel=0.1))
    camera = camera_of(scene)
    bullet.move(car, (1.0, 2.0, 0.5), (0.0, 0.0, math.sin(0.4), math.cos(0.4)))
    (x, y, z), _ = scene.frame(car, -1)
    ahead = turned((0.3, 0.0, 0.2), scene.frame(car, -1)[1])
    mounted = camera.see_from(car, -1, (0.3, 0.0, 0.2), (1.0, 0.0, -0.5))
    to = turned((1.0, 0.0, -0.5), scene.frame(car, -1)[1])
    eye = x + ahead[0], y + ahead[1], z + ahead[2]
    assert np.array_equal(mounted, camera.see(eye, (eye[0] + to[0], eye[1] + to[1], eye[2] + to[2])))


def test_base_frames_undo_where_the_centre_of_mass_lies() -> None:
    half = math.sqrt(0.5)
    frame = (1.0, 2.0, 3.0), (0.0, 0.0, half, half)
    inside = (0.5, 0.0, 0.25), (half, 0.0, 0.0, half)
    x, y, z = turned(inside[0], frame[1])
    (ax, ay, az, aw), (bx, by, bz, bw) = frame[1], inside[1]
    both = (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )
    position, turn = base_frame(((1 + x, 2 + y, 3 + z), both), inside)
    assert position == pytest.approx(frame[0])
    assert turn == pytest.approx(frame[1])


def test_free_shapes_move_change_and_vanish(bullet: Bullet) -> None:
    scene = Scene(bullet, sky=SKY)
    ball = scene.add_shape("sphere", 0.2, (0.0, 0.0, 0.0), luminance=0.5)
    wall = scene.add_shape("box", (0.1, 0.3, 0.3), (0.5, 0.0, 0.0), luminance=0.0)
    camera = camera_of(scene)
    assert camera.see(EYE, TARGET)[24, 24] == 0.0  # the wall hides the ball
    scene.paint_shape(wall, None)
    assert camera.see(EYE, TARGET)[24, 24] > 0.1
    scene.move_shape(ball, (0.0, 0.4, 0.3))
    row, column = middle(camera, EYE, TARGET)
    assert row < -5
    assert column > 5
    scene.paint_shape(wall, 0.0)
    scene.move_shape(wall, (0.5, 0.0, 0.0), (0.0, 0.0, math.sin(math.pi / 8), math.cos(math.pi / 8)))
    assert camera.see(EYE, TARGET)[24, 24] == 0.0


def test_what_a_shape_shows_is_lamberts_law(bullet: Bullet) -> None:
    scene = Scene(bullet, sky=SKY, sun=(0.6, 0.0, 0.8))
    scene.add_shape("box", (0.5, 0.5, 0.5), (0.0, 0.0, 0.0), luminance=0.5)
    camera = camera_of(scene)
    assert camera.see((2.0, 0.0, 0.0), TARGET)[24, 24] == pytest.approx(0.5 * (AMBIENT + (1 - AMBIENT) * 0.6))
    assert camera.see((-2.0, 0.0, 0.0), TARGET)[24, 24] == pytest.approx(0.5 * AMBIENT)
    assert camera.see((0.0, 0.0, 2.0), TARGET, (1.0, 0.0, 0.0))[24, 24] == pytest.approx(
        0.5 * (AMBIENT + (1 - AMBIENT) * 0.8)
    )
    assert camera.depth[24, 24] == pytest.approx(1.75)


@pytest.mark.parametrize(("kind", "size"), [("sphere", 0.4), ("capsule", (0.4, 1.0)), ("cylinder", (0.4, 1.0))])
def test_round_shapes_are_as_far_and_as_bright_as_geometry_says(bullet: Bullet, kind: Any, size: Any) -> None:
    scene = Scene(bullet, sky=SKY, sun=(1.0, 0.0, 0.0))
    scene.add_shape(kind, size, (0.0, 0.0, 0.0), luminance=1.0)
    camera = camera_of(scene, 65)
    light = camera.see((10.0, 0.0, 0.0), TARGET)
    assert camera.depth[32, 32] == pytest.approx(9.6, abs=1e-4)
    assert light[32, 32] == pytest.approx(1.0, abs=1e-4)
    y = 9.6 * math.tan(math.radians(30)) * 2 / 65  # a column further, a little flatter
    assert light[32, 33] == pytest.approx(AMBIENT + (1 - AMBIENT) * math.sqrt(1 - (y / 0.4) ** 2), abs=3e-3)


@pytest.mark.parametrize("kind", ["sphere", "box", "capsule", "cylinder"])
def test_an_eye_inside_a_shape_does_not_see_it(bullet: Bullet, kind: Any) -> None:
    scene = Scene(bullet, sky=SKY)
    scene.add_shape(kind, {"sphere": 1.0, "box": (2.0, 2.0, 2.0)}.get(kind, (1.0, 2.0)), (0.0, 0.0, 0.0), luminance=0.0)
    camera = camera_of(scene)
    for target in ((1.0, 0.2, 0.1), (0.0, 0.1, 1.0), (-0.5, -0.5, -0.5)):
        assert camera.see((0.1, 0.05, 0.3), target).min() == SKY


def test_far_shapes_keep_their_outline(bullet: Bullet) -> None:
    scene = Scene(bullet, sky=SKY)
    scene.add_shape("sphere", 0.05, (0.0, 0.0, 0.0), luminance=0.0)
    camera = RayCamera(scene, width=64, height=64, field_of_view=0.2, far=100.0)
    seen = camera.see((40.0, 30.0, 0.0), TARGET) < SKY
    wanted = np.pi * (0.05 * 32 / (50 * math.tan(math.radians(0.1)))) ** 2
    assert seen.sum() == pytest.approx(wanted, rel=0.03)
    assert np.array_equal(seen, seen[::-1]) or (seen ^ seen[::-1]).sum() < 0.02 * wanted


def test_the_same_scene_gives_the_same_bits(bullet: Bullet) -> None:
    def seen(client: Bullet) -> bytes:
        rng = np.random.default_rng(5)
        scene = Scene(client, ground=Ground(luminance=rng.random((50, 60)), texel=0.1, tiled=True))
        for kind, size in (
            ("sphere", 0.1),
            ("box", (0.2, 0.3, 0.1)),
            ("capsule", (0.1, 0.2)),
            ("cylinder", (0.1, 0.3)),
        ):
            turn = tuple(rng.standard_normal(4))
            scene.add_shape(kind, size, tuple(rng.uniform(-0.5, 0.5, 3)), turn)  # type: ignore[arg-type]
        camera = camera_of(scene)
        frames = [camera.see((2.0, 0.3 * k, 1.0), TARGET).tobytes() for k in range(3)]
        return b"".join([*frames, camera.depth.tobytes()])

    other = Bullet(step_s=0.01, substeps=1)
    try:
        assert seen(bullet) == seen(other) == seen(bullet)
    finally:
        other.close()


def test_a_frame_is_a_new_array(bullet: Bullet) -> None:
    camera = camera_of(Scene(bullet, ground=0.5))
    first = camera.see((0.0, 0.0, 1.0), (1.0, 0.0, 0.5))
    kept = first.copy()
    camera.see((0.0, 0.0, 1.0), (1.0, 0.0, 2.0))
    assert np.array_equal(first, kept)
    assert first.dtype == np.float32
    assert first.shape == (48, 48)


def test_nothing_grows_while_frames_are_seen_and_bodies_come_and_go(bullet: Bullet) -> None:
    scene = Scene(bullet, ground=0.5)
    mark, body = scene.add_shape("sphere", 0.1, (0.0, 0.0, 0.5)), bullet.load("cartpole.urdf", fixed=True)
    camera = camera_of(scene, 16)

    def held_after(n: int) -> int:
        for _ in range(n):
            scene.add(body)
            scene.update()
            camera.see(EYE, TARGET)
            camera.see_from(body, 1, (0.0, 0.0, 0.5), (1.0, 0.0, 0.0))
            scene.move_shape(mark, (0.0, 0.1, 0.5))
            scene.remove(body)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held_after(10)
        assert held_after(300) - before < 2000  # less than 7 bytes a round
    finally:
        tracemalloc.stop()
    assert len(scene.shapes) == len(scene.frames) == 1


def test_removing_a_body_leaves_the_others_where_they_are(bullet: Bullet) -> None:
    def body(y: float) -> int:
        return bullet.add_body("box", (0.2, 0.2, 0.2), (0.0, y, 0.0), mass=1.0)

    scene = Scene(bullet, sky=SKY)
    first, second, third = body(-0.5), body(0.0), body(0.5)
    for one in (first, second):
        scene.add(one)
    ball = scene.add_shape("sphere", 0.1, (0.0, 0.0, 0.5))
    scene.add(third)
    scene.remove(first)
    scene.remove(second)
    bullet.move(third, (0.0, 0.3, 0.0))
    scene.update()
    camera = camera_of(scene)
    scene.paint_shape(ball, None)
    row, column = middle(camera, EYE, TARGET)
    assert abs(row) < 0.6
    assert column == pytest.approx(0.3 / 1.9 / math.tan(math.radians(30)) * 24, abs=1.0)


def test_event_cameras_take_its_frames_however_bright(bullet: Bullet) -> None:
    scene = Scene(bullet, ground=1.0, sky=1.0, sun=(0.0, 0.0, 1.0))
    for k in range(6):
        scene.add_shape("sphere", 0.2, (0.3 * k, 0.1 * k, 0.3), luminance=1.0)
    camera, events = camera_of(scene, 64), EventCamera(64, 64)
    for k in range(8):
        light = camera.see((2.0, 0.1 * k, 3.0), (0.5, 0.0, 0.0))
        assert light.max() <= 1.0
        events.see(light, 1000 * k)


def test_a_picture_is_srgb(bullet: Bullet) -> None:
    bytes_ = np.arange(256, dtype=np.uint8)
    light = light_of_bytes("srgb")[bytes_].reshape(16, 16)
    assert np.array_equal(picture(light), np.repeat(bytes_.reshape(16, 16, 1), 3, axis=2))
    assert picture(light, channels=1).shape == (16, 16, 1)
    assert picture(np.array([[-1.0, 2.0]], np.float32), 1).ravel().tolist() == [0, 255]
    assert luminance_of((1.0, 1.0, 1.0)) == pytest.approx(1.0)
    assert luminance_of((0.5, 0.5, 0.5)) == pytest.approx(0.2140, abs=1e-3)


def test_meshes_are_refused_left_out_or_boxed(bullet: Bullet) -> None:
    car = bullet.load("racecar/racecar.urdf")
    scene = Scene(bullet, sky=SKY)
    with pytest.raises(ValueError, match=r"is a mesh, chassis.STL.*TinyCamera"):
        scene.add(car)
    scene.add(car, meshes="box")
    rays, tiny = camera_of(scene, 96), TinyCamera(scene, width=96, height=96, field_of_view=40.0)
    rays = RayCamera(scene, width=96, height=96, field_of_view=40.0)
    ours = rays.see((1.0, 0.8, 0.5), (0.0, 0.0, 0.1)) < SKY
    tiny.see((1.0, 0.8, 0.5), (0.0, 0.0, 0.1))
    assert (tiny.shown & ~ours).sum() <= 0.01 * tiny.shown.sum()  # boxes hold their meshes
    assert ours.sum() < 1.8 * tiny.shown.sum()
    with pytest.raises(ValueError, match='meshes must be "refuse"'):
        scene.add(car, meshes="sphere")  # type: ignore[arg-type]


def test_shipped_meshes_that_are_simple_are_drawn_as_such(bullet: Bullet) -> None:
    scene = Scene(bullet, sky=SKY)
    for urdf, place in (("cube.urdf", (0.0, 0.0, 0.5)), ("sphere2.urdf", (0.0, 2.0, 0.5))):
        body = bullet.load(urdf)
        bullet.move(body, place)
        scene.add(body)
    scene.add(bullet.load("plane.urdf"))
    rays, tiny = camera_of(scene, 96), TinyCamera(scene, width=96, height=96, field_of_view=60.0)
    ours = rays.see((4.0, 0.0, 2.0), (0.0, 0.5, 0.5)) < SKY
    tiny.see((4.0, 0.0, 2.0), (0.0, 0.5, 0.5))
    assert (ours ^ tiny.shown).sum() < 0.01 * ours.size


NAN = math.nan
BAD: list[tuple[Callable[[Scene], Any], str]] = [
    (lambda s: Scene(s.bullet, sky=1.5), "Scene.sky: must lie between 0 and 1"),
    (lambda s: Scene(s.bullet, ground=-0.1), "between 0 and 1"),
    (lambda s: Scene(s.bullet, sun=(0.0, 0.0, 0.0)), "Scene.sun: must be a direction"),
    (lambda s: Scene(s.bullet, sun=(0.0, NAN, 1.0)), "Scene.sun: must be three finite numbers"),
    (lambda s: s.add_shape("sphere", 0.0, TARGET), "size of a sphere must be of 1 lengths above 0"),
    (lambda s: s.add_shape("box", (1.0, 1.0), TARGET), "size of a box must be of 3 lengths"),
    (lambda s: s.add_shape("cylinder", (1.0, NAN), TARGET), "size of a cylinder must be of 2 lengths"),
    (lambda s: s.add_shape("cone", 1.0, TARGET), "kind must be one of sphere, box"),  # type: ignore[arg-type]
    (lambda s: s.add_shape("sphere", 1.0, (0.0, NAN, 0.0)), "position: must be three finite numbers"),
    (lambda s: s.add_shape("sphere", 1.0, TARGET, (0.0, 0.0, 0.0, 0.0)), "must be a quaternion"),
    (lambda s: s.add_shape("sphere", 1.0, TARGET, luminance=2.0), "luminance: must lie between 0 and 1"),
    (lambda s: s.move_shape(0, (0.0, 0.0, math.inf)), "move_shape: position: must be three finite"),
    (lambda s: s.paint_shape(0, NAN), "paint_shape: luminance: must lie between"),
    (lambda s: camera_of(s).see(EYE, EYE), "line of sight"),
    (lambda s: camera_of(s).see((NAN, 0.0, 0.0), TARGET), "see: eye: must be three finite numbers"),
    (lambda s: camera_of(s).see(EYE, TARGET, (1.0, 0.0, 0.0)), "up must not lie along the line of sight"),
    (lambda s: camera_of(s, 0), "at least 1 × 1 pixels"),
    (lambda s: RayCamera(s, width=4, height=4, field_of_view=180.0), "field_of_view: must lie between 0 and 180"),
    (lambda s: camera_of(s, near=1.0, far=0.5), "needs 0 < near < far"),
    (lambda s: TinyCamera(s, width=4, height=4, field_of_view=0.0), "TinyCamera.field_of_view"),
]


@pytest.mark.parametrize(("call", "says"), BAD, ids=[says for _, says in BAD])
def test_what_cannot_be_shown_is_refused_in_words(bullet: Bullet, call: Callable[[Scene], Any], says: str) -> None:
    scene = Scene(bullet)
    scene.add_shape("sphere", 0.1, (0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match=says):
        call(scene)


def test_a_pose_that_is_not_finite_is_named(bullet: Bullet) -> None:
    body = bullet.add_body("box", (0.2, 0.2, 0.2), (0.0, 0.0, 0.0), mass=1.0)
    scene = Scene(bullet)
    scene.add(body)
    bullet.move(body, (NAN, 0.0, 0.0))
    with pytest.raises(ValueError, match=f"pose of body {body} is not finite"):
        scene.update()
