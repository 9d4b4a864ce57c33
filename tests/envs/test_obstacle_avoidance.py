"""ObstacleAvoidance: the rover does as asked, corridors are passable, ranges and collisions are those of the scene."""

import math
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pybullet")

import neuroloop_envs  # noqa: F401
from neuroloop_envs import _husky, _ranges
from neuroloop_envs._bullet import Bullet
from neuroloop_envs._corridor import CLEARANCE, END, FREE, SEGMENT, Corridor, Layout
from neuroloop_envs._husky import Husky
from neuroloop_envs.obstacle_avoidance import AHEAD, ObstacleAvoidance, _directions

STRAIGHT = np.array([1.0, 0.0], np.float32)
FARTHEST = math.hypot(_husky.CHASSIS[0], _husky.WHEELS[1])  # m, no corner of the rover is farther from its middle


@pytest.fixture
def world() -> Iterator[ObstacleAvoidance]:
    env = gymnasium.make("neuroloop/ObstacleAvoidance-v0").unwrapped
    assert isinstance(env, ObstacleAvoidance)
    yield env
    env.close()


def drive(hz: int, speed: float, turn_rate: float) -> tuple[float, float]:
    """Mean speed and turn rate in the third second."""
    bullet = Bullet(step_s=1 / hz, substeps=1)
    husky = Husky(bullet)
    husky.place(0.0, 0.0, 0.0)
    husky.drive(speed, turn_rate)
    seen = []
    for k in range(3 * hz):
        bullet.step()
        if k >= 2 * hz:
            seen.append(husky.sense()[3:])
    bullet.close()
    return tuple(np.mean(seen, axis=0).tolist())


@pytest.mark.parametrize(("speed", "turn_rate"), [(1.0, 0.0), (0.0, 1.2), (0.5, -0.6), (-1.0, 0.4), (1.0, 1.2)])
def test_the_rover_drives_and_turns_as_asked(speed: float, turn_rate: float) -> None:
    coarse = drive(60, speed, turn_rate)
    assert coarse == pytest.approx((speed, turn_rate), rel=0.1, abs=0.03)
    assert drive(240, speed, turn_rate) == pytest.approx(coarse, rel=0.06, abs=0.03)


def test_it_stands_where_it_was_placed() -> None:
    bullet = Bullet(step_s=1 / 60, substeps=1)
    husky = Husky(bullet)
    husky.place(3.0, -1.0, 2.0)
    assert husky.sense() == pytest.approx((3.0, -1.0, 2.0, 0.0, 0.0))
    husky.drive(0.0, 0.0)
    for _ in range(60):
        bullet.step()
    assert husky.sense() == pytest.approx((3.0, -1.0, 2.0, 0.0, 0.0), abs=5e-3)
    bullet.close()


def test_its_heading_is_where_its_nose_points_on_a_slope_as_well() -> None:
    bullet = Bullet(step_s=1 / 60, substeps=1)
    husky = Husky(bullet)
    bullet.move(husky.body, (0.0, 0.0, 1.0), (0.120503, 0.285176, 0.412127, 0.856916))  # rolled by 0.5, pitched by 0.4
    assert husky.sense().heading == pytest.approx(1.0, abs=1e-4)
    bullet.close()


def test_nothing_of_the_step_before_a_reset_is_left(world: ObstacleAvoidance) -> None:
    seen = []
    for steps_before in (0, 1, 2, 9):  # after few steps the rover stands about where it is placed
        world.reset(seed=5)
        for _ in range(steps_before):
            world.step(np.array([0.2, 1.0], np.float32))
        world.reset(seed=5)
        seen.append([world.step(np.array([0.3, 0.5], np.float32))[0].tobytes() for _ in range(3)])
    assert all(one == seen[0] for one in seen)


layouts = st.builds(
    Layout,
    width=st.floats(2 * CLEARANCE, 12.0),
    density=st.floats(0.0, 0.5),
    radius=st.floats(0.05, 0.5),
)  # fmt: skip


