"""The painted ground is as bright as an exact reference says, near and far, and does not flicker when the camera moves."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("pybullet")

from neuroloop_envs._bullet import Bullet
from neuroloop_envs._ground import mip_levels
from neuroloop_envs._scene import AMBIENT, Ground, RayCamera, Scene, TinyCamera

Array = NDArray[np.float64]
WIDTH, HEIGHT, FIELD, FAR = 64, 48, 60.0, 50.0
VIEWS = {
    "down": ((0.2, -0.1, 1.0), (0.25, 0.1, 0.0), (1.0, 0.0, 0.0)),
    "slant": ((1.2, 0.4, 0.8), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "ahead": ((0.0, 0.0, 0.3), (1.0, 0.1, 0.15), (0.0, 0.0, 1.0)),
    "leaning": ((0.0, 0.0, 0.3), (1.0, 0.1, 0.15), (0.0, 0.4, 1.0)),
}


@pytest.fixture
def bullet() -> Iterator[Bullet]:
    made = Bullet(step_s=0.01, substeps=1)
    yield made
    made.close()


def camera_of(bullet: Bullet, ground: Ground | float, sky: float = 0.0) -> RayCamera:
    scene = Scene(bullet, ground=ground, sky=sky, sun=(0.0, 0.0, 1.0))
    return RayCamera(scene, width=WIDTH, height=HEIGHT, field_of_view=FIELD, far=FAR)


def exact(view: Any, light_at: Callable[[Array, Array], Array], rays: int = 8) -> Array:
    """The mean light of rays² rays through each pixel; NaN where one of them ends in the sky."""
    eye, target, head = (np.array(vector) for vector in view)
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, head)
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    tan = math.tan(math.radians(FIELD / 2))
    v = tan * (1 - 2 * (np.arange(HEIGHT * rays) + 0.5) / (HEIGHT * rays))
    u = tan * WIDTH / HEIGHT * (2 * (np.arange(WIDTH * rays) + 0.5) / (WIDTH * rays) - 1)
    d = forward + v[:, None, None] * up + u[None, :, None] * right
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(d[..., 2] < 0, -eye[2] / d[..., 2], np.inf)
        t[t > FAR] = np.nan
        light = light_at(eye[0] + t * d[..., 0], eye[1] + t * d[..., 1])
    return np.asarray(light.reshape(HEIGHT, rays, WIDTH, rays).mean(axis=(1, 3)))


def painted(ground: Ground, x: Array, y: Array) -> Array:
    """The ground's picture at a point, bilinear."""
    rows, columns = ground.luminance.shape
    cx, cy = (x - ground.x0) / ground.texel - 0.5, (y - ground.y0) / ground.texel - 0.5
    if not ground.tiled:
        cx, cy = np.clip(cx, 0, columns - 1), np.clip(cy, 0, rows - 1)
    known = np.isfinite(cx)
    cx, cy = np.where(known, cx, 0.0), np.where(known, cy, 0.0)
    ix, iy = np.floor(cx).astype(int), np.floor(cy).astype(int)
    fx, fy = cx - ix, cy - iy
    texel = lambda j, i: ground.luminance[j % rows, i % columns].astype(np.float64)  # noqa: E731
    i1, j1 = (ix + 1, iy + 1) if ground.tiled else (np.minimum(ix + 1, columns - 1), np.minimum(iy + 1, rows - 1))
    light = (texel(iy, ix) * (1 - fx) + texel(iy, i1) * fx) * (1 - fy)
    light += (texel(j1, ix) * (1 - fx) + texel(j1, i1) * fx) * fy
    return np.where(known, light, np.nan)


def noise(seed: int = 0, rows: int = 611, columns: int = 403, **rest: Any) -> Ground:
    luminance = 0.4 + 0.1 * np.random.default_rng(seed).standard_normal((rows, columns))
    luminance[:, ::50] = 0.9
    return Ground(luminance=np.clip(luminance, 0, 1), texel=0.01, **rest)


