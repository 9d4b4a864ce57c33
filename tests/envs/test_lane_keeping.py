"""LaneKeeping-v0: the racecar's motion, what a lane's errors are, what is paid, and who can keep the lane."""

import math
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip("pybullet")

from neuroloop_envs._track import ROAD
from neuroloop_envs.lane_keeping import LANES, LATERAL_LIMIT, STEERING, LaneKeeping

from neuroloop import EventCameraWrapper

MIDDLE = {"lane": "outer", "direction": "anticlockwise", "start": 0.0, "lateral_error": 0.0, "heading_error": 0.0}
COURSES = [(lane, way) for lane in LANES for way in ("anticlockwise", "clockwise")]


@pytest.fixture
def world() -> Iterator[LaneKeeping]:
    env = LaneKeeping()
    yield env
    env.close()


def steer(observation: Any) -> Any:
    """A proportional-derivative controller on the true errors; gains by hand."""
    return np.clip([-(20.0 * observation[0] + 4.0 * observation[1]) / 1.2], -1.0, 1.0)


def at(world: LaneKeeping, **options: Any) -> tuple[float, ...]:
    observation, _ = world.reset(seed=0, options=MIDDLE | options)
    return tuple(map(float, observation))


def test_errors_are_left_of_the_lane_and_of_the_road_whichever_way_it_is_driven(world: LaneKeeping) -> None:
    for lane, direction in COURSES:
        for start in (0.05, 0.4, 0.7):
            shown = at(world, lane=lane, direction=direction, start=start, lateral_error=0.1, heading_error=-0.2)
            assert shown[:3] == pytest.approx((0.1, -0.2, 0.8), abs=1e-6)
    at(world, lateral_error=0.1)  # the road begins eastwards, so left is north of the lane's middle
    assert world._car.sense().y == pytest.approx(0.5 + LANES["outer"] + 0.1)


def test_steering_to_the_left_turns_left(world: LaneKeeping) -> None:
    for direction in ("anticlockwise", "clockwise"):
        _, heading, _, _ = at(world, direction=direction)
        for _ in range(5):
            observation = world.step(np.ones(1, np.float32))[0]
        assert observation[1] > heading + 0.1
        assert observation[3] == pytest.approx(STEERING, rel=0.15)  # the mean of two Ackermann angles


@pytest.mark.parametrize("hz", [120, 240])
def test_full_steering_turns_at_twice_the_curvature_of_the_tightest_lane(hz: int) -> None:
    env = LaneKeeping(physics_hz=hz)
    env.reset(seed=0)
    turned, way, last = 0.0, 0.0, None
    for k in range(60):
        env._running = True  # it leaves the road
        env.step(np.ones(1, np.float32))
        if k >= 20:
            turned += math.remainder(env._now.heading - last, 2.0 * math.pi) if last is not None else 0.0
            way += env._now.speed * env.dt if last is not None else 0.0
            last = env._now.heading
    env.close()
    # Without slip it would be tan(0.37) / 0.325 m = 1.193 /m.
    assert turned / way == pytest.approx(1.16, abs=0.04)


def test_the_speed_is_held_and_follows_its_schedule(world: LaneKeeping) -> None:
    world.reset(seed=0, options=MIDDLE | {"schedule": [{"at": 1.0, "speed": 0.4}]})
    speeds = [world.step(np.zeros(1, np.float32))[0][2] for _ in range(40)]
    assert np.mean(speeds[5:20]) == pytest.approx(0.8, abs=0.02)
    assert np.mean(speeds[-10:]) == pytest.approx(0.4, abs=0.02)


def test_physics_after_a_seeded_reset_is_a_function_of_the_seed_alone(world: LaneKeeping) -> None:
    def trajectory(env: LaneKeeping, seed: int) -> list[Any]:
        env.reset(seed=seed)
        seen: list[Any] = [env._car.sense()]
        for action in np.random.default_rng(seed).uniform(-1, 1, (25, 1)):
            env._running = True
            env.step(action)
            seen += [env._car.sense(), env._bullet.base_pose(env._car.body)]
        return seen

    rng = np.random.default_rng(0)
    for seed in range(6):
        fresh = LaneKeeping()
        expected = trajectory(fresh, seed)
        fresh.close()
        for push in ((0.0, 0.0, 0.0), (300.0, 200.0, 400.0)):  # the second throws the car on its back
            world.reset(options={"push": push, "mass": rng.uniform(1, 8), "wheel_friction": rng.uniform(0.1, 1.5)})
            for _ in range(int(rng.integers(1, 30))):
                world._running = True
                world.step(rng.uniform(-1, 1, 1))
        assert trajectory(world, seed) == expected