@given(layouts, st.integers(0, 2**63 - 1))
@settings(max_examples=60, deadline=None)
def test_every_corridor_leaves_a_way_on_which_the_rover_can_even_turn_round(layout: Layout, seed: int) -> None:
    """A disc that the rover fits in, at any heading, is moved along the passage in steps of a centimetre."""
    assert FARTHEST < CLEARANCE - 0.01
    corridor = Corridor(layout, seed)
    knots = corridor.passage(9)
    x = np.arange(0.0, knots[-2, 0], 0.01)
    y = np.interp(x, knots[:, 0], knots[:, 1])
    pillars = corridor.pillars(0, 10)
    assert (corridor.half - np.abs(y)).min() >= CLEARANCE - 1e-9
    if len(pillars):
        gaps = np.hypot(x[:, None] - pillars[:, 0], y[:, None] - pillars[:, 1]) - pillars[:, 2]
        assert gaps.min() >= CLEARANCE - 1e-9
        assert (pillars[:, 0] - pillars[:, 2]).min() >= FREE - 1e-9
        assert (np.abs(pillars[:, 1]) + pillars[:, 2]).max() <= corridor.half + 1e-9


def test_a_corridor_is_the_same_however_it_is_driven_through() -> None:
    layout = Layout(4.0, 0.3, 0.15)
    at_once, bit_by_bit = Corridor(layout, 3).pillars(0, 30), Corridor(layout, 3)
    parts = [bit_by_bit.pillars(k, k) for k in [*range(12), 4, *range(12, 31)]]
    np.testing.assert_array_equal(np.concatenate(parts[:12] + parts[13:]), at_once)
    assert not np.array_equal(Corridor(layout, 4).pillars(0, 30), at_once)


def test_density_is_what_was_asked_as_far_as_there_is_room() -> None:
    for density in (0.05, 0.15):
        pillars = Corridor(Layout(8.0, density, 0.15), 1).pillars(0, 499)
        assert len(pillars) / (500 * SEGMENT * 8.0) == pytest.approx(density, rel=0.05)
    full = Corridor(Layout(4.0, 0.5, 0.3), 1).pillars(1, 100)
    assert len(full) < 0.5 * 4.0 * SEGMENT * 100
    between = np.hypot(full[:, None, 0] - full[None, :, 0], full[:, None, 1] - full[None, :, 1])
    assert between[~np.eye(len(full), dtype=bool)].min() >= 0.7 - 1e-9


def solid(bullet: Bullet, corridor: Corridor, last: int) -> list[int]:
    """A corridor of bodies that rays hit and rovers touch; walls 1 m thick."""
    half, bodies = corridor.half, []
    for y in (half + 0.5, -half - 0.5):
        bodies.append(bullet.add_body("box", (400.0, 1.0, 4.0), (0.0, y, 0.0)))
    bodies.append(bullet.add_body("box", (1.0, 100.0, 4.0), (END - 0.5, 0.0, 0.0)))
    for x, y, r in corridor.pillars(0, last).tolist():
        bodies.append(bullet.add_body("cylinder", (r, 4.0), (x, y, 0.0)))
    return bodies


def scanned(
    x: float, y: float, heading: float, corridor: Corridor, fan: Any, reach: float, grown: float = 0.0
) -> tuple[Any, float]:
    ranges = np.zeros(len(fan))
    clear = _ranges.scan(
        x, y, math.cos(heading), math.sin(heading), AHEAD, fan, reach, corridor.half, END,
        corridor.pillars(0, 6) + np.array((0.0, 0.0, grown)), _husky.CHASSIS, _husky.WHEELS, ranges,
    )  # fmt: skip
    return ranges, clear


def test_ranges_agree_with_rays_that_bullet_casts() -> None:
    corridor = Corridor(Layout(4.0, 0.4, 0.2), 2)
    bullet = Bullet(step_s=1 / 60, substeps=1)
    solid(bullet, corridor, 6)
    fan, rng = _directions(1, 72, 360.0), np.random.default_rng(0)
    for _ in range(20):
        x, y, heading = rng.uniform(0, 16), rng.uniform(-1, 1), rng.uniform(-3, 3)
        ox, oy = x + AHEAD * math.cos(heading), y + AHEAD * math.sin(heading)
        if np.hypot(*(corridor.pillars(0, 6)[:, :2] - (ox, oy)).T).min() < 0.25:
            continue  # inside a pillar, or next to it
        angles = heading + np.arctan2(fan[:, 1], fan[:, 0])
        ends = [(ox + 5.0 * math.cos(a), oy + 5.0 * math.sin(a), 0.3) for a in angles]
        hits = bullet.rays([(ox, oy, 0.3)] * len(ends), ends)
        theirs = 5.0 * np.array(hits)
        near, far = (scanned(x, y, heading, corridor, fan, 5.0, grown)[0] for grown in (0.005, -0.005))
        assert (near - 0.005 <= theirs).all()  # a ray that only just meets a pillar, or misses it, may do either
        assert (theirs <= far + 0.005).all()
        close = np.isclose(scanned(x, y, heading, corridor, fan, 5.0)[0], theirs, atol=0.01)
        assert close.mean() > 0.95
    bullet.close()


