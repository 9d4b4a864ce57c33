"""PoleBalance by encoders alone, by camera, and from far starts (PoleBalanceHard-v0)."""

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from neuroloop_envs.pole_balance import PoleBalance

pytest.importorskip("pybullet")

HARD = "neuroloop_envs:neuroloop/PoleBalanceHard-v0"
GAINS = np.array([0.1, 0.2, 3.0, 0.5])  # of position, velocity, angle and spin


def steps_balanced(env: gymnasium.Env[Any, Any], seed: int, memory: bool, gains: Any) -> int:
    """Linear control from the encoders, with velocities from their last two readings where there is `memory`."""
    positions, _ = env.reset(seed=seed)
    last, steps, over = positions, 0, False
    while not over:
        velocities = (positions - last) / 0.02 if memory else np.zeros(2)
        last = positions
        command = gains @ [positions[0], velocities[0], positions[1], velocities[1]]
        positions, _, terminated, truncated, _ = env.step(np.clip([command], -1, 1).astype(np.float32))
        steps += 1
        over = terminated or truncated
    return steps


def test_hard_needs_memory() -> None:
    env = gymnasium.make(HARD)
    with_memory = [steps_balanced(env, seed, True, GAINS) for seed in range(15)]
    # the best gains of position and angle that a search found; most others fall sooner
    without = [steps_balanced(env, seed, False, np.array([0.0, 0.0, 2.0, 0.0])) for seed in range(15)]
    env.close()
    assert min(with_memory) == 500
    assert 100 < np.mean(without) < 300


def test_joints_are_the_positions_of_the_readings() -> None:
    readings, joints = PoleBalance(), PoleBalance(observation="joints")
    seen = []
    for env in (readings, joints):
        env.reset(seed=4)
        seen.append(env.step(np.array([0.3], np.float32))[0])
        env.close()
    assert (seen[0][[0, 2]] == seen[1]).all()
    assert (readings.observation_space.high[[0, 2]] == joints.observation_space.high).all()


@pytest.mark.parametrize("observation", ["joints", "camera", "both"])
def test_variants_pass_both_checkers(observation: Any) -> None:
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    env = PoleBalance(observation=observation, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=True)
        sb3.check_env(env)
    env.close()


def test_the_camera_sees_the_cart_move_and_the_pole_lean() -> None:
    env = PoleBalance(observation="camera", size=(128, 64))
    cart, pole = [], []
    for x, angle in ((-1.0, 0.0), (1.0, 0.0), (0.0, -0.2), (0.0, 0.2)):
        at = [x, 0.0, angle, 0.0]
        picture = env.reset(options={"low": at, "high": at})[0][:, :, 0]
        dark = picture < 0.8 * picture.max()  # nothing but rail, cart and pole is dark, or the other way round
        dark = dark if dark.mean() < 0.5 else ~dark
        rows = np.flatnonzero(dark.sum(1) > 100)[0]  # the rail
        cart.append(np.flatnonzero(dark[rows + 2]).mean())
        pole.append(np.flatnonzero(dark[: rows - 15].any(0)).mean())
    env.close()
    scale = 64 / (2 * np.tan(np.radians(12.5))) / 6.0  # pixels a metre, 6 m away
    assert cart[1] - cart[0] == pytest.approx(2 * scale, abs=2.5)
    assert pole[1] - pole[0] == pytest.approx(2 * scale, abs=2.5)
    assert pole[3] - pole[2] == pytest.approx(2 * 0.8 * np.sin(0.2) * scale, abs=2.5)


def test_frames_in_between_show_motion() -> None:
    env = PoleBalance(frames=4)
    env.reset(options={"low": [-1, 2, 0, 0], "high": [-1, 2, 0, 0]})
    env.camera_frames()  # from now on somebody looks
    env.step(np.zeros(1, np.float32))
    frames = env.camera_frames()
    env.close()
    assert [t_us for t_us, _ in frames] == [5000, 10_000, 15_000, 20_000]
    assert (frames[0][1] != frames[-1][1]).any()


def test_starts_are_as_wide_as_asked() -> None:
    env = PoleBalance(start=(1.0, 0.5, 0.17, 0.5))
    env.reset(seed=0)
    starts = []
    for _ in range(300):
        env.reset()
        starts.append(env.state)
    env.close()
    reach = np.abs(starts).max(0) / (1.0, 0.5, 0.17, 0.5)
    assert (reach <= 1).all()
    assert (reach > 0.95).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"observation": "joint"}, r"PoleBalance\.observation: must be 'readings', 'joints'"),
        ({"start": 0.3}, r"PoleBalance\.start: needs low <= high within"),
        ({"start": -0.1}, r"PoleBalance\.start: needs low <= high"),
        ({"observation": "camera", "size": (20, 20)}, r"PoleBalance\.size: must be"),
        ({"frames": 3}, r"physics_hz: must be a multiple"),
    ],
)
def test_wrong_settings_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PoleBalance(**arguments)