@pytest.mark.parametrize("view", VIEWS)
def test_a_smooth_picture_is_exact(bullet: Bullet, view: str) -> None:
    x, y = np.meshgrid((np.arange(400) + 0.5) * 0.02 - 4, (np.arange(500) + 0.5) * 0.02 - 5)
    picture = 0.5 + 0.2 * np.sin(2 * x + y) + 0.2 * np.cos(1.5 * y)
    ground = Ground(luminance=picture.astype(np.float32), texel=0.02, x0=-4.0, y0=-5.0)
    camera = camera_of(bullet, ground)
    ours = camera.see(*VIEWS[view])
    wanted = exact(VIEWS[view], lambda x, y: painted(ground, x, y), rays=4)
    near = np.isfinite(wanted) & (camera.depth < 4.0)
    assert near.sum() > 1000
    assert np.abs(ours - wanted)[near].max() < 0.02
    assert np.sqrt(np.mean((ours - wanted)[near] ** 2)) < 0.003


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_a_rough_picture_blurs_as_pixels_average_it(bullet: Bullet, view: str, tiled: bool) -> None:
    ground = noise(x0=-2.0, y0=-3.0, tiled=tiled)
    ours = camera_of(bullet, ground).see(*VIEWS[view])
    wanted = exact(VIEWS[view], lambda x, y: painted(ground, x, y))
    known = np.isfinite(wanted)
    error, contrast = (ours - wanted)[known], wanted[known].std()
    assert abs(error.mean()) < 0.004
    assert error.std() < 0.6 * contrast  # a sharper filter would flicker; without one it is more than 1.5
    assert np.corrcoef(ours[known], wanted[known])[0, 1] > 0.85


