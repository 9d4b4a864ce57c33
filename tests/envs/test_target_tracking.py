"""TargetTracking-v0: servos as documented, paths from smooth to abrupt, a detector that geometry and pixels agree on."""

import itertools
import math
from typing import Any

import gymnasium
import numpy as np
import pytest
from neuroloop_agents.studies.pan_tilt_control import GAINS, Controller, Gains
from neuroloop_agents.studies.target_tracking import CHANCE, STUDY, mean_errors, measure
from neuroloop_envs._pan_tilt import MAX_SPEED, MODEL
from neuroloop_envs._paths import MIDDLE, PATHS, REACH
from neuroloop_envs._sight import Board, hidden, sight
from neuroloop_envs.target_tracking import FIELD_OF_VIEW, TargetTracking

pytest.importorskip("pybullet")

STILL = np.zeros(2, np.float32)
TANGENT = math.tan(math.radians(FIELD_OF_VIEW / 2))


def test_servos_are_first_order_lags() -> None:
    env = TargetTracking(parameters={"servo_time": 0.05})
    env.reset(seed=0)
    ask = np.array([0.5, -0.25], np.float32)
    for step in range(1, 11):
        env.step(ask)
        share = 1.0 - math.exp(-0.02 * step / 0.05)
        speeds = env._head.sense()[2:]
        np.testing.assert_allclose(speeds, MAX_SPEED * ask * share, atol=2e-3)
    env.close()


def test_torque_limits_how_fast_the_head_speeds_up() -> None:
    env = TargetTracking(parameters={"servo_torque": 0.05})
    env.reset(seed=0)
    env.step(np.array([0.0, 1.0], np.float32))
    assert env._head.sense().tilt_speed == pytest.approx(0.02 * 0.05 / 0.001, rel=0.02)  # torque over inertia
    env.close()


def test_a_heavier_camera_speeds_up_more_slowly() -> None:
    speeds = []
    for mass in (0.5, 5.0):
        env = TargetTracking(parameters={"camera_mass": mass, "servo_torque": 0.05})
        env.reset(seed=0)
        env.step(np.array([0.0, 1.0], np.float32))
        speeds.append(env._head.sense().tilt_speed)
        env.close()
    assert speeds[0] == pytest.approx(10.0 * speeds[1], rel=0.02)


@pytest.mark.parametrize("name", PATHS)
def test_paths_follow_their_seed_and_stay_in_reach(name: str) -> None:
    times = np.arange(0.0, 30.0, 0.02)
    tracks = []
    for seed in (1, 1, 2):
        path = PATHS[name](np.random.default_rng(seed))
        tracks.append(np.array([path.at(t) for t in times]))
    assert (tracks[0] == tracks[1]).all()
    assert (tracks[0] != tracks[2]).any()
    reach = 1.6 if name == "random" else 1.0  # a sum of sines has no walls
    assert (np.abs(tracks[0] - MIDDLE) <= np.array(REACH) * reach + 1e-9).all()


def test_paths_are_as_abrupt_as_they_say() -> None:
    leaps, turns = {}, {}
    for name, make in PATHS.items():
        path = make(np.random.default_rng(3))
        track = np.array([path.at(0.01 * k) for k in range(6000)])
        speed = np.diff(track, axis=0) / 0.01
        leaps[name] = int((np.hypot(*speed.T) > 10.0).sum())
        turns[name] = int((np.hypot(*np.diff(speed, axis=0).T) > 1.0).sum())
    assert leaps["smooth"] == leaps["random"] == leaps["reversals"] == 0
    assert turns["smooth"] == turns["random"] == 0
    assert leaps["jumps"] > 30  # in a minute
    assert leaps["abrupt"] > 10
    assert turns["reversals"] > 60


def test_geometry_and_pixels_agree_on_where_the_ball_is() -> None:
    env = TargetTracking(observation="both", parameters={"vision_delay": 0.0}, size=(96, 64))
    for seed in range(8):
        observation, _ = env.reset(seed=seed)
        dark = np.argwhere(observation["camera"][:, :, 0] < 90)  # nothing else is as dark
        row, column = dark.mean(0) + 0.5
        left, up = observation["readings"][:2]
        assert column == pytest.approx(48.0 * (1.0 - left), abs=0.7)
        assert row == pytest.approx(32.0 * (1.0 - up), abs=0.7)
    env.close()


def test_a_board_hides_the_ball_from_geometry_and_from_pixels() -> None:
    env = TargetTracking(observation="both", occluders=1, trajectory="smooth", parameters={"vision_delay": 0.0})
    seen = []
    for seed in range(4):
        observation, _ = env.reset(seed=seed)
        for _ in range(200):
            off, dark = observation["readings"], (observation["camera"] < 60).sum()
            whole = np.abs(off[:2]).max() < 0.8
            if whole:
                seen.append((bool(off[4]), int(dark)))
            observation = env.step(np.clip(3.0 * off[:2], -1, 1))[0]
    env.close()
    shown = [dark for visible, dark in seen if visible]
    covered = [dark for visible, dark in seen if not visible]
    assert len(covered) > 10
    assert np.mean(covered) < 0.3 * np.mean(shown)


def test_a_board_covers_what_lies_behind_it_and_no_more() -> None:
    board = Board(azimuth=0.3, distance=1.2, middle=0.0)
    edge = math.atan(0.15 / 1.2)
    assert hidden((0.3 + 0.99 * edge, 0.0), board)
    assert not hidden((0.3 + 1.01 * edge, 0.0), board)
    assert not hidden((0.3 + math.pi, 0.0), board)
    assert not hidden((0.3, 0.8), board)  # over its top