def test_less_friction_carries_the_car_out_of_its_circle(world: LaneKeeping) -> None:
    ends = []
    for friction in (1.0, 0.05):
        at(world, wheel_friction=friction, speed=1.5)
        for _ in range(15):
            world._running = True
            world.step(np.ones(1, np.float32))
        ends.append(world._now.heading)
    assert ends[1] < 0.5 * ends[0]


def test_a_heavier_car_yields_less_to_a_push(world: LaneKeeping) -> None:
    sideways = []
    for mass in (1.0, 20.0):
        at(world, mass=mass, push=(0.0, 25.0, 0.0), wheel_friction=0.3)
        for _ in range(4):
            world._running = True
            world.step(np.zeros(1, np.float32))
        sideways.append(world._lateral)
    assert sideways[0] > sideways[1] + 0.01


def test_it_pays_for_the_middle_and_ends_outside_the_limit() -> None:
    for pay in ("scalar", "signed-error"):
        env = LaneKeeping(reward=pay)
        env.reset(seed=0, options=MIDDLE | {"lateral_error": 0.1})
        over = False
        while not over:
            _, reward, over, _, info = env.step(np.ones(1, np.float32))
            e = info["lateral_error"]
            scalar = -1.0 if over else 1.0 - abs(e) / LATERAL_LIMIT
            assert reward == pytest.approx(e if pay == "signed-error" else scalar)
            assert over == (abs(e) > LATERAL_LIMIT)
        env.close()


def test_a_lap_is_counted_either_way(world: LaneKeeping) -> None:
    for (lane, direction), start in zip(COURSES, (0.0, 0.3, 0.6, 0.9), strict=True):
        observation, _ = world.reset(seed=1, options={"lane": lane, "direction": direction, "start": start})
        way, progress = 0.0, 0.0
        for _ in range(900):
            observation, _, over, _, info = world.step(steer(observation))
            way += float(observation[2]) * world.dt
            assert not over
            assert info["lap_progress"] > progress  # never back, nor over the seam of the lap
            progress = info["lap_progress"]
            if info["laps"] == 1:
                break
        assert info["laps"] == 1
        assert (info["lane"], info["direction"]) == (lane, direction)
        assert way == pytest.approx(ROAD.lap(LANES[lane]), rel=0.02)


def test_true_errors_keep_the_lane_and_chance_does_not(world: LaneKeeping) -> None:
    errors = []
    observation, _ = world.reset(seed=3)
    for _ in range(300):
        observation, _, over, _, info = world.step(steer(observation))
        errors.append(abs(info["lateral_error"]))
        assert not over
    assert max(errors) < 0.03
    steps = []
    for seed in range(20):
        world.reset(seed=seed)
        rng, over = np.random.default_rng(seed), False
        steps.append(0)
        while not over:
            over = world.step(rng.uniform(-1, 1, 1))[2]
            steps[-1] += 1
    assert np.mean(steps) < 80  # 4 s


def test_it_is_registered_with_steps_for_a_lap() -> None:
    spec = gymnasium.spec("neuroloop/LaneKeeping-v0")
    assert spec.max_episode_steps == 1000
    assert ROAD.lap(LANES["outer"]) < 1000 * 0.05 * 0.8