def test_clearance_agrees_with_how_far_bullet_finds_the_rover_from_everything() -> None:
    corridor = Corridor(Layout(4.0, 0.4, 0.2), 2)
    bullet = Bullet(step_s=1 / 60, substeps=1)
    husky = Husky(bullet)
    bodies, rng, seen = solid(bullet, corridor, 6), np.random.default_rng(1), []
    for _ in range(60):
        x, y, heading = rng.uniform(0, 16), rng.uniform(-1.5, 1.5), rng.uniform(-3, 3)
        clear = scanned(x, y, heading, corridor, _directions(1, 1, 1.0), 5.0)[1]
        if not 0.02 < clear < 0.5:
            continue
        husky.place(x, y, heading)
        seen.append((clear, min(bullet.distance(husky.body, body, 2.0) for body in bodies)))
    bullet.close()
    assert len(seen) > 15
    ours, theirs = np.array(seen).T
    np.testing.assert_allclose(ours, theirs, atol=0.012)  # wheels are round, and Bullet's shapes have margins


def test_a_sector_shows_the_least_of_its_rays() -> None:
    corridor = Corridor(Layout(4.0, 0.4, 0.2), 2)
    rays, _ = scanned(4.0, 0.3, 0.2, corridor, _directions(45, 1, 180.0), 5.0)
    pooled = np.zeros(9)
    _ranges.scan(
        4.0, 0.3, math.cos(0.2), math.sin(0.2), AHEAD, _directions(9, 5, 180.0), 5.0, corridor.half, END,
        corridor.pillars(0, 6), _husky.CHASSIS, _husky.WHEELS, pooled,
    )  # fmt: skip
    np.testing.assert_array_equal(pooled, rays.reshape(9, 5).min(axis=1))
    assert np.ptp(pooled) > 1.0


def test_the_reward_is_metres_of_progress_and_a_collision_ends_it(world: ObstacleAvoidance) -> None:
    world.reset(seed=1)
    total, steps = 0.0, 0
    while True:
        _, reward, terminated, truncated, info = world.step(STRAIGHT)
        total, steps = total + reward, steps + 1
        assert info["clearance"] <= 0.0 if terminated else info["clearance"] > 0.0
        if terminated:
            break
    assert not truncated
    assert info["collided"]
    assert info["metres"] == pytest.approx(total + 5.0)
    assert info["metres"] == pytest.approx(world.pose[0])
    assert info["metres"] == pytest.approx(steps * world.dt, rel=0.1)  # 1 m/s, less what starting and crookedness cost


def test_readings_are_ranges_from_right_to_left_and_own_motion(world: ObstacleAvoidance) -> None:
    observation, _ = world.reset(seed=2, options={"pillar_density": 0.0})
    assert observation.shape == (12,)
    assert observation[8] + observation[0] == pytest.approx(4.0, rel=0.15)
    ranges, _ = scanned(3.0, 0.8, 0.0, world.corridor, _directions(9, 1, 180.0), 5.0)
    np.testing.assert_allclose(ranges[[0, 8]] * math.sin(math.radians(80.0)), (2.8, 1.2))
    for _ in range(20):
        observation, _, _, _, info = world.step(np.array([0.5, -0.5], np.float32))
    assert observation[9] == pytest.approx(0.5, rel=0.15)
    assert observation[10] == pytest.approx(-0.6, rel=0.2)
    assert observation[11] == pytest.approx(world.pose[2])
    assert info["min_range"] == pytest.approx(observation[:9].min())


def test_driving_back_hits_the_end_of_the_corridor(world: ObstacleAvoidance) -> None:
    world.reset(seed=3)
    for _ in range(60):
        _, _, terminated, _, info = world.step(-STRAIGHT)
        if terminated:
            break
    assert info["metres"] == pytest.approx(END + _husky.CHASSIS[0], abs=0.15)


def test_the_corridor_does_not_end(world: ObstacleAvoidance) -> None:
    world.reset(seed=0, options={"pillar_density": 0.0})
    for _ in range(2400):  # two minutes, steered back to the middle
        _, y, heading = world.pose
        _, _, terminated, _, info = world.step(np.array([1.0, np.clip(-y - 2 * heading, -1, 1)], np.float32))
        assert not terminated
    assert info["metres"] > 115.0