def test_light_does_not_depend_on_distance_on_average(bullet: Bullet) -> None:
    ground = noise(tiled=True)
    light = camera_of(bullet, ground).see((0.0, 0.0, 0.5), (1.0, 0.0, 0.4))
    rows = light[HEIGHT // 2 + 4 : HEIGHT // 2 + 12].mean(axis=1)  # below, a row shows too little of the picture
    assert np.abs(rows - ground.luminance.mean()).max() < 0.03


def test_a_creeping_camera_sees_no_flicker(bullet: Bullet) -> None:
    ground = noise(tiled=True)
    camera = camera_of(bullet, ground)
    changes: dict[str, list[Array]] = {"rays": [], "exact": []}
    frames: dict[str, list[Array]] = {"rays": [], "exact": []}
    for k in range(4):
        eye, target, up = VIEWS["ahead"]
        view = (eye[0] + 0.003 * k, *eye[1:]), (target[0] + 0.003 * k, *target[1:]), up
        frames["rays"].append(camera.see(*view).astype(np.float64))
        frames["exact"].append(exact(view, lambda x, y: painted(ground, x, y)))
    for who, seen in frames.items():
        changes[who] = [after - before for before, after in itertools.pairwise(seen)]
    far = slice(HEIGHT // 2, HEIGHT // 2 + 8)  # rows where a pixel covers many texels
    rays, wanted = (np.concatenate([np.abs(change[far]) for change in changes[who]]) for who in ("rays", "exact"))
    assert np.nanmean(rays) < 1.3 * np.nanmean(wanted)


@pytest.mark.parametrize("texels", [1, 2, 32])
def test_a_small_picture_is_its_mean_where_it_repeats_finer_than_any_copy(bullet: Bullet, texels: int) -> None:
    squares = np.full((texels, texels), 0.3, np.float32)
    squares[: texels // 2] = 0.5
    ground = Ground(luminance=squares, texel=1.0 / texels, x0=0.0, y0=0.0, tiled=True)
    light = camera_of(bullet, ground).see((0.0, 0.0, 1.0), (1.0, 0.1, 0.95), (0.0, 0.0, 1.0))
    seen = light[light > 0.0]
    assert seen.size > 0.4 * light.size
    assert (light[HEIGHT // 2 :] > 0.0).all()  # also where texels are coarser than the coarsest copy
    assert seen.min() >= 0.3 - 1e-5
    assert seen.max() <= 0.5 + 1e-5


def test_the_ground_has_its_own_lambert_factor_and_ends_at_far(bullet: Bullet) -> None:
    scene = Scene(bullet, ground=1.0, sky=0.25, sun=(0.0, 0.6, 0.8))
    camera = RayCamera(scene, width=32, height=32, field_of_view=90.0, far=10.0)
    light = camera.see((0.0, 0.0, 1.0), (1.0, 0.0, 1.0))
    assert light[:17] == pytest.approx(0.25)
    assert light[18:] == pytest.approx(AMBIENT + (1 - AMBIENT) * 0.8)
    edge = 1 - 2 * (np.arange(32) + 0.5) / 32  # tan of the angle above the horizon of each row; the ground is 1 m below
    assert np.array_equal(light[:, 0] > 0.5, -edge > 0.1)
    assert camera.depth[-1, 0] == pytest.approx(1 / -edge[-1])
    assert np.isinf(camera.depth[0]).all()


def test_nothing_is_seen_of_the_ground_from_below(bullet: Bullet) -> None:
    camera = camera_of(bullet, noise(), sky=0.3)
    assert np.all(camera.see((0.0, 0.0, -0.5), (1.0, 0.0, 0.5)) == np.float32(0.3))


def test_around_the_picture_its_border_goes_on_or_it_repeats(bullet: Bullet) -> None:
    luminance = np.full((4, 4), 0.5, np.float32)
    luminance[:, 0], luminance[:, -1] = 0.1, 0.9
    on = camera_of(bullet, Ground(luminance=luminance, texel=0.1))
    left = on.see((-3.0, 0.2, 1.0), (-3.0, 0.2, 0.0), (0.0, 1.0, 0.0))
    right = on.see((4.0, 0.2, 1.0), (4.0, 0.2, 0.0), (0.0, 1.0, 0.0))
    assert left == pytest.approx(0.1, abs=1e-6)
    assert right == pytest.approx(0.9, abs=1e-6)
    again = camera_of(bullet, Ground(luminance=luminance, texel=0.1, tiled=True))
    here = again.see((0.0, 0.0, 0.3), (0.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    there = again.see((8.0, -4.0, 0.3), (8.0, -4.0, 0.0), (0.0, 1.0, 0.0))
    assert here == pytest.approx(there, abs=1e-4)
    assert here.max() > 0.8
    assert here.min() < 0.2


def test_both_cameras_show_the_same_picture_on_the_ground(bullet: Bullet) -> None:
    blocks = np.random.default_rng(2).random((5, 7)).astype(np.float32)
    ground = Ground(luminance=np.repeat(np.repeat(blocks, 30, axis=0), 30, axis=1), texel=0.01, x0=-0.6, y0=-1.1)
    scene = Scene(bullet, ground=ground)
    for view in (VIEWS["down"], VIEWS["slant"]):
        ours = RayCamera(scene, width=64, height=48, field_of_view=60.0).see(*view)
        theirs = TinyCamera(scene, width=64, height=48, field_of_view=60.0).see(*view)
        assert np.quantile(np.abs(ours - theirs), 0.85) < 0.04
    scene.paint(Ground(luminance=1.0 - ground.luminance, texel=0.01, x0=-0.6, y0=-1.1))
    again = TinyCamera(scene, width=64, height=48, field_of_view=60.0).see(*view)
    assert np.corrcoef(theirs.ravel(), again.ravel())[0, 1] < -0.5


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (16, 16), (33, 2)])
def test_every_copy_has_the_mean_of_the_picture(shape: tuple[int, int]) -> None:
    ground = Ground(luminance=np.random.default_rng(1).random(shape).astype(np.float32), texel=0.1)
    texels, levels = mip_levels(ground, 0.5)
    for offset, columns, rows in levels:
        copy = texels[offset : offset + (columns + 2) * (rows + 2)].reshape(rows + 2, columns + 2)
        assert copy[1:-1, 1:-1].mean() == pytest.approx(0.5 * ground.luminance.mean(), rel=1e-5)
    assert levels[-1, 1:].tolist() == [1, 1]


def test_a_ground_is_copied_once_for_all_scenes_and_cannot_change_under_them(bullet: Bullet) -> None:
    given = np.random.default_rng(1).random((16, 16)).astype(np.float32)
    ground = Ground(luminance=given, texel=0.1)
    one, other = Scene(bullet, ground=ground), Scene(bullet, ground=ground)
    assert one.texels is other.texels
    darker = Scene(bullet, ground=ground, sun=(1.0, 0.0, 0.5))
    assert darker.texels.max() < one.texels.max()
    before = ground.luminance.copy()
    given[:] = 0.0
    assert np.array_equal(ground.luminance, before)
    with pytest.raises(ValueError, match="read-only"):
        ground.luminance[0, 0] = 0.5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"luminance": np.zeros(3, np.float32)}, r"\(rows, columns\)"),
        ({"luminance": np.zeros((0, 3), np.float32)}, r"\(rows, columns\)"),
        ({"luminance": np.full((2, 2), 1.5)}, "between 0 and 1, got 1.5"),
        ({"luminance": np.full((2, 2), np.nan)}, "between 0 and 1, got nan"),
        ({"texel": 0.0}, "texel: must be a length above 0"),
        ({"texel": math.inf}, "texel: must be a length above 0"),
        ({"x0": math.nan}, "x0, y0: must be finite"),
    ],
)
def test_a_ground_that_cannot_be_painted_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Ground(**({"luminance": np.zeros((2, 2), np.float32), "texel": 0.1} | change))