def test_starts_are_drawn_everywhere_and_can_be_chosen(world: LaneKeeping) -> None:
    seen = set()
    for seed in range(40):
        observation, _ = world.reset(seed=seed)
        seen.add((world._lane, world._direction))
        assert np.abs(observation[:2]).max() <= 0.03
    assert seen == set(COURSES)
    fixed = LaneKeeping(lane="inner", direction="clockwise", start=0.25)
    fixed.reset(seed=0)
    assert (fixed._lane, fixed._direction) == ("inner", "clockwise")
    assert fixed._along == pytest.approx(0.25 * ROAD.length)
    fixed.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lane": "left"}, "LaneKeeping.lane: must be one of outer, inner, random, got 'left'"),
        ({"direction": 1}, "LaneKeeping.direction: must be one of"),
        ({"start": 1.5}, "LaneKeeping.start: must be a number from 0 to 1, got 1.5"),
        ({"reward": "sparse"}, "LaneKeeping.reward: must be"),
        ({"texture": -0.1}, "LaneKeeping.texture: must be"),
        ({"ground_seed": -1}, "LaneKeeping.ground_seed: must be"),
        ({"frames": 5}, "physics_hz: must be a multiple"),
        ({"parameters": {"speed": 9.0}}, "must be a number from 0 to 2 m/s"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LaneKeeping(**arguments)


def test_the_camera_sees_the_lane_lines_from_where_they_are() -> None:
    env = LaneKeeping(size=(64, 64), texture=0.0, parameters={"camera_shake": 0.0})
    env.reset(seed=0, options=MIDDLE)
    light = env.camera_frames()[0][1]
    row = 40  # sees the ground at a depth of h / (sin p - v cos p)
    v = 1.0 - (row + 0.5) / 32.0
    pitch, height = math.radians(25.0), 0.2 + env._bullet.base_pose(env._car.body)[0][2]
    depth = height / (math.sin(pitch) - v * math.cos(pitch))
    right = 32.0 * (1.0 + 0.25 / depth)  # the edge of the road is 0.25 m to the right
    line = np.arange(40, 64)  # apart from the dashes
    weight = np.maximum(light[row, line] - 0.4, 0.0)
    assert (weight * (line + 0.5)).sum() / weight.sum() == pytest.approx(right, abs=0.5)
    shifted = at(env, lateral_error=0.1)
    assert shifted[0] == pytest.approx(0.1)
    moved = env.camera_frames()[0][1]
    assert np.abs(light - moved).max() > 0.2
    env.close()


def test_readings_alone_need_neither_a_camera_nor_a_painted_ground(world: LaneKeeping) -> None:
    world.reset(seed=0)
    world.step(np.zeros(1, np.float32))
    assert world._camera is None
    assert world.camera_frames()[0][1].shape == (128, 128)
    shown = LaneKeeping(observation="camera")
    shown.reset(seed=0)
    assert shown._camera is not None
    assert world._camera is not None
    assert shown._camera.scene.texels is world._camera.scene.texels
    shown.close()


def test_three_frames_a_step_come_when_they_are_asked_for(world: LaneKeeping) -> None:
    world.reset(seed=0)
    world.step(np.zeros(1, np.float32))
    assert len(world.camera_frames()) == 1  # nobody had asked before
    world.step(np.zeros(1, np.float32))
    times = [t_us for t_us, _ in world.camera_frames()]
    assert times == [66667, 83333, 100000]


def test_light_and_shaking_change_what_is_seen() -> None:
    env = LaneKeeping(size=(64, 64))
    env.reset(seed=0, options=MIDDLE | {"light": 0.1})
    dim = env.camera_frames()[0][1]
    env.reset(seed=0, options=MIDDLE)
    assert env.camera_frames()[0][1] == pytest.approx(10.0 * dim, rel=1e-4)
    events = EventCameraWrapper(env, pixel="ideal", only=True)
    counts = []
    for shake in (0.0, 0.02):
        events.reset(seed=0, options=MIDDLE | {"camera_shake": shake})
        counts.append(sum(events.step(np.zeros(1, np.float32))[0].size for _ in range(5)))
    assert counts[1] > 1.5 * counts[0]
    env.close()


def test_what_is_observed_can_be_chosen() -> None:
    for observation in ("readings", "camera", "both"):
        env = LaneKeeping(observation=observation, size=(48, 40))
        seen, _ = env.reset(seed=0)
        assert env.observation_space.contains(seen)
        if observation == "camera":
            assert seen.shape == (40, 48, 1)
        env.close()