@pytest.mark.parametrize("observation", ["camera", "both"])
def test_the_camera_sees_pillars_stand_out_from_walls_and_floor(observation: Any) -> None:
    env = ObstacleAvoidance(observation=observation, frames=3)
    picture, _ = env.reset(seed=4)
    if observation == "both":
        assert picture["readings"].shape == (12,)
        picture = picture["camera"]
    assert picture.shape == (48, 96, 1)
    env.step(STRAIGHT)
    frames = env.camera_frames()
    assert [t for t, _ in frames] == [16_667, 33_333, 50_000]
    with_pillars = env.camera_frames()[-1][1]
    env.reset(seed=4, options={"pillar_density": 0.0})
    env.step(STRAIGHT)
    without = env.camera_frames()[-1][1]
    changed = with_pillars != without
    assert 0.01 < changed.mean() < 0.5
    assert with_pillars[changed].mean() < without[changed].mean()  # pillars are dark
    env.close()


def test_a_picture_shows_the_corridor_around_the_rover_wherever_it_is(world: ObstacleAvoidance) -> None:
    env = ObstacleAvoidance(render_mode="rgb_array")
    env.reset(seed=0, options={"pillar_density": 0.3})
    pictures = [env.render()]
    for _ in range(3):
        env.step(STRAIGHT)
    pictures.append(env.render())
    env.reset(seed=0, options={"pillar_density": 0.0})
    pictures.append(env.render())
    env.close()
    orange = [np.sum(p[..., 0] > 1.6 * p[..., 1]) for p in pictures if p is not None]
    assert min(orange[:2]) > 200
    assert orange[2] < 50


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"sectors": 0}, "sectors: must be a whole number from 1 to 360, got 0"),
        ({"rays": 2.5}, "rays: must be a whole number"),
        ({"fan": 400.0}, "fan: must lie between 1 and 360 degrees"),
        ({"reach": math.nan}, "reach: must lie between"),
        ({"penalty": -1.0}, "penalty: must lie between"),
        (
            {"parameters": {"corridor_width": 1.0}},
            "parameters.corridor_width: must be a number from 1.5 to 20 m, got 1.0",
        ),
        ({"schedule": [{"at": 1.0, "pillar_radius": 0.2}]}, "schedule.0..pillar_radius: is read at a reset only"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=f"ObstacleAvoidance.{complaint}"):
        ObstacleAvoidance(**arguments)


def test_payload_and_slippery_wheels_change_how_it_starts(world: ObstacleAvoidance) -> None:
    def speed_after_two_steps(**options: float) -> float:
        world.reset(seed=0, options=options)
        world.step(STRAIGHT)
        return float(world.step(STRAIGHT)[0][9])

    plain = speed_after_two_steps()
    assert speed_after_two_steps(payload=75.0) < 0.8 * plain
    assert speed_after_two_steps(wheel_friction=0.1) < 0.8 * plain
    assert speed_after_two_steps() == plain


@pytest.mark.parametrize("x", [0.0, 33.3, 250.0])
def test_people_see_a_floor_between_the_walls_however_far_the_rover_got(x: float) -> None:
    env = ObstacleAvoidance(render_mode="rgb_array", parameters={"pillar_density": 0.0})
    env.reset(seed=0)
    env._now = env._now._replace(x=x)
    picture = env.render()
    assert picture is not None
    floor = picture[300:, 180:300].astype(float)
    assert (floor < 250.0).all()
    assert floor.std() > 5.0
    env._now = env._now._replace(x=x + 0.13)
    moved = env.render()
    assert moved is not None
    assert np.abs(moved[300:, 180:300] - floor).mean() > 5.0
    env.close()


def test_the_camera_sees_the_floor_move_under_a_rover_that_drives() -> None:
    env = ObstacleAvoidance(observation="camera", parameters={"pillar_density": 0.0})
    first, _ = env.reset(seed=0)
    for _ in range(10):
        last = env.step(STRAIGHT)[0]
    near = np.s_[36:, 24:72]
    assert np.abs(last[near].astype(float) - first[near]).mean() > 4.0
    assert np.abs(np.diff(first[near].astype(float), axis=1)).max() > 10.0  # of neighbours: no smear
    env.close()