def test_a_ball_out_of_the_picture_counts_as_at_its_edge() -> None:
    for pan in np.linspace(-3.0, 3.0, 61):
        left, up, visible = sight((0.0, 0.0), pan, 0.0, (TANGENT, TANGENT), [])
        assert abs(left) <= 1.0
        assert visible == (abs(pan) <= math.radians(FIELD_OF_VIEW / 2))
        assert up == pytest.approx(0.0) or not visible
        if visible:
            assert left == pytest.approx(-math.tan(pan) / TANGENT)


def test_vision_is_late_and_joints_are_not() -> None:
    late, prompt = TargetTracking(), TargetTracking(parameters={"vision_delay": 0.0})
    seen: list[list[Any]] = [[], []]
    for k, env in enumerate((late, prompt)):
        env.reset(seed=2)
        for _ in range(20):
            seen[k].append(env.step(np.array([0.1, -0.1], np.float32))[0])
        env.close()
    a, b = np.array(seen[0]), np.array(seen[1])
    np.testing.assert_array_equal(a[1:, :2], b[:-1, :2])
    np.testing.assert_array_equal(a[:, 5:9], b[:, 5:9])


def test_a_lost_ball_stays_where_it_was_for_a_moment() -> None:
    env = TargetTracking(trajectory="smooth")
    env.reset(seed=0)
    away = np.array([1.0, 0.0], np.float32)
    readings = [env.step(away)[0] for _ in range(60)]
    env.close()
    lost = next(k for k, r in enumerate(readings) if r[4] == 0.0)
    assert (readings[lost][:2] == readings[lost - 1][:2]).all()
    assert (readings[lost + 20][:2] == 0.0).all()
    assert all((r[2:4] == 0.0).all() for r in readings[lost:])


def test_reward_pays_for_closeness_and_info_says_how_far() -> None:
    env = TargetTracking(size=(64, 64))
    env.reset(seed=1)
    for _ in range(50):
        _, reward, terminated, truncated, info = env.step(np.array([0.4, 0.0], np.float32))
        assert not terminated
        assert not truncated
        assert reward == pytest.approx(max(0.0, 1.0 - info["pixel_error"] / 32.0))
        assert 0.0 <= info["pixel_error"] <= 32.0 * math.sqrt(2.0) + 1e-9
    env.close()


def test_the_balls_speed_may_change_in_the_middle_of_an_episode() -> None:
    env = TargetTracking(trajectory="smooth", schedule=[{"at": 0.2, "until": 0.4, "ball_speed": 0.0}])
    env.reset(seed=0)
    times = []
    for _ in range(30):
        env.step(STILL)
        times.append(env._ball_s)
    env.close()
    assert times[9] == pytest.approx(0.2)
    assert times[19] == pytest.approx(0.2)
    assert times[29] == pytest.approx(0.4)


def test_frames_in_between_are_of_their_own_times() -> None:
    env = TargetTracking(frames=4)
    env.reset(seed=0)
    env.camera_frames()  # from now on somebody looks
    env.step(np.array([1.0, 0.0], np.float32))
    frames = env.camera_frames()
    env.close()
    assert [t for t, _ in frames] == [5000, 10_000, 15_000, 20_000]
    assert all((a[1] != b[1]).any() for a, b in itertools.pairwise(frames))


def test_distractors_are_seen_and_do_not_move_the_target() -> None:
    pictures, readings = [], []
    for n in (0, 3):
        env = TargetTracking(observation="both", distractors=n, trajectory="abrupt")
        seen = [env.reset(seed=7)[0]] + [env.step(STILL)[0] for _ in range(50)]
        env.close()
        pictures.append(np.array([o["camera"] for o in seen]))
        readings.append(np.array([o["readings"][:2] for o in seen[:1]]))
    assert (pictures[0] != pictures[1]).any()


def test_controllers_rank_as_the_page_says() -> None:
    size = STUDY.full._replace(episodes=1)
    gains = (Gains(0.5), GAINS["P"], GAINS["P and feed-forward"])
    weak, p, forward = (mean_errors(lambda g=g: Controller(g), 3, size) for g in gains)  # type: ignore[misc]
    random = measure(CHANCE, 3, size).on
    for k in range(len(PATHS)):
        assert forward[k] < p[k] < weak[k] < random[k]


def test_the_model_ships_with_the_package() -> None:
    assert MODEL.is_file()
    assert MODEL.parent.parent.name == "neuroloop_envs"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trajectory": "zigzag"}, r"TargetTracking\.trajectory: must be one of smooth, random"),
        ({"occluders": -1}, r"TargetTracking\.occluders: must be a number from 0 to 8"),
        ({"distractors": 2.0}, r"TargetTracking\.distractors: must be"),
        ({"observation": "radar"}, r"TargetTracking\.observation: must be"),
    ],
)
def test_wrong_settings_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TargetTracking(**arguments)


def test_a_reset_may_name_another_trajectory() -> None:
    env = gymnasium.make("neuroloop/TargetTracking-v0", trajectory="smooth")
    env.reset(seed=0, options={"trajectory": "jumps"})
    where = [env.unwrapped._paths[0].at(t) for t in (0.0, 0.5)]
    with pytest.raises(ValueError, match=r"TargetTracking\.options\.trajectory"):
        env.reset(options={"trajectory": "leaps"})
    env.close()
    assert where[0] == where[1]
